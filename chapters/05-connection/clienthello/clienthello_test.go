package clienthello

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// hello is what a real client of the standard library says first.
func hello(t testing.TB, config *tls.Config) []byte {
	t.Helper()
	config.InsecureSkipVerify = true
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		tls.Client(there, config).Handshake() // fails: nobody answers
		there.Close()
	}()
	head := make([]byte, recordHeader)
	if _, err := io.ReadFull(here, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(here, body); err != nil {
		t.Fatal(err)
	}
	return append(head, body...)
}

// fragmented is the same message in records of n bytes.
func fragmented(record []byte, n int) (out []byte) {
	for part := range slices.Chunk(record[recordHeader:], n) {
		out = append(out, record[:3]...)
		out = binary.BigEndian.AppendUint16(out, uint16(len(part)))
		out = append(out, part...)
	}
	return out
}

func TestAHelloSaysWhomItWants(t *testing.T) {
	for name, c := range map[string]struct {
		config *tls.Config
		want   Hello
	}{
		"SNI and ALPN": {&tls.Config{ServerName: "Example.com", NextProtos: []string{"h2", "http/1.1"}},
			Hello{"Example.com", []string{"h2", "http/1.1"}}},
		"SNI only":  {&tls.Config{ServerName: "example.com"}, Hello{"example.com", nil}},
		"ALPN only": {&tls.Config{NextProtos: []string{"x"}}, Hello{"", []string{"x"}}},
		"nothing":   {&tls.Config{}, Hello{}},
		"TLS 1.2":   {&tls.Config{ServerName: "a.b", MaxVersion: tls.VersionTLS12}, Hello{"a.b", nil}},
		"TLS 1.0": {&tls.Config{ServerName: "a.b", MinVersion: tls.VersionTLS10,
			MaxVersion: tls.VersionTLS10}, Hello{"a.b", nil}},
	} {
		t.Run(name, func(t *testing.T) {
			b := hello(t, c.config)
			for form, bytes := range map[string][]byte{"in one record": b, "then more": append(b, 20, 3, 3, 0, 1),
				"in records of 3 bytes": fragmented(b, 3), "of 1 byte": fragmented(b, 1)} {
				got, verdict := Parse(bytes)
				if verdict != Found || got.ServerName != c.want.ServerName ||
					!slices.Equal(got.Protocols, c.want.Protocols) {
					t.Errorf("%s: %v %+v, want %+v", form, verdict, got, c.want)
				}
			}
		})
	}
}

func TestEveryBeginningOfAHelloNeedsMore(t *testing.T) {
	b := hello(t, &tls.Config{ServerName: "example.com", NextProtos: []string{"h2"}})
	for _, b := range [][]byte{b, fragmented(b, 7)} {
		for n := range b {
			if _, verdict := Parse(b[:n]); verdict != NeedMore {
				t.Fatalf("after %d of %d bytes: %v", n, len(b), verdict)
			}
		}
	}
}

func TestWhatIsNotTLSIsKnownAtOnce(t *testing.T) {
	for name, text := range map[string]string{
		"HTTP":                    "GET / HTTP/1.1\r\n",
		"SSH":                     "SSH-2.0-x\r\n",
		"zeros":                   "\x00\x00\x00\x00\x00",
		"an alert":                "\x15\x03\x01\x00\x02",
		"another major version":   "\x16\x02\x00\x00\x10",
		"an empty record":         "\x16\x03\x01\x00\x00",
		"a record too long":       "\x16\x03\x01\x40\x01",
		"a ServerHello":           "\x16\x03\x01\x00\x04\x02\x00\x00\x00",
		"a hello longer than 16K": "\x16\x03\x01\x40\x00\x01\x00\x40\x01",
		"a hello without content": "\x16\x03\x01\x00\x04\x01\x00\x00\x00",
		"a hello of rubbish":      "\x16\x03\x01\x00\x08\x01\x00\x00\x04abcd",
	} {
		if _, verdict := Parse([]byte(text)); verdict != NotTLS {
			t.Errorf("%s: %v", name, verdict)
		}
	}
}

func TestAVersionNobodySpeaksIsNotTLS(t *testing.T) {
	b := hello(t, &tls.Config{ServerName: "a.b", MaxVersion: tls.VersionTLS12})
	b[recordHeader+messageHeader+1] = 0                  // SSL 3.0 in the hello
	if at := bytes.LastIndex(b, []byte{0, 43}); at > 0 { // the random bytes may hold it, too, and come first
		b[at+1] = 250 // an unknown extension where the list of versions was
	}
	if got, verdict := Parse(b); verdict != NotTLS {
		t.Errorf("%v %+v", verdict, got)
	}
}

func TestTheLargestHelloIsFound(t *testing.T) {
	var protocols []string
	for range 55 {
		protocols = append(protocols, strings.Repeat("p", 255))
	}
	b := hello(t, &tls.Config{NextProtos: protocols})
	if got, verdict := Parse(b); verdict != Found || !slices.Equal(got.Protocols, protocols) {
		t.Errorf("%d bytes: %v, %d protocols", len(b), verdict, len(got.Protocols))
	}
}

func FuzzClientHello(f *testing.F) {
	b := hello(f, &tls.Config{ServerName: "example.com", NextProtos: []string{"h2"}})
	f.Add(b)
	f.Add(fragmented(b, 5))
	f.Add(hello(f, &tls.Config{MaxVersion: tls.VersionTLS12}))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, verdict := Parse(b)
		if verdict != Found && (got.ServerName != "" || got.Protocols != nil) {
			t.Fatalf("%v says %+v", verdict, got)
		}
		more, after := Parse(append(slices.Clone(b), b...))
		if verdict == NotTLS && after != NotTLS {
			t.Fatalf("not TLS, and with more behind it %v", after)
		}
		if verdict == Found && (after != Found || more.ServerName != got.ServerName) {
			t.Fatalf("found %+v, and with more behind it %v %+v", got, after, more)
		}
		if n := len(b) / 2; verdict == NeedMore {
			if _, before := Parse(b[:n]); before != NeedMore {
				t.Fatalf("all needs more, and half of it is %v", before)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	record := hello(b, &tls.Config{ServerName: "example.com", NextProtos: []string{"h2", "http/1.1"}})
	for name, input := range map[string][]byte{"whole": record, "begun": record[:100],
		"not TLS": []byte("GET / HTTP/1.1\r\n")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(input)
			}
		})
	}
}
