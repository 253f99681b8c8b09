package filterchain

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fileLog is an access log of the proxy, one line a connection, as the rest of a flow mapping.
func fileLog(t *testing.T) (config, path string) {
	path = filepath.Join(t.TempDir(), "access.log")
	return `access_log: [{name: envoy.access_loggers.file, typed_config: {` +
		`"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: ` + path +
		`, log_format: {text_format: "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_HOST% ` +
		`%UPSTREAM_CLUSTER% %DURATION%\n"}}}]`, path
}

// logged waits for the one line of the access log; a duration is written as D.
func (p *server) logged(path string) string {
	p.t.Helper()
	var line string
	p.eventually("the connection is logged", func() bool {
		text, _ := os.ReadFile(path)
		line = string(text)
		return strings.HasSuffix(line, "\n")
	})
	if n := strings.Count(line, "\n"); n != 1 {
		p.t.Errorf("%d lines are logged:\n%s", n, line)
	}
	return regexp.MustCompile(`\d+\n`).ReplaceAllString(line, "D")
}

func TestAFinishedConnectionIsLoggedOnceAndWhole(t *testing.T) {
	u := listen(t)
	config, path := fileLog(t)
	p := scene{proxy: config, hosts: []string{u.address()}}.start(t)
	client := p.dial()
	server := u.accept()
	io.WriteString(client, "four")
	client.CloseWrite()
	io.ReadAll(server)
	io.WriteString(server, "fifteen letters")
	server.Close()
	io.ReadAll(client)
	same(t, "the log", p.logged(path), "- 4 15 "+u.address()+" c D")
}

func TestARefusedUpstreamIsTriedAsOftenAsAllowed(t *testing.T) {
	config, path := fileLog(t)
	gone := nobody(t)
	p := scene{proxy: "max_connect_attempts: 3, " + config, hosts: []string{gone}}.start(t)
	ends(t, p.dial())
	same(t, "the log", p.logged(path), "UF,URX 0 0 "+gone+" c D")
	same(t, "connects", p.counter("cluster.c.upstream_cx_total"), 3)
	same(t, "failures", p.counter("cluster.c.upstream_cx_connect_fail"), 3)
	same(t, "exceeded", p.counter("cluster.c.upstream_cx_connect_attempts_exceeded"), 1)
	same(t, "read from the client", p.counter("downstream_cx_rx_bytes_total"), 0)
}

func TestARefusedUpstreamIsTriedOnceUnlessTheConfigurationSays(t *testing.T) {
	p := scene{hosts: []string{nobody(t)}}.start(t)
	ends(t, p.dial())
	p.becomes(p.counter, "cluster.c.upstream_cx_connect_attempts_exceeded", 1)
	same(t, "connects", p.counter("cluster.c.upstream_cx_total"), 1)
}

func TestAPoolThatRefusesAtOnceIsAskedAsOftenAsAllowed(t *testing.T) {
	config, path := fileLog(t)
	p := scene{proxy: "max_connect_attempts: 100, " + config, hosts: []string{nobody(t)},
		cluster: "circuit_breakers: {thresholds: [{max_pending_requests: 0}]}"}.start(t)
	ends(t, p.dial())
	same(t, "the log", p.logged(path), "URX 0 0 - - D")
	same(t, "refusals", p.counter("cluster.c.upstream_rq_pending_overflow"), 100)
}

// blackHole is an address that answers no SYN: its queue of connections is full.
func blackHole(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	unix.Listen(fd, 0)
	name, _ := unix.Getsockname(fd)
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}).String()
	for { // the queue takes one more than its length
		c, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
}

func TestAnUpstreamThatNeverAnswersIsGivenUpAtTheConnectTimeout(t *testing.T) {
	config, path := fileLog(t)
	hole := blackHole(t)
	p := scene{proxy: "max_connect_attempts: 2, " + config, cluster: "connect_timeout: 0.25s",
		hosts: []string{hole}}.start(t)
	began := time.Now()
	ends(t, p.dial())
	between(t, "two attempts of 250 ms", time.Since(began), 500*time.Millisecond)
	same(t, "the log", p.logged(path), "UF,URX 0 0 "+hole+" c D")
	same(t, "timeouts", p.counter("cluster.c.upstream_cx_connect_timeout"), 2)
}

// As in Envoy, nobody looks at the client before there is an upstream: what ends the attempt finds
// that it has left.
func TestAClientThatLeavesWhileConnectingIsFoundGoneAtTheConnectTimeout(t *testing.T) {
	p := scene{hosts: []string{blackHole(t)}, cluster: "connect_timeout: 0.25s"}.start(t)
	client := p.dial()
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 1)
	reset(client)
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
	p.becomes(p.gauge, "listener.127.0.0.1_0.downstream_cx_active", 0)
}

func TestNoRouteNoHostAndNoRoomEachCloseWithTheirFlag(t *testing.T) {
	for _, c := range []struct{ proxy, cluster, want, counter string }{
		{"cluster: unknown", "", "NR 0 0 - - D", "tcp.p.downstream_cx_no_route"},
		{"cluster: empty", "", "UH 0 0 - - D", "cluster.empty.upstream_cx_none_healthy"},
		{"cluster: c", "circuit_breakers: {thresholds: [{max_connections: 0}]}", "UO 0 0 - - D",
			"cluster.c.upstream_cx_overflow"},
	} {
		config, path := fileLog(t)
		p := scene{proxy: c.proxy + ", " + config, cluster: c.cluster, hosts: []string{"127.0.0.1:9"},
			more: "- " + cluster("empty", "")}.start(t)
		ends(t, p.dial())
		same(t, c.proxy, p.logged(path), c.want)
		same(t, c.counter, p.counter(c.counter), 1)
		p.stop()
	}
}

// between wants it to have taken that long, and on a busy machine a second more.
func between(t *testing.T, what string, took, least time.Duration) {
	t.Helper()
	if took < least || took > least+time.Second {
		t.Errorf("%s: it took %v", what, took)
	}
}

func TestASilentConnectionEndsAtTheIdleTimeout(t *testing.T) {
	u := listen(t)
	p := scene{proxy: "idle_timeout: 0.6s", hosts: []string{u.address()}}.start(t)
	client := p.dial()
	server := u.accept()
	for range 2 { // each byte, either way, is a new beginning
		time.Sleep(200 * time.Millisecond)
		io.WriteString(client, "x")
		io.ReadFull(server, make([]byte, 1))
		time.Sleep(200 * time.Millisecond)
		io.WriteString(server, "x")
		io.ReadFull(client, make([]byte, 1))
	}
	began := time.Now()
	ends(t, client)
	ends(t, server)
	between(t, "the idle timeout", time.Since(began), 590*time.Millisecond)
	same(t, "idle timeouts", p.counter("idle_timeout"), 1)
}

func TestAnIdleTimeoutOfZeroIsNone(t *testing.T) {
	u := listen(t)
	p := scene{proxy: "idle_timeout: 0s", hosts: []string{u.address()}}.start(t)
	client := p.dial()
	server := u.accept()
	io.WriteString(client, "x")
	io.ReadFull(server, make([]byte, 1))
	server.Close()
	ends(t, client)
	same(t, "idle timeouts", p.counter("idle_timeout"), 0)
}

func TestAClientThatReadsNothingIsClosedAtTheIdleTimeout(t *testing.T) {
	u := listen(t)
	p := scene{proxy: "idle_timeout: 0.3s", hosts: []string{u.address()}}.start(t)
	p.dial()
	server := u.accept()
	if _, err := io.Copy(server, newStream(1<<40)); err == nil || os.IsTimeout(err) {
		t.Errorf("the upstream's connection ended with %v", err)
	}
	p.becomes(p.gauge, "listener.127.0.0.1_0.downstream_cx_active", 0)
	same(t, "idle timeouts", p.counter("idle_timeout"), 1)
	p.conserved()
}

// conserved: read is written or discarded, when nothing is buffered any more.
func (p *server) conserved() {
	p.t.Helper()
	discarded := p.counter("bytes_discarded")
	if discarded == 0 {
		p.t.Error("nothing was discarded")
	}
	same(p.t, "bytes read", p.counter("cluster.c.upstream_cx_rx_bytes_total")+
		p.counter("downstream_cx_rx_bytes_total"), discarded+
		p.counter("downstream_cx_tx_bytes_total")+p.counter("cluster.c.upstream_cx_tx_bytes_total"))
}

// Envoy 1.17 stops the idle timer when the upstream closes; this client would stay for ever.
func TestTheIdleTimerRunsOnWhileAClosedUpstreamsBytesAreFlushed(t *testing.T) {
	const size = 20 * mib
	u := listen(t)
	p := scene{proxy: "idle_timeout: 0.3s", hosts: []string{u.address()},
		listener: "per_connection_buffer_limit_bytes: 0"}.start(t)
	p.dial()
	server := u.accept()
	same(t, "sending", <-newStream(size).send(server, nothing), error(nil))
	p.becomes(p.counter, "cluster.c.upstream_cx_rx_bytes_total", size)
	reset(server)
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
	same(t, "the client's connections", p.gauge("listener.127.0.0.1_0.downstream_cx_active"), 1)
	p.becomes(p.gauge, "listener.127.0.0.1_0.downstream_cx_active", 0)
	same(t, "idle timeouts", p.counter("idle_timeout"), 1)
	p.conserved()
}

func TestAConnectionEndsAtItsMaximumDurationInEveryState(t *testing.T) {
	u := listen(t)
	for state, c := range map[string]struct {
		host      string
		cancelled int
	}{"proxying": {u.address(), 0}, "connecting": {blackHole(t), 1}} {
		config, path := fileLog(t)
		p := scene{proxy: "max_downstream_connection_duration: 0.3s, " + config, hosts: []string{c.host}}.start(t)
		began := time.Now()
		ends(t, p.dial())
		between(t, state, time.Since(began), 290*time.Millisecond)
		if line := p.logged(path); !strings.HasPrefix(line, "DT 0 0 ") {
			t.Errorf("%s: %s is logged", state, line)
		}
		same(t, state, p.counter("max_downstream_connection_duration"), 1)
		same(t, state+", attempts cancelled", p.counter("cluster.c.upstream_rq_cancelled"), c.cancelled)
		p.stop()
	}
}

// bufferedForUpstream is a client that has sent everything and gone, and an upstream that has read
// nothing of it.
func bufferedForUpstream(t *testing.T, size int, proxy string) (*server, *net.TCPConn, *stream) {
	t.Helper()
	u := listen(t)
	p := scene{proxy: proxy, hosts: []string{u.address()},
		cluster: "per_connection_buffer_limit_bytes: 0"}.start(t)
	client := p.dial()
	server := u.accept()
	request := newStream(size)
	same(t, "sending", <-request.send(client, nothing), error(nil))
	p.becomes(p.counter, "downstream_cx_rx_bytes_total", size)
	reset(client)
	p.becomes(p.gauge, "listener.127.0.0.1_0.downstream_cx_active", 0)
	return p, server, request
}

func TestAFlushToASlowUpstreamFinishesAfterTheClientIsGone(t *testing.T) {
	const size = 50 * mib
	p, server, request := bufferedForUpstream(t, size, "")
	same(t, "flushing", p.gauge("upstream_flush_active"), 1)
	receive(t, server, request, size)
	p.becomes(p.gauge, "upstream_flush_active", 0)
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
	same(t, "flushes", p.counter("upstream_flush_total"), 1)
	same(t, "discarded", p.counter("bytes_discarded"), 0)
}

func TestAFlushThatDoesNotMoveEndsAtTheIdleTimeout(t *testing.T) {
	p, _, _ := bufferedForUpstream(t, 20*mib, "idle_timeout: 0.3s")
	p.becomes(p.gauge, "upstream_flush_active", 0)
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
	same(t, "idle timeouts", p.counter("idle_timeout"), 1)
	p.conserved()
}

func TestAStoppingServerWaitsForAFlush(t *testing.T) {
	const size = 20 * mib
	p, server, request := bufferedForUpstream(t, size, "")
	p.onMain(p.instance.Shutdown)
	p.staysFor(300 * time.Millisecond)
	receive(t, server, request, size)
}

// staysFor wants the server not to end so soon.
func (p *server) staysFor(d time.Duration) {
	p.t.Helper()
	select {
	case code := <-p.exit:
		p.stopped = true
		p.t.Fatalf("the server ended, with %d, before the upstream had read", code)
	case <-time.After(d):
	}
}

// The server waits some seconds for who takes nothing, and not for ever.
func TestAFlushWithoutAnIdleTimeoutEndsWithTheServer(t *testing.T) {
	p, server, _ := bufferedForUpstream(t, 20*mib, "idle_timeout: 0s")
	same(t, "flushing", p.gauge("upstream_flush_active"), 1)
	p.stop()
	same(t, "flushing", p.gauge("upstream_flush_active"), 0)
	if _, err := io.Copy(io.Discard, server); os.IsTimeout(err) {
		t.Error("the upstream's connection is still open")
	}
}
