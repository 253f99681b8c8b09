package threading

import (
	"fmt"
	"net"
	"regexp"
	"testing"
)

// held are the connections that the laboratory holds, by number, and which worker has each.
func (s *server) held() map[string]string {
	all := map[string]string{}
	said := regexp.MustCompile(`(\w+) (holds|lets) (C\d+)`)
	for _, m := range said.FindAllStringSubmatch(s.Stdout.String(), -1) {
		if all[m[3]] = m[1]; m[2] == "lets" {
			delete(all, m[3])
		}
	}
	return all
}

func (s *server) wantHeld(n int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d connections are held", n), func() bool { return len(s.held()) == n })
}

// connect opens n connections, one after the other.
func connect(t *testing.T, address string, n int) (all []net.Conn) {
	t.Helper()
	for range n {
		all = append(all, dial(t, address))
	}
	return all
}

func TestBeyondTheGlobalLimitTheAcceptedAreClosed(t *testing.T) {
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{anyPort("a"), anyPort("b")},
		runtime: "overload.global_downstream_max_connections: 5"}.start(t)
	at := s.addresses()
	first := connect(t, at["a"], 3)
	connect(t, at["b"], 2)
	s.wantHeld(5)
	for _, c := range append(connect(t, at["a"], 2), connect(t, at["b"], 1)...) {
		isServed(t, c)
	}
	if _, err := s.admin.Get("http://admin/ready"); err == nil {
		t.Error("the admin is served beyond the limit: 1.17 makes no exception for it")
	}
	first[0].Close()
	s.wantHeld(4)
	if got := s.stat("downstream_global_cx_overflow"); got < 3 {
		t.Errorf("downstream_global_cx_overflow %d, want the 3 that were closed, and the admin's own", got)
	}
	dial(t, at["b"])
	s.wantHeld(5)
	s.stop()
}

func TestOneListenersLimitLeavesTheOthersAlone(t *testing.T) {
	for name, more := range map[string]string{"nop": "traffic_direction: INBOUND",
		"exact": "connection_balance_config: {exact_balance: {}}"} {
		t.Run(name, func(t *testing.T) {
			s := setup{concurrency: workers, lab: []string{"hold"}, listeners: []string{
				anyPort("few", more), anyPort("many")},
				runtime: "envoy.resource_limits.listener.few.connection_limit: 2"}.start(t)
			at := s.addresses()
			few := connect(t, at["few"], 2)
			s.wantHeld(2)
			for _, c := range connect(t, at["few"], 3) {
				isServed(t, c)
			}
			connect(t, at["many"], 6)
			s.wantHeld(8)
			s.wantStat("downstream_cx_overflow", 3)
			few[1].Close()
			s.wantHeld(7)
			dial(t, at["few"])
			s.wantHeld(8)
			s.stop()
		})
	}
}

// TestALimitOfZeroLetsNobodyIn: only a limit that nobody set is none. A global one keeps out the admin's
// clients too, so nobody can be asked.
func TestALimitOfZeroLetsNobodyIn(t *testing.T) {
	for _, key := range []string{"overload.global_downstream_max_connections",
		"envoy.resource_limits.listener.a.connection_limit"} {
		t.Run(key, func(t *testing.T) {
			port := freePort(t)
			s := setup{concurrency: 2, lab: []string{"hold"}, runtime: key + ": 0",
				listeners: []string{tcp("a", "127.0.0.1", port)}}.start(t)
			for _, c := range connect(t, fmt.Sprintf("127.0.0.1:%d", port), 3) {
				isServed(t, c)
			}
			s.stop()
		})
	}
}

func TestTheGreatestLimitLetsEverybodyIn(t *testing.T) {
	for _, key := range []string{"overload.global_downstream_max_connections",
		"envoy.resource_limits.listener.a.connection_limit"} {
		t.Run(key, func(t *testing.T) {
			s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{anyPort("a")},
				runtime: key + `: "18446744073709551615"`}.start(t)
			connect(t, s.addresses()["a"], 3)
			s.wantHeld(3)
			s.stop()
		})
	}
}

func TestARejectFractionOfOneClosesEverybody(t *testing.T) {
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{anyPort("a")}}.start(t)
	address := s.addresses()["a"]
	dial(t, address)
	s.wantHeld(1)
	s.tell("reject 1.0")
	for _, c := range connect(t, address, 7) {
		isServed(t, c)
	}
	s.tell("reject 0")
	dial(t, address)
	s.wantHeld(2)
	s.wantStat("downstream_cx_overload_reject", 7)
	s.stop()
}

func TestAPausedListenerLosesNobody(t *testing.T) {
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{anyPort("a"),
		anyPort("b", "reuse_port: true")}}.start(t)
	at := s.addresses()
	s.wantWatchedListenFds(4)
	s.tell("stop-accepting true")
	s.wantWatchedListenFds(0)
	connect(t, at["a"], 5)
	connect(t, at["b"], 5)
	queued := 0
	for _, l := range append(listeningAt(t, at["a"]), listeningAt(t, at["b"])...) {
		queued += int(l.queued)
	}
	if queued != 10 || len(s.held()) != 0 {
		t.Errorf("%d wait in the kernel's queues and %d are held, want 10 and none", queued,
			len(s.held()))
	}
	s.tell("add " + lateListener)
	late := s.addresses()["late"]
	s.wantStat("listener_create_success", 6)
	s.wantWatchedListenFds(0)
	dial(t, late)
	s.tell("stop-accepting false")
	s.wantWatchedListenFds(6)
	s.wantHeld(11)
	s.stop()
}

const lateListener = `{"name": "late", "filter_chains": [{}], ` +
	`"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}`

// wantWatchedListenFds: so many of the fds that listen are in some worker's epoll. One that rests
// is in none: the kernel would go on to report its errors.
func (s *server) wantWatchedListenFds(want int) {
	s.t.Helper()
	watched, got := map[int]bool{}, 0
	for _, entries := range s.epolls() {
		for _, w := range entries {
			watched[w.fd] = true
		}
	}
	for _, address := range s.addresses() {
		for _, l := range listeningAt(s.t, address) {
			for _, fd := range s.fdsOf(l.inode) {
				if watched[fd] {
					got++
				}
			}
		}
	}
	if got != want {
		s.t.Errorf("%d listen fds are watched, want %d", got, want)
	}
}

func TestAnEventAcceptsNoMoreThanItsShare(t *testing.T) {
	set := setup{concurrency: 1, lab: []string{"hold"}, listeners: []string{
		anyPort("a", "max_connections_to_accept_per_socket_event: 3")}}
	trace := set.traced(t, "TcpListenerImpl::onSocketEvent", "IoSocketHandleImpl::accept", "accept4")
	s := set.start(t)
	address := s.addresses()["a"]
	s.tell("stop-accepting true")
	connect(t, address, 20)
	s.tell("stop-accepting false")
	s.wantHeld(20)
	s.stop()
	perEvent, event := map[string]int{}, map[string]string{}
	all := trace.all()
	for _, a := range byName(all, "IoSocketHandleImpl::accept") {
		event[a.SpanContext.SpanID] = a.Parent.SpanID
	}
	for _, a := range byName(all, "accept4") {
		if a.acceptedByWorker() {
			perEvent[event[a.Parent.SpanID]]++
		}
	}
	accepted := 0
	for _, n := range perEvent {
		if accepted += n; n > 3 {
			t.Errorf("one event accepted %d, want 3 at most", n)
		}
	}
	if accepted != 20 || len(perEvent) < 7 {
		t.Errorf("%d events accepted %d, want 20 in at least 7", len(perEvent), accepted)
	}
}
