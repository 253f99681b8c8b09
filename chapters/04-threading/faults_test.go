package threading

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// wantIdle looks at the server for a moment in which it has nothing to do.
func (s *server) wantIdle() {
	s.t.Helper()
	const moment, ticks = 300 * time.Millisecond, 10 * time.Millisecond
	before, began := s.cpu(), time.Now()
	time.Sleep(moment)
	used, passed := time.Duration(s.cpu()-before)*ticks, time.Since(began)
	if used > passed/3 {
		s.t.Errorf("the server computed %v in %v of idleness: a loop spins", used, passed)
	}
}

// wantServing: the process is alive and well, and its listeners accept.
func (s *server) wantServing(addresses ...string) {
	s.t.Helper()
	for _, a := range addresses {
		for range 8 {
			isServed(s.t, dial(s.t, a))
		}
	}
	if s.get("/ready") != "LIVE\n" {
		s.t.Error("the server is not live")
	}
}

// fewestFds leaves the server no fd for anything new, and returns what gives it back its limit.
func (s *server) fewestFds() (lift func()) {
	s.t.Helper()
	open, next := s.descriptors(), 0
	for ; open[next] != ""; next++ {
	}
	var old unix.Rlimit
	if err := unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		s.t.Fatal(err)
	}
	set := func(l unix.Rlimit) {
		if err := unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, &l, nil); err != nil {
			s.t.Fatal(err)
		}
	}
	set(unix.Rlimit{Cur: uint64(next), Max: old.Max})
	return func() { set(old) }
}

func TestWithoutFdsAListenerRestsAndLosesNobody(t *testing.T) {
	set := setup{concurrency: 1, listeners: []string{anyPort("a"), anyPort("b")}}
	trace := set.traced(t, "none")
	s := set.start(t)
	at := s.addresses()
	fds, threads := s.settled()
	var spent time.Duration
	for spell := 1; spell <= 2; spell++ {
		lift := s.fewestFds()
		began, asked := time.Now(), trace.paused.Load()
		waiting := connect(t, at["a"], 5)
		eventually(t, "accepting was tried again", func() bool { return trace.paused.Load() >= asked+3 })
		s.wantIdle()
		lift()
		for _, c := range waiting {
			isServed(t, c)
		}
		spent += time.Since(began)
		s.wantServing(at["a"], at["b"])
		if n := s.said(`listener 'a' pauses accepting: Too many open files`); n != spell {
			t.Errorf("it was said %d times in %d spells", n, spell)
		}
	}
	s.wantBackTo(fds, threads)
	paused := s.stat("accept_paused")
	s.stop()
	failed := 0
	<-trace.ended
	for _, a := range trace.accepts {
		if a.errno == "EMFILE" {
			failed++
		}
	}
	if most := int(spent/retryAfter) + 2; failed > most || failed < 6 || failed != paused {
		t.Errorf("accept4 failed %d times in %v and was counted %d times, want 6 to %d", failed,
			spent, paused, most)
	}
	t.Logf("%d accepts failed in %v without an fd", failed, spent.Round(time.Millisecond))
}

func TestWantOfMemoryPausesAnAcceptLoop(t *testing.T) {
	s := setup{concurrency: 1, lab: []string{"hold"}, listeners: []string{anyPort("a"), anyPort("b")}}.start(t)
	at := s.addresses()
	fds, threads := s.settled()
	var clients []net.Conn
	for n, errno := range exhausting {
		s.tell("script accept4 " + errno + " 0 2")
		clients = append(clients, dial(t, at["a"]))
		s.wantHeld(2*n + 1)
		s.wantStat("accept_paused", 2*(n+1))
		clients = append(clients, dial(t, at["b"]))
		s.wantHeld(2*n + 2)
	}
	if n := s.said("pauses accepting"); n != len(exhausting) {
		t.Errorf("it was said %d times in %d spells", n, len(exhausting))
	}
	s.wantStat("accept_skipped", 0)
	s.wantAllGone(clients, fds, threads)
	s.stop()
}

func TestAPeerThatIsGoneDoesNotEndTheAcceptLoop(t *testing.T) {
	s := setup{concurrency: 1, lab: []string{"hold"}, listeners: []string{anyPort("a"), anyPort("b")}}.start(t)
	at := s.addresses()
	fds, threads := s.settled()
	var clients []net.Conn
	gone := []string{"EINTR", "ECONNABORTED", "EPROTO", "EPERM", "ENOTSUP", "ENETDOWN", "ENETUNREACH",
		"EHOSTDOWN", "EHOSTUNREACH", "ENOPROTOOPT", "ENONET"}
	for n, errno := range gone {
		s.tell("script accept4 " + errno + " 0 3")
		clients = append(clients, dial(t, at["a"]))
		s.wantHeld(n + 1)
		s.wantStat("accept_skipped", 3*(n+1))
	}
	const more = 3*maxSkips + 1 // than one event may skip
	s.tell(fmt.Sprintf("script accept4 ECONNABORTED 0 %d", more))
	clients = append(clients, connect(t, at["a"], 4)...)
	s.wantHeld(len(gone) + 4)
	clients = append(clients, connect(t, at["b"], 4)...)
	s.wantHeld(len(gone) + 8)
	s.wantStat("accept_skipped", 3*len(gone)+more)
	s.wantStat("accept_paused", 0)
	s.wantAllGone(clients, fds, threads)
	s.stop()
}

// wantAllGone: when the clients have left, nothing is held for them.
func (s *server) wantAllGone(clients []net.Conn, fds, threads int) {
	s.t.Helper()
	for _, c := range clients {
		c.Close()
	}
	s.wantHeld(0)
	s.wantBackTo(fds, threads)
}

func TestAnAcceptThatCanNeverWorkEndsOnlyItsListener(t *testing.T) {
	s := setup{concurrency: 1, lab: []string{"hold"}, flags: drainAtOnce,
		listeners: []string{anyPort("a"), anyPort("b")}}.start(t)
	at := s.addresses()
	s.tell("script accept4 EINVAL 0 1")
	dial(t, at["a"])
	s.WaitFor("listener 'a' cannot accept any more: Invalid argument")
	dial(t, at["a"])
	s.wantIdle()
	s.tell("stop-accepting true") // pausing and resuming what has ended changes nothing
	s.tell("stop-accepting false")
	connect(t, at["b"], 3)
	s.wantHeld(3)
	if n := s.said("cannot accept any more"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	s.tell("remove a")
	s.wantStat("total_listeners_draining", 0)
	wantRefused(t, at["a"])
	s.stop()
}

// Two may bind to one port if both say SO_REUSEADDR; the second to listen is refused. Envoy 1.17
// does not look.
func TestAPortThatIsStolenBeforeListen(t *testing.T) {
	port := freePort(t)
	s := setup{concurrency: 2, lab: []string{"hold", "steal"}, flags: drainAtOnce, listeners: []string{
		tcp("stolen", "127.0.0.1", port), anyPort("b")}}.start(t)
	s.WaitFor(fmt.Sprintf("cannot listen on '127.0.0.1:%d': Address already in use", port))
	s.wantStat("listener_create_failure", 1)
	s.wantStat("total_listeners_active", 1)
	s.wantStat("total_listeners_draining", 0)
	if n := s.said("listener 'stolen' failed to listen on address"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	thief := listeningAt(t, fmt.Sprintf("127.0.0.1:%d", port))
	if len(thief) != 1 || thief[0].backlog != 1 {
		t.Fatalf("%v listen, want the thief alone", thief)
	}
	fds := s.boundTo(port)
	if len(fds) != 1 || fds[0] != s.fdsOf(thief[0].inode)[0] {
		t.Fatalf("fds %v are bound to the port, want the thief's alone", fds)
	}
	for _, entries := range s.epolls() {
		for _, w := range entries {
			if w.fd == fds[0] {
				t.Errorf("fd %d of the thief is watched", w.fd)
			}
		}
	}
	for range 100 {
		s.get("/ready")
	}
	s.wantIdle()
	connect(t, s.addresses()["b"], 4)
	s.wantHeld(4)
	s.stop()
}

// boundTo are the server's fds that have the port.
func (s *server) boundTo(port int) (fds []int) {
	s.t.Helper()
	for fd, what := range s.descriptors() {
		if !strings.HasPrefix(what, "socket:") {
			continue
		}
		s.borrow(fd, func(own int) {
			name, _ := unix.Getsockname(own)
			if v4, ok := name.(*unix.SockaddrInet4); ok && v4.Port == port &&
				v4.Addr == netip.MustParseAddr("127.0.0.1").As4() {
				fds = append(fds, fd)
			}
		})
	}
	return fds
}

func TestOneWorkersFailureTakesTheListenerFromAll(t *testing.T) {
	for _, c := range []struct{ what, script, more, why string }{
		// The admin listens first; the third call is some worker's.
		{"listen", "script listen EADDRINUSE 2 1", "reuse_port: true",
			"cannot listen on .*: Address already in use"},
		{"copy", "script fcntl EMFILE 1 1", "reuse_port: false",
			"cannot duplicate the socket of .*: Too many open files"},
		// Main sets two options and each worker but one three: whose twelfth it is, it is the one
		// after listen.
		{"option", "script setsockopt ENOMEM 11 1", "reuse_port: true, tcp_fast_open_queue_length: 5",
			"cannot set post-listen socket option on socket"},
		// Main, four workers and two guard dogs watch their eventfds, and the admin its port: the
		// tenth call is some worker's.
		{"watch", "script epoll_ctl ENOSPC 9 1", "reuse_port: true",
			"cannot watch .*: No space left on device"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := setup{concurrency: workers, lab: []string{"hold", c.script}, flags: drainAtOnce,
				listeners: []string{anyPort("a", c.more)}}.start(t)
			if n := s.said("failed to add listener on worker: " + c.why); n != 1 {
				t.Errorf("%d workers said why, want the one:\n%s", n, s.Stderr)
			}
			s.wantStat("listener_create_failure", 1)
			s.wantStat("listener_create_success", workers-1)
			s.wantStat("total_listeners_active", 0)
			s.wantStat("total_listeners_draining", 0)
			s.wantStat("workers_started", 1)
			s.wantIdle()
			s.tell("add " + lateListener)
			s.wantStat("listener_create_success", 2*workers-1)
			dial(t, s.addresses()["late"])
			s.wantHeld(1)
			s.stop()
		})
	}
}
