package proxyproto

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

// v2 is a binary header: version and command, family and transport, what follows.
func v2(command, family byte, body string) string {
	b := append([]byte(v2Signature), command, family)
	return string(binary.BigEndian.AppendUint16(b, uint16(len(body)))) + body
}

const (
	four = "\x01\x02\x03\x04\xfe\xfe\xfe\xfe\x03\x05\x00\x02" // 1.2.3.4:773 -> 254.254.254.254:2
	six  = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x50\x01\xbb"
)

func TestHeadersAreReadExactly(t *testing.T) {
	from4, to4 := netip.MustParseAddrPort("1.2.3.4:773"), netip.MustParseAddrPort("254.254.254.254:2")
	from6, to6 := netip.MustParseAddrPort("[2001:db8::1]:80"), netip.MustParseAddrPort("[2001:db8::2]:443")
	mapped := netip.MustParseAddrPort("[::ffff:1.2.3.4]:80")
	for name, c := range map[string]struct {
		text string
		want Header
	}{
		"v1, IPv4": {"PROXY TCP4 1.2.3.4 254.254.254.254 773 2\r\n",
			Header{Source: from4, Destination: to4}},
		"v1, IPv6": {"PROXY TCP6 2001:db8::1 2001:db8::2 80 443\r\n",
			Header{Source: from6, Destination: to6}},
		"v1, a mapped address stays IPv6": {"PROXY TCP6 ::ffff:1.2.3.4 2001:db8::2 80 443\r\n",
			Header{Source: mapped, Destination: to6}},
		"v1, spaces at the end": {"PROXY TCP4 1.2.3.4 254.254.254.254 773 2 \t \r\n",
			Header{Source: from4, Destination: to4}},
		"v1, unknown":            {"PROXY UNKNOWN\r\n", Header{Local: true}},
		"v1, unknown and a tale": {"PROXY UNKNOWN 1.2.3.4 x y z\r\n", Header{Local: true}},
		"v1, as long as it may be": {"PROXY UNKNOWN " + strings.Repeat("x", MaxHeader-16) + "\r\n",
			Header{Local: true}},
		"v2, IPv4":            {v2(0x21, 0x11, four), Header{Source: from4, Destination: to4}},
		"v2, IPv4, datagrams": {v2(0x21, 0x12, four), Header{Source: from4, Destination: to4}},
		"v2, IPv6":            {v2(0x21, 0x21, six), Header{Source: from6, Destination: to6}},
		"v2, local":           {v2(0x20, 0, ""), Header{Local: true}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Length = len(c.text)
			for _, rest := range []string{"", "\r\nGET / HTTP/1.1\r\n", strings.Repeat("x", 500)} {
				if got, err := Parse([]byte(c.text + rest)); err != nil || got != c.want {
					t.Errorf("with %d more: %+v, %v", len(rest), got, err)
				}
			}
			for n := range len(c.text) {
				if got, err := Parse([]byte(c.text[:n])); err != ErrNeedMore {
					t.Errorf("after %d of %d bytes: %+v, %v", n, len(c.text), got, err)
				}
			}
		})
	}
}

func TestExtensionsAreCountedNotRead(t *testing.T) {
	for text, want := range map[string]Header{
		v2(0x21, 0x11, four+"\x04\x00\x02ab"): {Length: 28, Extensions: 5},
		v2(0x21, 0x21, six+"x"):               {Length: 52, Extensions: 1},
		v2(0x20, 0x31, "anything at all"):     {Length: 16, Extensions: 15, Local: true},
	} {
		got, err := Parse([]byte(text[:want.Length]))
		if err != nil || got.Length != want.Length || got.Extensions != want.Extensions ||
			got.Local != want.Local {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestWhatIsMalformedSaysSo(t *testing.T) {
	for text, want := range map[string]error{
		"GET / HTTP/1.1\r\n":                                        ErrSignature,
		"a line\r\n":                                                ErrV1,
		"no line and no signature":                                  ErrSignature,
		"\r\n and no signature":                                     ErrSignature,
		"\r\n\r\n\x00\r\nQUIT\r\x21\x11\x00\x00":                    ErrSignature,
		"PROXY \r\n":                                                ErrV1,
		"PROXY\r\n":                                                 ErrV1,
		"PROXY TCP\r\n":                                             ErrV1,
		"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n":                        ErrV1,
		"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n":                          ErrV1,
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n":                      ErrV1,
		"PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n":                       ErrV1,
		"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n":                          ErrV1,
		"PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n":                       ErrV1,
		"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n":                    ErrV1,
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 x\r\n":                        ErrV1,
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 -2\r\n":                       ErrV1,
		"PROXY TCP4 2001:db8::1 5.6.7.8 1 2\r\n":                    ErrV1,
		"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n":                        ErrV1,
		"PROXY TCP6 fe80::1%1 ::2 1 2\r\n":                          ErrV1,
		"PROXY TCP4 0.0.0.0 5.6.7.8 1 2\r\n":                        ErrV1, // not unicast, and so on
		"PROXY TCP4 1.2.3.4 224.0.0.1 1 2\r\n":                      ErrV1,
		"PROXY TCP4 255.255.255.255 5.6.7.8 1 2\r\n":                ErrV1,
		"PROXY TCP6 ff02::1 2001:db8::2 1 2\r\n":                    ErrV1,
		"PROXY TCP6 2001:db8::1 :: 1 2\r\n":                         ErrV1,
		"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n":                        ErrSignature,
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n" + repeat("x", 300):       ErrTooLong,
		"PROXY UNKNOWN " + repeat("x", MaxHeader-15) + "\r\n":       ErrTooLong,
		v2(0x11, 0x11, four):                                        ErrVersion,
		v2(0x21, 0x31, repeat("u", 216)):                            ErrFamily,
		v2(0x21, 0x01, four):                                        ErrFamily,
		v2(0x21, 0x11, four[:11]):                                   ErrShort,
		v2(0x21, 0x21, six[:35]):                                    ErrShort,
		v2(0x22, 0x11, four):                                        ErrCommand,
		v2(0x21, 0x10, four):                                        ErrCommand,
		v2(0x21, 0x11, "\x00\x00\x00\x00"+four[4:]):                 ErrV1, // source 0.0.0.0
		v2(0x21, 0x11, four[:4]+"\xff\xff\xff\xff\x00\x01\x00\x02"): ErrV1,
	} {
		if got, err := Parse([]byte(text)); err != want {
			t.Errorf("%q: %+v, %v, want %v", text, got, err, want)
		}
	}
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

func FuzzProxyProtocol(f *testing.F) {
	for _, text := range []string{"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nrest", "PROXY UNKNOWN\r\n",
		"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", v2(0x20, 0, ""), v2(0x21, 0x11, four+"tlvs"),
		v2(0x21, 0x21, six), "\r\n\r\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Parse(b)
		if err == ErrNeedMore {
			if len(b) >= MaxHeader {
				t.Fatalf("%d bytes, and more are needed", len(b))
			}
			return
		}
		more, again := Parse(append(b[:len(b):len(b)], "more"...))
		if more != h || (again == nil) != (err == nil) || again == ErrNeedMore {
			t.Fatalf("more bytes change %+v, %v to %+v, %v", h, err, more, again)
		}
		if err != nil {
			return
		}
		if h.Length > len(b) || h.Length > MaxHeader || h.Length == 0 || h.Extensions < 0 ||
			h.Local == h.Source.IsValid() || h.Source.IsValid() != h.Destination.IsValid() {
			t.Fatalf("%d bytes: %+v", len(b), h)
		}
		for n := range h.Length {
			if early, err := Parse(b[:n]); err != ErrNeedMore {
				t.Fatalf("after %d of %d bytes: %+v, %v", n, h.Length, early, err)
			}
		}
	})
}
