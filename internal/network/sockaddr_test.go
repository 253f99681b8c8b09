package network

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// raw is a sockaddr: the family in the machine's order, then the rest.
func raw(family uint16, rest ...byte) []byte {
	return append(binary.NativeEndian.AppendUint16(nil, family), rest...)
}

func TestBindGetsExactlyTheKernelsLayout(t *testing.T) {
	v4 := raw(afInet, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	if got := mustParse(t, "127.0.0.1", 8080).Sockaddr(); !bytes.Equal(got, v4) {
		t.Errorf("IPv4: % x", got)
	}
	v6 := raw(afInet6, 0x1f, 0x90, 0, 0, 0, 0)
	v6 = append(v6, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
	v6 = binary.NativeEndian.AppendUint32(v6, 2)
	if got := mustParse(t, "fe80::1%2", 8080).Sockaddr(); !bytes.Equal(got, v6) {
		t.Errorf("IPv6: % x", got)
	}
	path := append(raw(afUnix), make([]byte, 108)...)
	copy(path[2:], "/x")
	if got := mustPipe(t, "/x", 0).Sockaddr(); !bytes.Equal(got, path) {
		t.Errorf("path: % x", got)
	}
	abstract := raw(afUnix, 0, 'a', 0, 'b')
	if got := mustPipe(t, "@a\x00b", 0).Sockaddr(); !bytes.Equal(got, abstract) {
		t.Errorf("abstract: % x", got)
	}
}

func TestASockaddrOfTheKernelReadsBack(t *testing.T) {
	full := "/" + strings.Repeat("y", 107)
	for want, b := range map[string][]byte{
		"":        raw(afUnix),
		"/x":      append(raw(afUnix), "/x\x00"...),
		"/y":      append(raw(afUnix), "/y\x00garbage"...),
		"@a@":     raw(afUnix, 0, 'a', 0),
		full:      append(raw(afUnix), full...),
		full[:60]: append(raw(afUnix), full[:60]...),
		"[::]:1":  raw(afInet6, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	} {
		a, err := FromSockaddr(b)
		if err != nil || a.String() != want {
			t.Errorf("% x gave %v, %v, want %q", b, a, err, want)
		}
	}
}

func TestAMappedAddressStaysIPv6UntilAsked(t *testing.T) {
	a, err := FromSockaddr(mustParse(t, "::ffff:1.2.3.4", 80).Sockaddr())
	if err != nil {
		t.Fatal(err)
	}
	if a.Version() != 6 || a.Unmapped().String() != "1.2.3.4:80" {
		t.Errorf("got %s, unmapped %s", a, a.Unmapped())
	}
}

func TestABrokenSockaddrIsRefused(t *testing.T) {
	_, err := FromSockaddr(nil)
	wantError(t, err, "sockaddr is too short: 0 bytes")
	_, err = FromSockaddr(raw(afInet, 0, 80))
	wantError(t, err, "sockaddr is too short: 4 bytes of an IPv4 one")
	_, err = FromSockaddr(raw(afInet6, 0, 80))
	wantError(t, err, "sockaddr is too short: 4 bytes of an IPv6 one")
	_, err = FromSockaddr(append(raw(afUnix), make([]byte, 109)...))
	wantError(t, err, "sockaddr is too long: 111 bytes of a Unix one")
	_, err = FromSockaddr(raw(16, 0, 0))
	wantError(t, err, "Unexpected sockaddr family: 16")
}

func FuzzFromSockaddr(f *testing.F) {
	f.Add(raw(afUnix))
	f.Add(raw(afUnix, 0, 'a', 0))
	f.Add(append(raw(afUnix), "/x\x00"...))
	f.Add(raw(afInet, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Add(append(raw(afInet6, 0, 80, 0, 0, 0, 0), bytes.Repeat([]byte{1}, 20)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := FromSockaddr(b)
		if err != nil {
			return
		}
		again, err := FromSockaddr(a.Sockaddr())
		if err != nil || *again != *a {
			t.Fatalf("% x is %+v, but its sockaddr reads as %+v, %v", b, a, again, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, ip := range []string{"127.0.0.1", "::", "::1.2.3.4", "fe80::1%2", "::ffff:1.2.3.4%1"} {
		f.Add(ip, uint16(80), true)
	}
	f.Fuzz(func(t *testing.T, ip string, port uint16, v6only bool) {
		if pipe, err := NewPipe(ip, 0); err == nil {
			again, err := FromSockaddr(pipe.Sockaddr())
			if err != nil || *again != *pipe {
				t.Fatalf("pipe %q reads back as %+v, %v", ip, again, err)
			}
		}
		a, err := ParseInternetAddress(ip, port, v6only)
		if err != nil {
			return
		}
		back, err := FromSockaddr(a.Sockaddr())
		if err != nil || back.String() != a.String() {
			t.Fatalf("%q is %s, but its sockaddr reads as %v, %v", ip, a, back, err)
		}
		host := strings.Trim(strings.TrimSuffix(a.String(), ":"+portText(port)), "[]")
		again, err := ParseInternetAddress(host, port, v6only)
		if err != nil || *again != *a {
			t.Fatalf("%q is %s, but that parses as %v, %v", ip, a, again, err)
		}
	})
}
