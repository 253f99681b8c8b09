package faults

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"
)

// placeholder is a server name that stands where hostile bytes are put.
const placeholder = "fifteen.letters"

// hello is what a TLS client says first, with these bytes for a server name.
func hello(t *testing.T, name [len(placeholder)]byte) string {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	go tls.Client(theirs, &tls.Config{ServerName: placeholder, InsecureSkipVerify: true}).Handshake()
	b := make([]byte, 16<<10)
	n, err := ours.Read(b)
	if err != nil || !strings.Contains(string(b[:n]), placeholder) {
		t.Fatal(err)
	}
	return strings.Replace(string(b[:n]), placeholder, string(name[:]), 1)
}

// Row 49, through all of the proxy. Ten thousand are in trace/sink.
func TestHostileNamesAndHeadersAreHarmlessInLogTreeAndTrace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree, otlp := filepath.Join(dir, "tree"), filepath.Join(dir, "otlp")
	p := startWith(t, nil, []string{"--concurrency", "1", "-l", "trace", "--trace", "tree=" + tree,
		"--trace", "otlp=" + otlp, "--trace-sample", "1,1"},
		route{name: "sni", hosts: []string{echo(t)}, listener: "listener_filters: [{name: envoy.filters.listener.tls_inspector}]"},
		route{name: "header", hosts: []string{echo(t)},
			listener: "listener_filters: [{name: envoy.filters.listener.proxy_protocol}]"})
	r := rand.New(rand.NewPCG(49, 49))
	var name [len(placeholder)]byte
	fill := func() {
		for i := range name {
			if name[i] = byte(r.Uint32()); r.IntN(3) == 0 {
				name[i] = "\x1b[]\r\n\x00\xff\x9b\"\\"[r.IntN(10)]
			}
		}
	}
	for range 40 {
		fill()
		p.offers("sni", hello(t, name))
		p.offers("header", fmt.Sprintf("PROXY TCP4 %s 10.0.0.1 1 2\r\nGET /%s HTTP/1.1\r\n\r\n", name, name))
		p.offers("header", "PROXY TCP4 10.0.0.2 10.0.0.1 1 2\r\n"+string(name[:]))
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
	for what, text := range map[string]string{"the log": p.Stderr.String(), "the tree": read(t, tree)} {
		for _, c := range text {
			if c == utf8.RuneError || unicode.IsControl(c) && c != '\n' {
				t.Fatalf("%s has %q", what, c)
			}
		}
	}
	for _, file := range []string{otlp, filepath.Join(p.dir, "trace")} {
		n := 0
		for line := range strings.Lines(read(t, file)) {
			if n++; !json.Valid([]byte(line)) || !utf8.ValidString(line) {
				t.Fatalf("%.200q", line)
			}
		}
		if spans := p.said(`wrote (\d+) spans`); n != spans || n == 0 {
			t.Errorf("%s has %d lines for %d spans", filepath.Base(file), n, spans)
		}
	}
}

// offers sends this and takes whatever comes of it.
func (p *proxy) offers(route, text string) {
	p.t.Helper()
	c := p.dial(route)
	defer c.Close()
	io.WriteString(c, text)
	c.CloseWrite()
	ends(p.t, c)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
