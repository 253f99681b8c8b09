package filterchain

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/walktest"
)

// startWith is a server in the test's own process, with one worker. config is the rest of listener
// l, such as filter_chains; change may fill seams. It returns when l listens.
func startWith(t *testing.T, config string, change func(*Seams), flags ...string) *server {
	t.Helper()
	p := &server{t: t, exit: make(chan int, 1), logPath: filepath.Join(t.TempDir(), "log")}
	ready := make(chan struct{})
	seams := Wire()
	if change != nil {
		change(seams)
	}
	startWorkers := seams.StartWorkers
	seams.StartWorkers = func(m *listensocket.ListenerManager, done func()) {
		p.instance = m.Instance
		startWorkers(m, func() {
			p.address = m.Listeners()[0].Address.String()
			close(ready)
			done()
		})
	}
	args := append([]string{"test", "-c", listenerConfig(t, config), "--concurrency", "1", "--log-path",
		p.logPath, "-l", "debug"}, flags...)
	go func() {
		runtime.LockOSThread()
		p.exit <- seams.Main(args)
	}()
	select {
	case <-ready:
		t.Cleanup(p.stop)
	case code := <-p.exit:
		if code == 0 {
			t.Fatal("the server ended before it began")
		}
		p.stopped = true // refused: the log says why
	case <-time.After(walktest.Patience):
		t.Fatalf("the server did not start:\n%s", p.log())
	}
	return p
}

// listenerConfig writes a configuration of one listener; config begins in its line 5, column 5.
func listenerConfig(t *testing.T, config string) string {
	t.Helper()
	return walktest.Config(t, "%s", `static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    `+strings.ReplaceAll(strings.TrimSpace(config), "\n", "\n    ")+"\n")
}

const typeURL = "type.googleapis.com/envoy.extensions.filters."

// answering is the filters of a chain that says only this.
func answering(text string) string {
	return fmt.Sprintf(`filters: [{name: d, typed_config: {"@type": %snetwork.direct_response.v3.Config, `+
		`response: {inline_string: "%s"}}}]`, typeURL, text)
}

const echoing = `filters: [{name: envoy.filters.network.echo}]`

// answer is all that comes back from the listener after this was sent. A connection that nobody
// reads from may end by RST if nothing comes back.
func (p *server) answer(text string) string {
	p.t.Helper()
	c := p.dial()
	io.WriteString(c, text)
	all, err := io.ReadAll(c)
	if err != nil && (len(all) > 0 || os.IsTimeout(err)) {
		p.t.Errorf("%q came back, then %v", all, err)
	}
	return string(all)
}

// clientHello is what a TLS client says first.
func clientHello(name string, protocols ...string) string {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		tls.Client(theirs, &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: true}).Handshake()
	}()
	b := make([]byte, 16<<10)
	n, _ := ours.Read(b)
	return string(b[:n])
}

func TestAChainIsChosenByWhatTheListenerFiltersFoundOut(t *testing.T) {
	p := startWith(t, `
listener_filters:
- name: envoy.filters.listener.proxy_protocol
- name: envoy.filters.listener.tls_inspector
listener_filters_timeout: 0s
filter_chains:
- {filter_chain_match: {destination_port: 443, server_names: [www.example.com]}, `+answering("www")+`}
- {filter_chain_match: {destination_port: 443, server_names: ["*.example.com"]}, `+answering("wildcard")+`}
- {filter_chain_match: {destination_port: 443, transport_protocol: tls, application_protocols: [h2]}, `+
		answering("h2")+`}
- {filter_chain_match: {destination_port: 8443, transport_protocol: tls}, `+answering("tls")+`}
- {filter_chain_match: {prefix_ranges: [{address_prefix: 10.1.0.0, prefix_len: 16}]}, `+answering("10.1/16")+`}
- {filter_chain_match: {prefix_ranges: [{address_prefix: "fd00::", prefix_len: 8}]}, `+answering("fd00::/8")+`}
- {filter_chain_match: {source_type: SAME_IP_OR_LOOPBACK}, `+answering("local")+`}
- {filter_chain_match: {source_prefix_ranges: [{address_prefix: 192.168.0.0, prefix_len: 16}]}, `+
		answering("192.168")+`}
- {filter_chain_match: {source_prefix_ranges: [{address_prefix: 192.168.0.0, prefix_len: 16}], source_ports: [7]}, `+
		answering("port 7")+`}
`, nil)
	for _, c := range []struct{ header, first, want string }{
		{"TCP4 203.0.113.9 10.9.0.1 5000 443", clientHello("www.example.com"), "www"},
		{"TCP4 203.0.113.9 10.9.0.1 5000 443", clientHello("WWW.example.com"), "www"},
		{"TCP4 203.0.113.9 10.9.0.1 5000 443", clientHello("a.b.example.com", "h2"), "wildcard"},
		{"TCP4 203.0.113.9 10.9.0.1 5000 443", clientHello("example.org", "http/1.1", "h2"), "h2"},
		{"TCP4 203.0.113.9 10.9.0.1 5000 443", clientHello("example.org", "http/1.1"), ""},
		{"TCP4 203.0.113.9 10.1.0.1 5000 443", "GET / HTTP/1.1\r\n\r\n", ""}, // never back to 10.1/16
		{"TCP4 203.0.113.9 10.9.0.1 5000 8443", clientHello("example.org"), "tls"},
		{"TCP4 203.0.113.9 10.9.0.1 5000 8443", "plain", ""},
		{"TCP4 203.0.113.9 10.1.2.3 5000 80", "plain", "10.1/16"},
		{"TCP6 fd00::1 fd00::2 5000 80", "plain", "fd00::/8"},
		{"TCP4 10.9.0.1 10.9.0.1 5000 80", "plain", "local"},
		{"TCP4 192.168.1.1 10.9.0.1 5000 80", "plain", "192.168"},
		{"TCP4 192.168.1.1 10.9.0.1 7 80", "plain", "port 7"},
		{"TCP4 203.0.113.9 10.9.0.1 5000 80", "plain", ""},
	} {
		name, _, _ := strings.Cut(c.first, "\x00")
		if got := p.answer("PROXY " + c.header + "\r\n" + c.first); got != c.want {
			t.Errorf("%s, %.20q: chain %q answered, not %q", c.header, name, got, c.want)
		}
	}
	p.becomes(p.counter, "listener.127.0.0.1_0.no_filter_chain_match", 4)
}

func TestTheDefaultChainTakesWhomNobodyWants(t *testing.T) {
	p := startWith(t, `
filter_chains: [{filter_chain_match: {destination_port: 1}, `+answering("one")+`}]
default_filter_chain: {`+answering("the rest")+`}`, nil)
	same(t, "the answer", p.answer(""), "the rest")
}

func TestEchoSendsBackAndEndsWithItsClient(t *testing.T) {
	p := startWith(t, "filter_chains: [{"+echoing+"}]", nil)
	c := p.dial()
	for _, word := range []string{"hello, ", "world"} {
		io.WriteString(c, word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != word {
			t.Errorf("%q came back, %v", got, err)
		}
	}
	c.CloseWrite()
	ends(t, c)
}

// Envoy 1.17 loses it.
func TestEchoSendsBackWhatComesTogetherWithTheEnd(t *testing.T) {
	p := startWith(t, "filter_chains: [{"+echoing+"}]", nil)
	for range 20 {
		c := p.dial()
		io.WriteString(c, "last words")
		c.CloseWrite()
		if got, err := io.ReadAll(c); err != nil || string(got) != "last words" {
			t.Fatalf("%q came back, %v", got, err)
		}
	}
}

func TestEchoReadsNoMoreThanItsClientTakes(t *testing.T) {
	p := startWith(t, "filter_chains: [{"+echoing+"}]", nil)
	c, size := p.dial(), 64*mib
	sent := newStream(size)
	c.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
	n, _ := io.Copy(struct{ io.Writer }{c}, sent)
	if n == int64(size) {
		t.Error("it took all that nobody took back")
	}
	t.Logf("%d bytes are between a client that does not read and itself", n)
}

func TestEchoOfManyMegabytesIsWhole(t *testing.T) {
	p := startWith(t, "filter_chains: [{"+echoing+"}]", nil)
	c, size := p.dial(), 20*mib
	sent := newStream(size)
	done := sent.send(c, nothing)
	receive(t, io.LimitReader(c, int64(size)), sent, size)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDirectResponseSaysAllOfItAndCloses(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 1<<16)
	path := filepath.Join(t.TempDir(), "response")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startWith(t, `filter_chains: [{filters: [{name: d, typed_config: {"@type": `+typeURL+
		`network.direct_response.v3.Config, response: {filename: `+path+`}}}]}]`, nil)
	if got := p.answer(""); got != text {
		t.Errorf("%d bytes came of %d", len(got), len(text))
	}
	if got := p.answer("what a client says meanwhile costs it no byte of the answer"); got != text {
		t.Errorf("%d bytes came of %d", len(got), len(text))
	}
}

// Envoy enables half-close for it: the answer is for whoever asks, and says that it will ask no more.
func TestADirectResponseIsWholeForAClientThatHasEndedItsDirection(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 1<<20)
	path := filepath.Join(t.TempDir(), "response")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startWith(t, `filter_chains: [{filters: [{name: d, typed_config: {"@type": `+typeURL+
		`network.direct_response.v3.Config, response: {filename: `+path+`}}}]}]`, nil)
	c := p.dial()
	c.CloseWrite()
	if got, err := io.ReadAll(c); err != nil || string(got) != text {
		t.Errorf("%d bytes came of %d, then %v", len(got), len(text), err)
	}
}

func TestADirectResponseIsNamedInTheAccessLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	p := startWith(t, `access_log: [{name: f, typed_config: {"@type": `+
		`type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: `+path+
		`, log_format: {text_format: "%RESPONSE_CODE_DETAILS%\n"}}}]
filter_chains: [{`+answering("hello")+`}]`, nil)
	p.answer("")
	same(t, "the log", p.logged(path), "direct_response\n")
}

func TestADirectResponseOfNothingOnlyCloses(t *testing.T) {
	p := startWith(t, `filter_chains: [{filters: [{name: envoy.filters.network.direct_response}]}]`, nil)
	same(t, "the answer", p.answer(""), "")
}

func TestSniClusterLeavesTheNameForTcpProxy(t *testing.T) {
	for _, name := range []string{"", "www.example.com"} {
		r := newRig(t)
		r.c.Info.RequestedServerName = name
		AddReadFilter(r.c, &SniClusterFilter{})
		AddReadFilter(r.c, r.filter("B"))
		initializeReadFilters(r.c)
		r.send("data")
		r.want("B added", "B new", `B data "data"`)
		same(t, "the cluster", r.c.Info.FilterState[perConnectionCluster], name)
	}
}

func TestTheServerNameChoosesTheCluster(t *testing.T) {
	a, b := listen(t), listen(t)
	p := startWith(t, `
listener_filters: [{name: envoy.filters.listener.tls_inspector}]
filter_chains: [{filters: [{name: envoy.filters.network.sni_cluster}, {name: t, typed_config: {
  "@type": `+typeURL+`network.tcp_proxy.v3.TcpProxy, stat_prefix: p, cluster: b.example.com}}]}]`, nil,
		"--config-yaml", "static_resources: {clusters: ["+cluster("a.example.com", "", a.address())+", "+
			cluster("b.example.com", "", b.address())+"]}")
	for _, c := range []struct {
		hello string
		to    upstreamServer
	}{{clientHello("a.example.com"), a}, {clientHello("b.example.com"), b}, {clientHello(""), b}} {
		client := p.dial()
		io.WriteString(client, c.hello)
		got := make([]byte, len(c.hello))
		if _, err := io.ReadFull(c.to.accept(), got); err != nil || string(got) != c.hello {
			t.Errorf("the upstream got %d bytes that are not the client's %d, %v", len(got), len(c.hello), err)
		}
		client.Close()
	}
}

func TestAFilterKnowsWhereTheBytesGoOnceSomebodySays(t *testing.T) {
	r := newRig(t)
	a, b := r.filter("A"), r.filter("B")
	r.install(a, b)
	if b.read.UpstreamHost() != nil {
		t.Error("nobody has said")
	}
	a.read.SetUpstreamHost(address(t, "10.0.0.1:80"))
	same(t, "the host", b.read.UpstreamHost().String(), "10.0.0.1:80")
}

// A chapter that does not build HTTP reads the request, so that its end is no reset, and says where
// HTTP would begin.
func TestAConnectionThatWantsHTTPIsClosedDecently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	p := startWith(t, `filter_chains: [{filters: [{name: h, typed_config: {"@type": `+typeURL+
		`network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: h, `+
		`route_config: {virtual_hosts: []}}}]}]`, nil, "--trace", "json="+path)
	c := p.dial()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if text, err := io.ReadAll(c); len(text) > 0 || err != nil {
		t.Errorf("%q came, then %v", text, err)
	}
	p.stop()
	spans, _ := os.ReadFile(path)
	for _, want := range []string{"the HTTP connection manager of l would read its routes here",
		"HTTP would be read here; the connection is closed instead"} {
		if !strings.Contains(string(spans), want) {
			t.Errorf("no span says %q", want)
		}
	}
}

// A filter that is added but never reads leaves the connection without read filters.
func TestAConnectionWithoutFiltersIsClosed(t *testing.T) {
	p := startWith(t, "filter_chains: [{"+echoing+"}]", func(s *Seams) {
		s.NetworkFilters[0].Create = func(*FactoryContext, proto.Message) (FilterFactoryCb, error) {
			return func(*connection.Connection) {}, nil
		}
	})
	same(t, "the answer", p.answer(""), "")
	wantLog(t, p, "closing connection: no filters")
}

func wantLog(t *testing.T, p *server, sentence string) {
	t.Helper()
	if !strings.Contains(p.log(), sentence) {
		t.Errorf("the log does not say %q:\n%s", sentence, p.log())
	}
}

func TestARunWithoutAConfigurationShowsAProxyAtWork(t *testing.T) {
	p := walktest.Start(t, "06")
	if code := p.Wait(); code != 0 {
		t.Errorf("exit status %d:\n%s", code, p.Stderr)
	}
	for _, want := range []string{`"hello, upstream" went through to the upstream and came back`, tryNext,
		"Filter::onNewConnection", "connect"} {
		if !strings.Contains(p.Stdout.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, p.Stdout)
		}
	}
}
