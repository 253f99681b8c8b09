package upstream

import (
	"net"
	"sync"
	"testing"

	eventloop "envoywalk/chapters/00-event-loop"
	connection "envoywalk/chapters/05-connection"
)

func TestACancelledRequestIsNeverAnswered(t *testing.T) {
	port := blackHole(t)
	l := newLab(t, 1, nil, static("hole", port, "")).initialized()
	before := openFiles(t)
	s := l.ask(0, "hole")
	l.expect("hole.upstream_rq_pending_active", "1", "hole.upstream_cx_active", "1")
	s.worker.do(func() {
		s.pending.Cancel()
		s.pending.Cancel() // a second time is harmless
	})
	s.worker.do(func() {})
	select {
	case r := <-s.failed:
		t.Error("it was told of failure", r)
	default:
	}
	l.expect("hole.upstream_rq_cancelled", "1", "hole.upstream_rq_pending_active", "0",
		"hole.upstream_cx_active", "0", "hole.upstream_cx_destroy_local", "1", "hole.upstream_cx_connect_timeout", "0")
	if n := l.m.clusters[0].Info.Resources(Default).PendingRequests.Count(); n != 0 {
		t.Error(n, "pending requests are still counted")
	}
	l.eventually("the fd is closed", func() bool { return openFiles(t) <= before })
}

func TestTheBreakerOpensAtTheLimitAndClosesAgain(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(),
		", circuit_breakers: {thresholds: [{max_connections: 2, track_remaining: true}]}")).initialized()
	a, b := l.ask(0, "echo").connected(), l.ask(0, "echo").connected()
	l.expect("echo.circuit_breakers.default.cx_open", "1", "echo.circuit_breakers.default.remaining_cx", "0",
		"echo.circuit_breakers.high.cx_open", "0")
	canConnect := func() (can bool) {
		a.worker.do(func() { can = l.m.Get(a.worker.Dispatcher, "echo").CanConnect() })
		return can
	}
	if canConnect() {
		t.Error("the breaker lets a third through")
	}
	third := l.ask(0, "echo")
	third.fails(Overflow)
	if third.pending != nil || third.host != nil {
		t.Error("an overflow names a host, or can be cancelled")
	}
	l.expect("echo.upstream_cx_overflow", "1")
	a.close()
	b.close()
	l.expect("echo.circuit_breakers.default.cx_open", "0", "echo.circuit_breakers.default.remaining_cx", "2")
	if !canConnect() {
		t.Error("the breaker stays open")
	}
}

// Envoy: so that nobody starves, a pool without any connection gets one whatever the limit.
func TestAHostWithoutConnectionsGetsOneBeyondTheLimit(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 2, nil, static("echo", upstream.Port(),
		", circuit_breakers: {thresholds: [{max_connections: 1}]}")).initialized()
	l.ask(0, "echo").connected()
	l.ask(1, "echo").connected() // the other worker has none
	l.expect("echo.upstream_cx_overflow", "1", "echo.upstream_cx_active", "2")
}

func TestPendingRequestsHaveALimitOfTheirOwn(t *testing.T) {
	l := newLab(t, 1, nil, static("hole", blackHole(t),
		", circuit_breakers: {thresholds: [{max_pending_requests: 1}]}")).initialized()
	l.ask(0, "hole")
	l.expect("hole.circuit_breakers.default.rq_pending_open", "1")
	l.ask(0, "hole").fails(Overflow)
	l.expect("hole.upstream_rq_pending_overflow", "1", "hole.upstream_cx_overflow", "0")
}

func TestManyThreadsCountTheBreakersRight(t *testing.T) {
	l := newLab(t, 1, nil, static("c", 1, ", circuit_breakers: {thresholds: [{max_connections: 10}]}")).initialized()
	r := l.m.clusters[0].Info.Resources(Default).Connections
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d := eventloop.New(nil, "t")
			defer d.Close(nil)
			for range 2000 {
				if r.CanCreate(d) {
					r.Inc(d)
					r.Dec(d)
				}
			}
		})
	}
	all.Wait()
	r.Inc(l.main.Dispatcher)
	r.Dec(l.main.Dispatcher)
	if r.Count() != 0 {
		t.Error(r.Count(), "are left")
	}
	l.expect("c.circuit_breakers.default.cx_open", "0")
}

func TestManyConnectionsAtOnceAllEndAndAllAreCounted(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 2, nil, static("echo", upstream.Port(), "")).initialized()
	before := openFiles(t)
	var all []*session
	for n := range 100 {
		all = append(all, l.ask(n%2, "echo"))
	}
	for _, s := range all {
		s.connected().close()
	}
	l.expect("echo.upstream_cx_total", "100", "echo.upstream_cx_active", "0", "echo.upstream_rq_active", "0",
		"echo.upstream_cx_destroy_local", "100", "echo.upstream_cx_destroy_local_with_active_rq", "100")
	h := l.m.clusters[0].hosts[0]
	if h.Stats.CxActive.Value() != 0 || h.Stats.RqActive.Value() != 0 || h.Stats.CxTotal.Value() != 100 {
		t.Errorf("the host counts %d active, %d in all", h.Stats.CxActive.Value(), h.Stats.CxTotal.Value())
	}
	for _, w := range l.workers {
		w.do(func() {
			local := l.m.local(w.Dispatcher)
			if len(local.open)+len(local.clusters["echo"].connections) != 0 {
				t.Error("the thread still remembers connections")
			}
		})
	}
	l.eventually("all fds are closed", func() bool { return openFiles(t) <= before })
}

func TestAThreadThatEndsClosesItsConnections(t *testing.T) {
	closed := make(chan struct{})
	upstream := listen(t, func(c net.Conn) {
		c.Read(make([]byte, 1))
		close(closed)
	})
	l := newLab(t, 1, nil, static("echo", upstream.Port(), "")).initialized()
	s := l.ask(0, "echo").connected()
	s.worker.do(func() { l.i.ThreadLocal.ShutdownThread(s.worker.Dispatcher) })
	if e := next(t, "the close", s.ended); e != connection.LocalClose {
		t.Errorf("it ended with %d", e)
	}
	next(t, "the upstream's end", closed)
	l.expect("echo.upstream_cx_active", "0")
}

func TestDataThatNobodyExpectsClosesTheConnection(t *testing.T) {
	speak := make(chan struct{})
	upstream := listen(t, func(c net.Conn) {
		<-speak
		c.Write([]byte("surprise"))
	})
	l := newLab(t, 1, nil, static("c", upstream.Port(), "")).initialized()
	s := l.ask(0, "c").connected()
	s.worker.do(func() { s.upstream.SetCallbacks(nil) })
	close(speak)
	l.expect("c.upstream_cx_active", "0", "c.upstream_cx_destroy_local", "1")
	if len(s.received)+len(s.ended) > 0 {
		t.Error("the owner heard of it")
	}
}

func TestAClusterWithoutHostsIsToldApart(t *testing.T) {
	l := newLab(t, 1, nil, "  - {name: none, type: STATIC}\n").initialized()
	l.workers[0].do(func() {
		d := l.workers[0].Dispatcher
		if l.m.Get(d, "unknown") != nil {
			t.Error("there is a cluster of an unknown name")
		}
		if l.m.Get(d, "none").TCPConnPool(&session{worker: l.workers[0]}) != nil {
			t.Error("there is a pool without a host")
		}
	})
	l.expect("none.upstream_cx_none_healthy", "1", "none.lb_healthy_panic", "1", "none.membership_total", "0",
		"none.membership_change", "0")
}
