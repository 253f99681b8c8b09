package connection_test

import (
	"strings"
	"testing"

	"envoywalk/internal/kernel"
)

const (
	raw      = "raw_buffer [] []"
	v1Header = "PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n"
	v2Start  = "\r\n\r\n\x00\r\nQUIT\n"
	v2Four   = "\x01\x02\x03\x04\x05\x06\x07\x08\x04\x57\x08\xae" // the same addresses
	v2Header = v2Start + "\x21\x11\x00\x0c" + v2Four
)

func TestTheProxyHeaderBecomesTheAddressesAndNothingElse(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol")))
	payload := strings.Repeat("payload ", 5000)
	six := "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01"
	for name, c := range map[string]struct{ header, local, remote string }{
		"v1":           {v1Header, "5.6.7.8:2222", "1.2.3.4:1111"},
		"v1, IPv6":     {"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "[2001:db8::2]:2", "[2001:db8::1]:1"},
		"v1, unknown":  {"PROXY UNKNOWN 1.2.3.4 5.6.7.8 1 2\r\n", "", ""},
		"v1, shortest": {"PROXY UNKNOWN\r\n", "", ""},
		"v2":           {v2Header, "5.6.7.8:2222", "1.2.3.4:1111"},
		"v2, IPv6": {v2Start + "\x21\x21\x00\x24" + six + six + "\x00\x01\x00\x02",
			"[2001:db8::1]:2", "[2001:db8::1]:1"},
		"v2, local":                         {v2Start + "\x20\x00\x00\x00", "", ""},
		"v2, local with addresses and more": {v2Start + "\x20\x11\x00\x0f" + v2Four + "tlv", "", ""},
		"v2, 1000 bytes of extensions": {v2Start + "\x21\x11\x03\xf4" + v2Four + strings.Repeat("t", 1000),
			"5.6.7.8:2222", "1.2.3.4:1111"},
	} {
		t.Run(name, func(t *testing.T) {
			whole := lab.dial("a")
			whole.send(c.header + payload)
			whole.wantHead("a", c.local, c.remote, raw)
			whole.wantEcho(payload)

			pieces := lab.dial("a")
			pieces.SetNoDelay(true)
			for _, b := range []byte(c.header + "xyz") {
				pieces.send(string([]byte{b}))
			}
			pieces.wantHead("a", c.local, c.remote, raw)
			pieces.wantEcho("xyz")
		})
	}
	lab.wantStat("downstream_cx_proxy_proto_error", 0)
	lab.wantStat("downstream_pre_cx_active", 0)
	lab.stop()
}

func TestAHeaderMayTakeItsTime(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol")))
	for _, at := range []int{1, 11, 16, 20, len(v2Header)} {
		c := lab.dial("a")
		header := strings.Replace(v2Header, "\x00\x0c", "\x00\x0e", 1) + "!!"
		c.send(header[:at])
		lab.wantStat("downstream_pre_cx_active", 1)
		c.send(header[at:] + "payload")
		c.wantHead("a", "5.6.7.8:2222", "1.2.3.4:1111", raw)
		c.wantEcho("payload")
		lab.wantStat("downstream_pre_cx_active", 0)
	}
	lab.stop()
}

func TestAMalformedHeaderClosesAndIsCounted(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol")))
	all := []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"not\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 66666\r\n",
		"PROXY TCP4 1.2.3.4 224.0.0.1 1 2\r\n",
		"PROXY TCP4 " + strings.Repeat("1", 300),
		v2Start + "\x11\x11\x00\x0c" + v2Four,
		v2Start + "\x21\x31\x00\xd8" + strings.Repeat("u", 216),
		v2Start + "\x21\x11\x00\x0b" + v2Four,
		v2Start + "\x22\x11\x00\x0c" + v2Four,
		v2Start + "\x21\x10\x00\x0c" + v2Four,
	}
	for i, header := range all {
		c := lab.dial("a")
		c.send(header)
		c.wantClosed()
		lab.wantStat("downstream_cx_proxy_proto_error", i+1)
	}
	lab.WaitFor("Unsupported V2 proxy protocol version")
	lab.wantStat("downstream_pre_cx_active", 0)
	lab.wantStat("downstream_cx_total", 0)
	lab.stop()
}

func TestTheEndInsideAHeaderCloses(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol")))
	all := []string{"", v1Header[:5], v1Header[:30], v2Header[:14], v2Header[:20],
		v2Start + "\x21\x11\x00\x20" + v2Four + "tlv"}
	for i, part := range all {
		c := lab.dial("a")
		c.send(part)
		c.CloseWrite()
		c.wantClosed()
		lab.wantStat("downstream_cx_proxy_proto_error", i+1)
	}
	reset := lab.dial("a")
	reset.send(v1Header[:20])
	lab.wantStat("downstream_pre_cx_active", 1)
	reset.SetLinger(0)
	reset.Close()
	lab.wantStat("downstream_cx_proxy_proto_error", len(all)+1)
	lab.wantStat("downstream_pre_cx_active", 0)
	lab.stop()
}

func TestASilentClientIsEndedByTheTimeout(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol")+", listener_filters_timeout: 0.05s"),
		any4("b", with("proxy_protocol")+", listener_filters_timeout: 0.05s, "+
			"continue_on_listener_filters_timeout: true"))
	gone := lab.dial("a")
	gone.send(v1Header[:10])
	gone.wantClosed()
	lab.wantStat("downstream_pre_cx_timeout", 1)
	kept := lab.dial("b")
	kept.wantHead("b", "", "", raw)
	kept.wantEcho("")
	lab.wantStat("downstream_pre_cx_timeout", 2)
	lab.stop()
}

func TestTheKernelMayRefuseOrInterrupt(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol")))
	lab.script("epoll_ctl", kernel.ENOMEM, 1)
	unwatched := lab.dial("a")
	unwatched.wantClosed()
	lab.wantStat("downstream_cx_proxy_proto_error", 1)

	lab.script("recvfrom", kernel.ECONNRESET, 1)
	broken := lab.dial("a")
	broken.send(v1Header)
	broken.wantClosed()
	lab.wantStat("downstream_cx_proxy_proto_error", 2)

	lab.script("recvfrom", kernel.EINTR, 3)
	interrupted := lab.dial("a")
	interrupted.send(v1Header)
	interrupted.wantHead("a", "5.6.7.8:2222", "1.2.3.4:1111", raw)
	interrupted.wantEcho("")

	lab.script("recvfrom", kernel.AtMost, 1)
	short := lab.dial("a")
	short.send(v2Start + "\x21\x11\x00\x0f" + v2Four + "tlvpayload")
	short.wantHead("a", "5.6.7.8:2222", "1.2.3.4:1111", raw)
	short.wantEcho("payload")
	lab.stop()
}

func TestARestoredAddressChoosesTheListener(t *testing.T) {
	lab := startFilterLab(t, "", any4("a", with("proxy_protocol")+", use_original_dst: true"),
		"name: b, bind_to_port: false, address: {socket_address: {address: 5.6.7.8, port_value: 2222}}",
		"name: c, bind_to_port: false, address: {socket_address: {address: 0.0.0.0, port_value: 3333}}")
	exact := lab.dial("a")
	exact.send(v1Header + "to b")
	exact.wantHead("b", "5.6.7.8:2222", "1.2.3.4:1111", raw)
	exact.wantEcho("to b")
	byPort := lab.dial("a")
	byPort.send(strings.Replace(v1Header, "2222", "3333", 1) + "to c")
	byPort.wantHead("c", "5.6.7.8:3333", "1.2.3.4:1111", raw)
	byPort.wantEcho("to c")
	nobody := lab.dial("a")
	nobody.send(strings.Replace(v1Header, "2222", "4444", 1) + "to a")
	nobody.wantHead("a", "5.6.7.8:4444", "1.2.3.4:1111", raw)
	nobody.wantEcho("to a")
	lab.stop()
}
