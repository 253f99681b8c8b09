package filterchain

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/chapters/05-connection/buffer"
)

// The most that one read may add to a buffer that is not yet full.
const readChunk = 5 * buffer.SlabSize

func TestAnAnswerAfterTheClientsEndOfStreamArrivesWhole(t *testing.T) {
	const size = 50 * mib
	u := listen(t)
	p := scene{hosts: []string{u.address()}}.start(t)
	client := p.dial()
	server := u.accept()
	client.CloseWrite()
	ends(t, server) // the FIN has come through
	answer := newStream(size)
	sent := answer.send(server, server.CloseWrite)
	receive(t, client, answer, size)
	same(t, "sending", <-sent, error(nil))
	p.becomes(p.gauge, "listener.127.0.0.1_0.downstream_cx_active", 0)
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
	same(t, "bytes sent", p.counter("downstream_cx_tx_bytes_total"), size)
	same(t, "bytes discarded", p.counter("bytes_discarded"), 0)
}

func TestARequestAfterTheUpstreamsEndOfStreamArrivesWhole(t *testing.T) {
	const size = 50 * mib
	u := listen(t)
	p := scene{hosts: []string{u.address()}}.start(t)
	client := p.dial()
	server := u.accept()
	server.CloseWrite()
	ends(t, client)
	request := newStream(size)
	sent := request.send(client, client.CloseWrite)
	receive(t, server, request, size)
	same(t, "sending", <-sent, error(nil))
	p.becomes(p.gauge, "listener.127.0.0.1_0.downstream_cx_active", 0)
	same(t, "bytes received", p.counter("downstream_cx_rx_bytes_total"), size)
}

func TestBytesBeforeTheUpstreamIsConnectedWaitAndArrive(t *testing.T) {
	u := listen(t)
	p := scene{hosts: []string{nobody(t), u.address()}, proxy: "max_connect_attempts: 2"}.start(t)
	for range 2 { // whichever host is first
		client := p.dial()
		request := newStream(mib)
		sent := request.send(client, client.CloseWrite)
		receive(t, u.accept(), request, mib)
		same(t, "sending", <-sent, error(nil))
	}
}

// Both directions have ended, and only then does the upstream read. Envoy 1.17 closes both sides
// as soon as the upstream's FIN is sent on, and what waits for the upstream is lost.
func TestAnUpstreamThatEndsFirstAndReadsLateGetsEverything(t *testing.T) {
	const size = 20 * mib
	u := listen(t)
	p := scene{hosts: []string{u.address()}, cluster: "per_connection_buffer_limit_bytes: 0"}.start(t)
	client := p.dial()
	server := u.accept()
	request := newStream(size)
	same(t, "sending", <-request.send(client, client.CloseWrite), error(nil))
	p.becomes(p.counter, "downstream_cx_rx_bytes_total", size)
	server.CloseWrite()
	ends(t, client)
	p.becomes(p.gauge, "upstream_flush_active", 1)
	receive(t, server, request, size)
	p.becomes(p.gauge, "upstream_flush_active", 0)
	same(t, "bytes discarded", p.counter("bytes_discarded"), 0)
}

func TestWhatAnUpstreamSentBeforeItsResetIsDelivered(t *testing.T) {
	const size = 8 * mib
	u := listen(t)
	p := scene{hosts: []string{u.address()}, listener: "per_connection_buffer_limit_bytes: 0"}.start(t)
	client := p.dial()
	server := u.accept()
	answer := newStream(size)
	same(t, "sending", <-answer.send(server, nothing), error(nil))
	p.becomes(p.counter, "cluster.c.upstream_cx_rx_bytes_total", size)
	server.SetLinger(0)
	server.Close()
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
	receive(t, client, answer, size)
}

// An upstream that answers and closes without reading the request resets. What it sent before is in the
// proxy's kernel, or waits behind a client that is slow: Envoy 1.17 gives the former up.
func TestAnAnswerThatIsAheadOfASlowClientOutlivesItsUpstreamsReset(t *testing.T) {
	const small = "per_connection_buffer_limit_bytes: 16384"
	u := listen(t)
	p := scene{hosts: []string{u.address()}, listener: small, cluster: small, quiet: true}.start(t)
	client := p.dial()
	client.SetReadBuffer(64 << 10)
	server := u.accept()
	go io.Copy(struct{ io.Writer }{client}, newStream(1<<40)) // until it is closed
	answer, sent := make([]byte, 8192), 0
	server.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	for n, err := 0, error(nil); err == nil; sent += n {
		n, err = server.Write(answer)
	}
	p.eventually("the request is on its way", func() bool {
		return p.counter("cluster.c.upstream_cx_tx_bytes_total") > 0
	})
	raw, _ := server.SyscallConn()
	raw.Control(func(fd uintptr) {
		waits, _ := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) // in the upstream's own kernel
		sent -= waits
	})
	server.Close()
	if got, err := io.Copy(io.Discard, client); int(got) < sent {
		t.Errorf("%d of %d bytes came, then %v", got, sent, err)
	}
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
}

const limited = "per_connection_buffer_limit_bytes: 131072"

// flow is a direction that is watched while it has a slow reader.
type flow struct {
	*server
	paused, resumed string // counters
	buffered        string // a gauge
}

// isBounded sends much through the flow, to a reader that begins to read when the proxy has stopped
// to. What waits in the proxy meanwhile is never more than the limit and what one event reads, which
// has the same limit.
func (f flow) isBounded(from, to *net.TCPConn) {
	t := f.t
	const size, limit = 40 * mib, 128 << 10
	data, most, done := newStream(size), make(chan int), make(chan struct{})
	sent := data.send(from, nothing)
	f.eventually("reading pauses", func() bool { return f.counter(f.paused) > f.counter(f.resumed) })
	go func() {
		highest := 0
		for {
			select {
			case <-done:
				most <- highest
				return
			default:
				highest = max(highest, f.gauge(f.buffered))
			}
		}
	}()
	receive(t, io.LimitReader(to, size), data, size)
	close(done)
	same(t, "sending", <-sent, error(nil))
	if highest := <-most; highest > 2*limit+readChunk {
		t.Errorf("%d bytes were buffered, the limit is %d", highest, limit)
	}
	f.becomes(f.gauge, f.buffered, 0)
	same(t, "resumed", f.counter(f.resumed), f.counter(f.paused))
}

func TestASlowClientPausesTheUpstreamOnlyAsLongAsItIsSlow(t *testing.T) {
	u := listen(t)
	p := scene{hosts: []string{u.address()}, listener: limited, cluster: limited}.start(t)
	client := p.dial()
	flow{p, "cluster.c.upstream_flow_control_paused_reading_total",
		"cluster.c.upstream_flow_control_resumed_reading_total",
		"downstream_cx_tx_bytes_buffered"}.isBounded(u.accept(), client)
}

func TestASlowUpstreamPausesTheClientOnlyAsLongAsItIsSlow(t *testing.T) {
	u := listen(t)
	p := scene{hosts: []string{u.address()}, listener: limited, cluster: limited}.start(t)
	client := p.dial()
	flow{p, "downstream_flow_control_paused_reading_total", "downstream_flow_control_resumed_reading_total",
		"cluster.c.upstream_cx_tx_bytes_buffered"}.isBounded(client, u.accept())
}

func TestBothDirectionsAtOnceAreByteExact(t *testing.T) {
	const size = 20 * mib
	u := listen(t)
	p := scene{hosts: []string{u.address()}}.start(t)
	client := p.dial()
	server := u.accept()
	there, back := newStream(size), newStream(size+1)
	sentThere, sentBack := there.send(client, client.CloseWrite), back.send(server, server.CloseWrite)
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		receive(t, server, there, size)
	}()
	receive(t, client, back, size+1)
	<-arrived
	same(t, "sending there", <-sentThere, error(nil))
	same(t, "sending back", <-sentBack, error(nil))
	p.becomes(p.gauge, "cluster.c.upstream_cx_active", 0)
	p.becomes(p.gauge, "listener.127.0.0.1_0.downstream_cx_active", 0) // a byte is counted after it has come
	same(t, "read", p.counter("downstream_cx_rx_bytes_total"), p.counter("cluster.c.upstream_cx_tx_bytes_total"))
	same(t, "written", p.counter("downstream_cx_tx_bytes_total"), p.counter("cluster.c.upstream_cx_rx_bytes_total"))
}

// A server that stops lets each side have what it has read from the other.
func TestAStoppingServerSendsOnWhatItHasRead(t *testing.T) {
	const size = 20 * mib
	u := listen(t)
	const unlimited = "per_connection_buffer_limit_bytes: 0"
	p := scene{hosts: []string{u.address()}, listener: unlimited, cluster: unlimited}.start(t)
	client := p.dial()
	server := u.accept()
	there, back := newStream(size), newStream(size+1)
	same(t, "sending there", <-there.send(client, nothing), error(nil))
	same(t, "sending back", <-back.send(server, nothing), error(nil))
	p.becomes(p.counter, "downstream_cx_rx_bytes_total", size)
	p.becomes(p.counter, "cluster.c.upstream_cx_rx_bytes_total", size+1)
	p.onMain(p.instance.Shutdown)
	receive(t, client, back, size+1)
	client.Close()
	p.staysFor(300 * time.Millisecond)
	receive(t, server, there, size)
}

func TestAStoppingServerWaitsForNobodyWhoHasEverything(t *testing.T) {
	u := listen(t)
	for state, host := range map[string]string{"proxying": u.address(), "connecting": blackHole(t)} {
		p := scene{hosts: []string{host}}.start(t)
		client := p.dial()
		p.becomes(p.gauge, "cluster.c.upstream_cx_active", 1)
		began := time.Now()
		p.onMain(p.instance.Shutdown)
		ends(t, client)
		client.Close()
		p.stop()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: it took %v to stop", state, took)
		}
	}
}

// reset closes with an RST and not a FIN.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}
