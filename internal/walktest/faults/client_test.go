package faults

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
	"envoywalk/internal/walktest/load"
)

// Row 1. The upstream sends all the while.
func TestAResetOfTheClientEndsTheUpstreamWithinTenMilliseconds(t *testing.T) {
	t.Parallel()
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()}})
	const tries = 12
	var took []time.Duration
	for n := range tries {
		client := p.dial("r")
		server := u.accept()
		greet(t, client, server)
		if n == 0 {
			p.gathers()
		}
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					server.Write(make([]byte, 100))
				}
			}
		}()
		time.Sleep(5 * time.Millisecond)
		began := time.Now()
		reset(client)
		ends(t, server)
		took = append(took, time.Since(began))
		close(stop)
		server.Close()
	}
	slices.Sort(took)
	t.Logf("from the client's RST to the upstream's FIN: least %v, median %v, most %v", took[0], took[tries/2],
		took[tries-1])
	if took[0] > 10*time.Millisecond || took[tries-1] > time.Second {
		t.Errorf("it took %v", took)
	}
	p.becomes("cluster.r.upstream_cx_destroy_local_with_active_rq", tries)
	p.heals(`readv ECONNRESET C\d+`)
}

// transfer is a side that ends its half first, and another that then sends a lot.
func transfer(t *testing.T, first, second *net.TCPConn, n int) {
	t.Helper()
	request, reply := load.NewStream(uint64(n), load.Up), load.NewStream(uint64(n), load.Down)
	if err := write(first, request, 0, 1000); err != nil {
		t.Fatal(err)
	}
	first.CloseWrite()
	if err := receive(second, request, 1000, 0); err != nil {
		t.Fatalf("before the end: %v", err)
	}
	sent := send(second, reply, n)
	go func() {
		if err := <-sent; err != nil {
			t.Errorf("sending: %v", err)
		}
		second.CloseWrite()
	}()
	if err := receive(first, reply, n, 0); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// Rows 2 and 3.
func testHalfClose(t *testing.T, passedOn string, order func(client, server *net.TCPConn) (first, second *net.TCPConn)) {
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()}})
	for n, size := range []int{1000, 50 * mib} { // the first one is traced
		began := time.Now()
		client := p.dial("r")
		server := u.accept()
		greet(t, client, server)
		if n == 0 {
			first, second := order(client, server)
			transfer(t, first, second, size)
			p.gathers()
			continue
		}
		first, second := order(client, server)
		transfer(t, first, second, size)
		t.Logf("%d MiB after the FIN took %v", size/mib, time.Since(began).Round(time.Millisecond))
	}
	p.heals(passedOn)
}

func TestAReplyOfFiftyMebibytesAfterTheClientsFinArrivesWhole(t *testing.T) {
	t.Parallel()
	testHalfClose(t, `shutdown C\d+>r`,
		func(client, server *net.TCPConn) (_, _ *net.TCPConn) { return client, server })
}

func TestFiftyMebibytesForAnUpstreamThatHasSentItsFinArriveWhole(t *testing.T) {
	t.Parallel()
	testHalfClose(t, `shutdown C\d+`,
		func(client, server *net.TCPConn) (_, _ *net.TCPConn) { return server, client })
}

// Row 4. The upstream answers 1 MiB and is gone, by FIN or RST, while the client goes on sending and has read
// nothing: the proxy closes a socket with unread input, and that must not cost the client a byte.
func TestAnAnswerIsWholeThoughTheClientIsStillSendingWhenItIsClosed(t *testing.T) {
	t.Parallel()
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()}})
	for n, resets := range []bool{false, true, false, true} {
		client := p.dial("r")
		server := u.accept()
		greet(t, client, server)
		if n == 0 {
			p.gathers()
		}
		answer := load.NewStream(uint64(n), load.Down)
		before := p.stats()["cluster.r.upstream_cx_rx_bytes_total"]
		if err := write(server, answer, 0, mib); err != nil {
			t.Fatal(err)
		}
		p.becomes("cluster.r.upstream_cx_rx_bytes_total", before+mib)
		stop, sending := make(chan struct{}), sync.WaitGroup{}
		sending.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := client.Write(make([]byte, 1000)); err != nil {
						t.Errorf("sending before the answer is read: %v", err)
						return
					}
					time.Sleep(100 * time.Microsecond)
				}
			}
		})
		if resets {
			reset(server)
		} else {
			server.Close()
		}
		p.becomes("listener.127.0.0.1_0.downstream_cx_active", crowdSize)
		time.Sleep(20 * time.Millisecond) // what the client sends now, nobody wants
		close(stop)
		sending.Wait()
		if err := receive(client, answer, mib, 0); err != nil {
			t.Errorf("an upstream that resets %t: %v", resets, err)
		}
		client.Close()
	}
	p.heals(`shutdown C\d+`, `writev (EPIPE|ECONNRESET) C\d+>r|readv ECONNRESET C\d+>r`)
}

// Row 5. A thousand at once are the soak's.
func TestFiftySlowReadersHoldBackTheirUpstreamsAndTakeNoMoreMemoryThanTheirLimits(t *testing.T) {
	t.Parallel()
	const readers, limit, chunk = 50, 64 << 10, 64 << 10
	const tracing = 128 * mib // of the recorder and its file
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()},
		listener: "per_connection_buffer_limit_bytes: 65536, socket_options: " +
			"[{level: 1, name: 7, int_value: 131072, state: STATE_PREBIND}]", // SO_SNDBUF: the kernel holds less
		cluster: "per_connection_buffer_limit_bytes: 65536"})
	stop, before := make(chan struct{}), p.resident()
	var clients []*net.TCPConn
	var sent [readers]atomic.Int64
	var sending sync.WaitGroup
	for n := range readers {
		client := p.dial("r")
		client.SetReadBuffer(256 << 10)
		server := u.accept()
		greet(t, client, server)
		if n == 0 {
			p.gathers()
		}
		clients = append(clients, client)
		sending.Go(func() { sendUntil(t, server, load.NewStream(uint64(n), load.Down), &sent[n], stop) })
	}
	paused := 0
	p.eventually(func() bool {
		s := p.stats()
		paused = s["cluster.r.upstream_flow_control_paused_reading_total"] -
			s["cluster.r.upstream_flow_control_resumed_reading_total"]
		return paused == readers
	}, func() string { return "only some readers hold back their upstreams" })
	s := p.stats()
	buffered, more := s["tcp.r.downstream_cx_tx_bytes_buffered"], p.resident()-before
	if most := readers * (limit + chunk); buffered > most || buffered < readers*limit/2 {
		t.Errorf("%d bytes are buffered for %d readers, at most %d were expected", buffered, readers, most)
	}
	if more > tracing+readers*(limit+chunk) {
		t.Errorf("the process has %d MiB more than before its readers", more/mib)
	}
	p.wantNoSpin()
	close(stop)
	for n, client := range clients {
		sending.Go(func() { drainSlowly(t, client, load.NewStream(uint64(n), load.Down), &sent[n]) })
	}
	sending.Wait()
	s = p.stats()
	pauses, resumes := s["cluster.r.upstream_flow_control_paused_reading_total"],
		s["cluster.r.upstream_flow_control_resumed_reading_total"]
	if pauses != resumes || pauses < readers {
		t.Errorf("%d pauses and %d resumes", pauses, resumes)
	}
	t.Logf("%d readers: %d bytes buffered for each, %d MiB more resident, %d pauses, %d resumes", readers,
		buffered/readers, more/mib, pauses, resumes)
	p.heals(`writev EAGAIN C\d+`)
}

// sendUntil sends as fast as it may, until it is stopped; then its half is closed.
func sendUntil(t *testing.T, c *net.TCPConn, s load.Stream, sent *atomic.Int64, stop chan struct{}) {
	piece := make([]byte, 16<<10)
	for at := 0; ; {
		select {
		case <-stop:
			c.CloseWrite()
			return
		default:
		}
		s.Fill(piece, uint64(at))
		c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		n, err := c.Write(piece)
		at += n
		sent.Store(int64(at))
		if ne, ok := err.(net.Error); err != nil && !(ok && ne.Timeout()) {
			t.Errorf("sending byte %d: %v", at, err)
			return
		}
	}
}

func drainSlowly(t *testing.T, c *net.TCPConn, s load.Stream, sent *atomic.Int64) {
	p, got := make([]byte, 64<<10), 0
	for {
		time.Sleep(100 * time.Microsecond)
		n, err := c.Read(p)
		if right := s.Match(p[:n], uint64(got)); right < n {
			t.Errorf("the byte at %d is wrong", got+right)
			return
		}
		got += n
		if err == io.EOF && got == int(sent.Load()) {
			c.Close()
			return
		}
		if err != nil {
			t.Errorf("%d bytes came of %d, then %v", got, sent.Load(), err)
			return
		}
	}
}

// flushing is an upstream that has read nothing of what a client sent that is gone since.
func flushing(t *testing.T, p *proxy, u upstream, route string, n int) (*net.TCPConn, load.Stream) {
	t.Helper()
	client := p.dial(route)
	server := u.accept()
	request := load.NewStream(uint64(n), load.Up)
	if err := write(client, request, 0, n); err != nil {
		t.Fatal(err)
	}
	p.becomes("tcp."+route+".downstream_cx_rx_bytes_total", n)
	reset(client)
	return server, request
}

// Row 12.
func TestAFlushOfFiftyMebibytesToASlowUpstreamFinishesAfterTheClientIsGone(t *testing.T) {
	t.Parallel()
	const size = 50 * mib
	u := listen(t)
	r := route{name: "r", hosts: []string{u.address()}, cluster: "per_connection_buffer_limit_bytes: 0"}
	p := start(t, nil, r)
	p.gathers()
	server, request := flushing(t, p, u, "r", size)
	p.becomes("tcp.r.upstream_flush_active", 1)
	p.wantNoSpin()
	if err := receive(server, request, size, time.Millisecond); err != nil {
		t.Error(err)
	}
	server.Close()
	p.becomes("tcp.r.upstream_flush_active", 0)
	s := p.stats()
	if s["tcp.r.upstream_flush_total"] != 1 || s["tcp.r.bytes_discarded"] != 0 {
		t.Errorf("%d flushes, %d bytes discarded", s["tcp.r.upstream_flush_total"], s["tcp.r.bytes_discarded"])
	}
	p.heals()
}

// Row 12, the bound.
func TestAFlushToAnUpstreamThatNeverReadsEndsAtTheIdleTimeout(t *testing.T) {
	t.Parallel()
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()}, proxy: "idle_timeout: 1.5s",
		cluster: "per_connection_buffer_limit_bytes: 0"})
	server, _ := flushing(t, p, u, "r", 20*mib)
	p.gathers()
	p.becomes("tcp.r.idle_timeout", 1)
	p.becomes("tcp.r.upstream_flush_active", 0)
	s := p.stats()
	if s["tcp.r.idle_timeout"] != 1 || s["tcp.r.upstream_flush_total"] != 1 || s["tcp.r.bytes_discarded"] == 0 {
		t.Errorf("%d idle timeouts, %d flushes, %d bytes discarded", s["tcp.r.idle_timeout"],
			s["tcp.r.upstream_flush_total"], s["tcp.r.bytes_discarded"])
	}
	ends(t, server)
	p.heals("timer idle_timeout")
}

// unsent is how much the kernel holds that the other end has not acknowledged.
func unsent(t *testing.T, c *net.TCPConn) (n int) {
	t.Helper()
	raw, _ := c.SyscallConn()
	raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	return n
}

// delivered waits until the other end's kernel has all that was sent.
func delivered(t *testing.T, c *net.TCPConn) {
	t.Helper()
	for deadline := time.Now().Add(walktest.Patience); unsent(t, c) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes do not leave", unsent(t, c))
		}
	}
}
