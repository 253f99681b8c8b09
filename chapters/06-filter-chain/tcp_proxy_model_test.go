package filterchain

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"envoywalk/internal/kernel"
)

// party is one end of a proxied connection, which does at random what ends do. What it sends is keyed:
// the other end knows what must come.
type party struct {
	conn      *net.TCPConn
	out, in   *rand.ChaCha8
	sent, got int
	fin       bool // it has ended its direction
	gone      bool // it has closed
	reset     bool // and by an RST, which may overtake what it sent
	polite    bool // it never does that
	sawEnd    bool
	err       error // what came was not what was sent, or never came
}

func newParties(key byte) (client, server *party) {
	stream := func(k byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{key, k}) }
	return &party{out: stream(1), in: stream(2)}, &party{out: stream(2), in: stream(1)}
}

// write sends as much of n bytes as the kernel takes in a moment.
func (p *party) write(n int) {
	if p.fin || p.gone {
		return
	}
	before := *p.out
	b := make([]byte, n)
	p.out.Read(b)
	p.conn.SetWriteDeadline(time.Now().Add(3 * time.Millisecond))
	took, _ := p.conn.Write(b)
	if *p.out = before; took > 0 {
		p.out.Read(b[:took]) // ChaCha8 gives the same bytes again
	}
	p.sent += took
}

// read takes at most n bytes, and wants them to be the next ones.
func (p *party) read(n int, patience time.Duration) (more bool) {
	if p.gone || p.sawEnd {
		return false
	}
	b := make([]byte, n)
	p.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := p.conn.Read(b)
	want := make([]byte, n)
	if p.in.Read(want); !bytes.Equal(b[:n], want) && p.err == nil {
		p.err = fmt.Errorf("other bytes came after %d", p.got)
	}
	p.got += n
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		p.sawEnd = true
	}
	return err == nil
}

func (p *party) closeWrite() {
	if !p.gone {
		p.fin = true
		p.conn.CloseWrite()
	}
}

func (p *party) close(linger int) {
	if !p.gone && !p.polite {
		p.gone, p.reset = true, linger == 0
		p.conn.SetLinger(linger)
		p.conn.Close()
	}
}

// act is one thing that an end may do.
func (p *party) act(r *rand.Rand) {
	sizes := [...]int{1, 100, 5000, 64 << 10, 1 << 20}
	switch dice := r.IntN(100); {
	case dice < 42:
		p.write(1 + r.IntN(sizes[r.IntN(len(sizes))]))
	case dice < 84:
		p.read(1+r.IntN(sizes[r.IntN(len(sizes))]), time.Millisecond)
	case dice < 93:
		time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
	case dice < 96:
		p.closeWrite()
	case dice < 98:
		p.close(-1)
	case dice < 99:
		p.close(0) // RST
	}
}

// finish ends its direction and takes all that still comes.
func (p *party) finish() {
	p.closeWrite()
	for p.read(256<<10, 20*time.Second) {
	}
	if !p.gone && !p.sawEnd && p.err == nil {
		p.err = fmt.Errorf("no end came after %d bytes", p.got)
	}
}

// meets connects the client, and finds the upstream's end of its connection.
func (p *party) meets(other *party, through *server, u upstreamServer, r *rand.Rand, begin *sync.Mutex) {
	begin.Lock()
	defer begin.Unlock()
	p.conn = through.dial()
	for range r.IntN(4) { // before there is an upstream
		p.act(r)
	}
	other.conn = u.accept()
}

// mustArrive: all that from sent, as long as to is there to take it and nothing was sent to from that
// it may not have read when it closed: the kernel then resets.
func mustArrive(from, to *party) bool {
	return !to.gone && !from.reset && (!from.gone || to.sent == 0)
}

// play is one connection from its beginning to its end. begin matches the upstream's end to the client's.
func play(p *server, u upstreamServer, key byte, r *rand.Rand, begin *sync.Mutex) error {
	client, server := newParties(key)
	client.meets(server, p, u, r, begin)
	defer client.conn.Close()
	defer server.conn.Close()
	for range r.IntN(60) {
		[...]*party{client, server}[r.IntN(2)].act(r)
	}
	var both sync.WaitGroup
	both.Go(client.finish)
	both.Go(server.finish)
	both.Wait()
	told := fmt.Sprintf("client sent %d got %d gone %t; upstream sent %d got %d gone %t", client.sent, client.got,
		client.gone, server.sent, server.got, server.gone)
	switch {
	case client.err != nil || server.err != nil:
		return fmt.Errorf("%v, %v: %s", client.err, server.err, told)
	case server.got > client.sent || client.got > server.sent:
		return errors.New("more came than was sent: " + told)
	case mustArrive(client, server) && server.got < client.sent,
		mustArrive(server, client) && client.got < server.sent:
		return errors.New("bytes are lost: " + told)
	}
	return nil
}

// conserves asks for what must hold when every connection has ended, whatever happened to it.
func (p *server) conserves(connections int) {
	p.t.Helper()
	for _, gauge := range []string{"listener.127.0.0.1_0.downstream_cx_active", "upstream_flush_active",
		"listener.127.0.0.1_0.downstream_pre_cx_active", "downstream_cx_rx_bytes_buffered",
		"downstream_cx_tx_bytes_buffered", "cluster.c.upstream_cx_active", "cluster.c.upstream_rq_active",
		"cluster.c.upstream_rq_pending_active", "cluster.c.upstream_cx_rx_bytes_buffered",
		"cluster.c.upstream_cx_tx_bytes_buffered"} {
		p.becomes(p.gauge, gauge, 0)
	}
	for _, counter := range []string{"downstream_cx_total", "listener.127.0.0.1_0.downstream_cx_total",
		"listener.127.0.0.1_0.downstream_cx_destroy", "cluster.c.upstream_cx_total",
		"cluster.c.upstream_cx_destroy"} {
		same(p.t, counter, p.counter(counter), connections)
	}
	same(p.t, "lent or failed", p.counter("cluster.c.upstream_rq_total")+ // by an upstream that resets at once
		p.counter("cluster.c.upstream_cx_connect_fail"), connections)
	same(p.t, "flushes", p.counter("upstream_flush_total") <= connections, true)
	same(p.t, "bytes read", p.counter("downstream_cx_rx_bytes_total")+p.counter("cluster.c.upstream_cx_rx_bytes_total"),
		p.counter("cluster.c.upstream_cx_tx_bytes_total")+p.counter("downstream_cx_tx_bytes_total")+
			p.counter("bytes_discarded"))
	for _, flow := range []string{"tcp.p.downstream_flow_control_", "cluster.c.upstream_flow_control_"} {
		open := p.counter(flow+"paused_reading_total") - p.counter(flow+"resumed_reading_total")
		if open < 0 || open > connections {
			p.t.Errorf("%s: %d more pauses than resumptions of %d connections", flow, open, connections)
		}
	}
}

// Whatever two ends do, in whatever order: bytes arrive as they were sent, those of an end that ended
// decently all of them; both ends see the end; nothing is left over, and every byte is accounted for.
func TestWhateverTwoEndsDoTheProxyKeepsItsLaws(t *testing.T) {
	limit := func(n string) string { return "per_connection_buffer_limit_bytes: " + n }
	for name, scene := range map[string]scene{
		"ordinary limits": {},
		"small limits":    {listener: limit("3000"), cluster: limit("70000")},
		"no limits":       {listener: limit("0"), cluster: limit("0")},
		"a balancer":      {workers: 3, listener: "connection_balance_config: {exact_balance: {}}"},
	} {
		t.Run(name, func(t *testing.T) { scene.playsAtRandom(t, 120) })
	}
	for name, answer := range map[string]struct {
		ret   int
		errno kernel.Errno
	}{"short calls": {1000, kernel.AtMost}, "no memory": {-1, kernel.ENOBUFS}, "signals": {-1, kernel.EINTR}} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			t.Cleanup(kernel.SetScript(func(call string, _, _ int) (int, kernel.Errno, bool) {
				return answer.ret, answer.errno, (call == "readv" || call == "writev") && n.Add(1)%3 == 0
			}))
			scene{listener: limited}.playsAtRandom(t, 60)
		})
	}
}

func (s scene) playsAtRandom(t *testing.T, connections int) {
	if os.Getenv("ENVOYWALK_SOAK") != "" {
		connections *= 50
	}
	const atOnce = 12
	u := listen(t)
	s.hosts, s.quiet = []string{u.address()}, true
	p := s.start(t)
	before, seed := openFDs(t), rand.Uint64()
	var begin sync.Mutex
	var all sync.WaitGroup
	for n := range atOnce {
		all.Go(func() {
			for i := n; i < connections && !t.Failed(); i += atOnce {
				if err := play(p, u, byte(i), rand.New(rand.NewPCG(seed, uint64(i))), &begin); err != nil {
					t.Errorf("seed %d, connection %d: %v", seed, i, err)
				}
			}
		})
	}
	all.Wait()
	if !t.Failed() {
		p.conserves(connections)
	}
	p.eventually("no fd is left over", func() bool { return openFDs(t) == before })
}

// A server that stops while much is on its way: what it has written to either end arrives there, and what
// it has read is written, for ends that take it.
func TestAServerThatStopsInTheMiddleLosesNoByteThatItHadRead(t *testing.T) {
	const connections = 24
	for range 4 {
		u := listen(t)
		p := scene{listener: limited, cluster: limited, hosts: []string{u.address()}, quiet: true}.start(t)
		before, seed := openFDs(t), rand.Uint64()
		var begin sync.Mutex
		var all sync.WaitGroup
		parties := [connections][2]*party{}
		for i := range connections {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			client, server := newParties(byte(i))
			client.polite, server.polite, parties[i] = true, true, [...]*party{client, server}
			client.meets(server, p, u, r, &begin)
			all.Go(func() {
				for range 10 + r.IntN(60) {
					parties[i][r.IntN(2)].act(r)
				}
				all.Go(client.finish)
				server.finish()
			})
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		p.stop()
		all.Wait()
		p.hasWrittenAll(parties[:], seed)
		for _, one := range parties {
			one[0].conn.Close()
			one[1].conn.Close()
		}
		same(t, "fds", openFDs(t) <= before, true)
	}
}

// hasWrittenAll compares what the proxy says it has written with what came.
func (p *server) hasWrittenAll(parties [][2]*party, seed uint64) {
	p.t.Helper()
	client, server := 0, 0
	for i, one := range parties {
		if one[0].err != nil || one[1].err != nil {
			p.t.Errorf("seed %d, connection %d: %v, %v", seed, i, one[0].err, one[1].err)
		}
		client, server = client+one[0].got, server+one[1].got
	}
	same(p.t, "what came to the clients", client, p.counter("downstream_cx_tx_bytes_total"))
	same(p.t, "what came to the upstreams", server, p.counter("cluster.c.upstream_cx_tx_bytes_total"))
	same(p.t, "discarded", p.counter("bytes_discarded"), 0)
	p.conserves(len(parties))
}
