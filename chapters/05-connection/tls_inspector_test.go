package connection_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"envoywalk/internal/kernel"
)

// realHello is what a client of crypto/tls sends first.
func realHello(t *testing.T, name string, protocols ...string) string {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		config := &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: true}
		tls.Client(there, config).Handshake() // fails: nobody answers
		there.Close()
	}()
	head := make([]byte, 5)
	io.ReadFull(here, head)
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(here, body); err != nil {
		t.Fatal(err)
	}
	return string(head) + string(body)
}

func TestNameAndProtocolsAreFoundAndEveryByteStays(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("tls_inspector")))
	for _, c := range []struct {
		hello, want string
	}{
		{realHello(t, "Example.COM", "h2", "http/1.1"), "tls [example.com] [h2 http/1.1]"},
		{realHello(t, "example.com"), "tls [example.com] []"},
		{realHello(t, "", "h2"), "tls [] [h2]"},
	} {
		whole := lab.dial("a")
		whole.send(c.hello + "more")
		whole.wantHead("a", "", "", c.want)
		whole.wantEcho(c.hello + "more")

		pieces := lab.dial("a")
		pieces.SetNoDelay(true)
		for _, b := range []byte(c.hello) {
			pieces.send(string([]byte{b}))
		}
		pieces.wantHead("a", "", "", c.want)
		pieces.wantEcho(c.hello)

		late := lab.dial("a")
		late.send(c.hello[:100])
		lab.wantStat("downstream_pre_cx_active", 1)
		late.send(c.hello[100:])
		late.wantHead("a", "", "", c.want)
		late.wantEcho(c.hello)
	}
	for name, want := range map[string]int{"tls_found": 9, "sni_found": 6, "sni_not_found": 3,
		"alpn_found": 6, "alpn_not_found": 3, "tls_not_found": 0, "read_error": 0} {
		lab.wantStat("tls_inspector."+name, want)
	}
	lab.stop()
}

func TestPlainTextIsNotTLS(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("tls_inspector")))
	c := lab.dial("a")
	c.send("GET")
	lab.wantStat("downstream_pre_cx_active", 1) // TLS says what it is in five bytes
	c.send(" / HTTP/1.1\r\n\r\n")
	c.wantHead("a", "", "", raw)
	c.wantEcho("GET / HTTP/1.1\r\n\r\n")
	lab.wantStat("tls_inspector.tls_not_found", 1)
	lab.wantStat("tls_inspector.tls_found", 0)
	lab.stop()
}

func TestAHelloThatNeverEndsCloses(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("tls_inspector")))
	c := lab.dial("a")
	// A hello of 16 KiB in records of one byte each is more than the inspector will look at.
	c.send("\x16\x03\x01\x00\x04\x01\x00\x40\x00")
	go io.WriteString(c, strings.Repeat("\x16\x03\x01\x00\x01x", 16<<10))
	c.wantClosed()
	lab.wantStat("tls_inspector.client_hello_too_large", 1)
	lab.wantStat("downstream_pre_cx_active", 0)
	lab.wantStat("downstream_cx_total", 0)
	lab.stop()
}

func TestTheEndInsideAHelloCloses(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("tls_inspector")))
	for i, part := range []string{"", "\x16\x03", realHello(t, "a.b")[:90]} {
		c := lab.dial("a")
		c.send(part)
		lab.wantStat("downstream_pre_cx_active", 1)
		c.CloseWrite()
		c.wantClosed()
		lab.wantStat("tls_inspector.connection_closed", i+1)
	}
	reset := lab.dial("a")
	reset.send("\x16")
	lab.wantStat("downstream_pre_cx_active", 1)
	reset.SetLinger(0)
	reset.Close()
	lab.wantStat("tls_inspector.connection_closed", 4)
	lab.wantStat("downstream_pre_cx_active", 0)
	lab.stop()
}

func TestTheInspectorOutlivesTheKernelsRefusals(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("tls_inspector")))
	lab.script("recvfrom", kernel.ECONNRESET, 1)
	broken := lab.dial("a")
	broken.wantClosed()
	lab.wantStat("tls_inspector.read_error", 1)

	lab.script("epoll_ctl", kernel.ENOMEM, 1)
	unwatched := lab.dial("a")
	unwatched.wantClosed()
	lab.wantStat("downstream_pre_cx_active", 0)

	waited := lab.dial("a")
	waited.send("\x16")
	lab.wantStat("downstream_pre_cx_active", 1)
	lab.script("recvfrom", kernel.ECONNRESET, 1)
	waited.send("\x03")
	waited.wantClosed()
	lab.wantStat("tls_inspector.read_error", 2)
	lab.wantStat("downstream_pre_cx_active", 0)
	lab.stop()
}

func TestTwoFiltersRunInTheirOrder(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol", "tls_inspector")),
		any4("b", with("tls_inspector", "proxy_protocol")))
	hello := realHello(t, "example.com", "h2")
	both := lab.dial("a")
	both.send(v1Header + hello)
	both.wantHead("a", "5.6.7.8:2222", "1.2.3.4:1111", "tls [example.com] [h2]")
	both.wantEcho(hello)

	paused := lab.dial("a")
	paused.send(v2Header + hello[:50])
	lab.wantStat("tls_inspector.tls_found", 1)
	lab.wantStat("downstream_pre_cx_active", 1)
	paused.send(hello[50:])
	paused.wantHead("a", "5.6.7.8:2222", "1.2.3.4:1111", "tls [example.com] [h2]")
	paused.wantEcho(hello)

	turned := lab.dial("b")
	turned.send(v1Header + hello) // the inspector sees the header, and that is not TLS
	turned.wantHead("b", "5.6.7.8:2222", "1.2.3.4:1111", raw)
	turned.wantEcho(hello)
	lab.stop()
}

func TestOldFieldsAndTheRuntimeAddFilters(t *testing.T) {
	proxied := any4("proxied", "filter_chains: [{use_proxy_proto: true}]")
	defaulted := any4("defaulted", "filter_chains: [], default_filter_chain: {use_proxy_proto: true}")
	second := any4("second", "filter_chains: [{name: a, filter_chain_match: {destination_port: 1}}, "+
		"{use_proxy_proto: true}]")
	named := any4("named", "filter_chains: [{filter_chain_match: {server_names: [a.b]}}, {}]")
	lab := startFilterLab(t, "", proxied, defaulted, second, named)
	for _, name := range []string{"proxied", "defaulted"} {
		c := lab.dial(name)
		c.send(v1Header + "payload")
		c.wantHead(name, "5.6.7.8:2222", "1.2.3.4:1111", raw)
		c.wantEcho("payload")
	}
	hello := realHello(t, "a.b")
	for _, name := range []string{"second", "named"} {
		c := lab.dial(name)
		c.send(hello)
		c.wantHead(name, "", "", raw)
		c.wantEcho(hello)
	}
	lab.stop()

	lab = startFilterLab(t, "envoy.reloadable_features.disable_tls_inspector_injection: false",
		any4("named", "filter_chains: [{filter_chain_match: {server_names: [a.b]}}, {}]"))
	lab.WaitFor(`adding listener '127.0.0.1:0': filter chain match rules require TLS Inspector`)
	c := lab.dial("named")
	c.send(hello)
	c.wantHead("named", "", "", "tls [a.b] []")
	c.wantEcho(hello)
	lab.stop()
}
