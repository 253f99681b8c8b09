package threading

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAStoppedListenerKeepsItsConnections(t *testing.T) {
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{anyPort("a"), anyPort("b")}}.start(t)
	at := s.addresses()
	inode := s.listenInodes(at["a"])[0]
	kept := connect(t, at["a"], 3)
	s.wantHeld(3)
	s.tell("stop a")
	if fds := s.fdsOf(inode); len(fds) != 1 {
		t.Errorf("fds %v of the stopped listener, want main's only", fds)
	}
	s.tell("stop a") // again, which changes nothing
	kept[0].Close()
	s.wantHeld(2)
	dial(t, at["b"])
	s.wantHeld(3)
	s.stop()
}

func TestARemovedListenerIsGoneEverywhere(t *testing.T) {
	for _, more := range []string{"reuse_port: false", "reuse_port: true"} {
		t.Run(more, func(t *testing.T) {
			s := setup{concurrency: workers, lab: []string{"hold"}, flags: drainAtOnce, listeners: []string{
				anyPort("a", more), anyPort("b")}}.start(t)
			at := s.addresses()
			fds, _ := s.settled()
			inodes := s.listenInodes(at["a"])
			mine := 0
			for _, inode := range inodes {
				mine += len(s.fdsOf(inode))
			}
			gone := connect(t, at["a"], 6)
			s.wantHeld(6)
			if got := s.tell("remove a"); got != "true" {
				t.Errorf("remove: %s", got)
			}
			for _, c := range gone {
				isServed(t, c)
			}
			s.wantStat("total_listeners_draining", 0)
			s.wantStat("total_listeners_active", 1)
			s.wantStat("listener_removed", 1)
			eventually(t, "all its fds are closed",
				func() bool { return len(s.descriptors()) == fds-mine })
			wantRefused(t, at["a"])
			if _, ok := s.addresses()["a"]; ok {
				t.Error("/listeners still tells of it")
			}
			if got := s.tell("remove a"); got != "false" {
				t.Errorf("removed twice: %s", got)
			}
			dial(t, at["b"])
			s.wantHeld(7)
			s.stop()
		})
	}
}

// drainAtOnce: a listener that is taken away has no time for its connections.
var drainAtOnce = []string{"--drain-time-s", "0"}

func wantRefused(t *testing.T, address string) {
	t.Helper()
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Errorf("%s still accepts", address)
	} else if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%s: %v, want to be refused", address, err)
	}
}

func listenerJSON(name string, port int, more string) string {
	return fmt.Sprintf(`{"name": %q, "filter_chains": [{}], `+
		`"address": {"socket_address": {"address": "127.0.0.1", "port_value": %d}}%s}`, name, port, more)
}

func TestAddingAListenerAgain(t *testing.T) {
	port := freePort(t)
	s := setup{concurrency: 2, lab: []string{"hold"},
		listeners: []string{tcp("static", "127.0.0.1", freePort(t))}}.start(t)
	for _, c := range []struct{ what, json, want string }{
		{"a new one is added", listenerJSON("api", port, ""), "changed true"},
		{"the same again is ignored", listenerJSON("api", port, ""), "changed false"},
		{"a static one is locked", listenerJSON("static", freePort(t), ""), "changed false"},
		{"another address is refused", listenerJSON("api", freePort(t), ""),
			"refused: error updating listener: 'api' has a different address"},
		{"other chains go the in-place way",
			strings.Replace(listenerJSON("api", port, ""), "[{}]", `[{"name": "other"}]`, 1),
			"changed true"},
		{"more than other chains does not", listenerJSON("api", port, `, "tcp_backlog_size": 5`),
			"changed true"},
	} {
		if got := s.tell("add " + c.json); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	s.wantStat("listener_in_place_updated", 1)
	s.wantStat("listener_modified", 2)
	s.wantStat("listener_added", 2)
	s.wantStat("listener_create_success", 6) // the in-place way adds nothing to a worker
	s.wantStat("total_listeners_active", 2)
	s.wantStat("total_listeners_draining", 1)
	dial(t, s.addresses()["api"])
	s.wantHeld(1)
	s.stop()
}

func TestAnUpdateBeforeTheStartKeepsTheSocket(t *testing.T) {
	port := freePort(t)
	update := listenerJSON("early", port, `, "tcp_backlog_size": 5`)
	address := listenerJSON("early", freePort(t), "")
	s := setup{concurrency: 2,
		lab:       []string{"hold", "via-api", "then add " + update, "then add " + address},
		listeners: []string{tcp("early", "127.0.0.1", port)}}.start(t)
	if s.said("before main runs: changed true") != 1 ||
		s.said("before main runs: refused: .*different address") != 1 {
		t.Errorf("the updates went otherwise:\n%s", s.Stdout)
	}
	all := listeningAt(t, s.addresses()["early"])
	if len(all) != 1 || all[0].backlog != 5 {
		t.Errorf("%v listen, want one socket with the updated backlog 5", all)
	}
	if fds := s.fdsOf(all[0].inode); len(fds) != 3 {
		t.Errorf("fds %v, want main's and two workers'", fds)
	}
	s.wantStat("listener_modified", 1)
	s.wantStat("listener_added", 1)
	s.wantStat("listener_create_success", 2)
	dial(t, s.addresses()["early"])
	s.wantHeld(1)
	s.stop()
}

func TestAListenerThatDoesNotBindHasASocketAndNoMore(t *testing.T) {
	port := freePort(t)
	s := setup{concurrency: 2, listeners: []string{
		tcp("unbound", "127.0.0.1", port, "bind_to_port: false"),
		anyPort("a")}}.start(t)
	wantRefused(t, fmt.Sprintf("127.0.0.1:%d", port))
	var unbound []int
	for fd, what := range s.descriptors() {
		if !strings.HasPrefix(what, "socket:") {
			continue
		}
		s.borrow(fd, func(own int) {
			name, err := unix.Getsockname(own)
			if v4, ok := name.(*unix.SockaddrInet4); err == nil && ok && v4.Port == 0 {
				unbound = append(unbound, fd)
				if option(t, own, unix.SOL_SOCKET, unix.SO_ACCEPTCONN) != 0 {
					t.Errorf("fd %d listens without a port", fd)
				}
			}
		})
	}
	if len(unbound) != 3 {
		t.Errorf("fds %v have no port, want main's socket and two copies", unbound)
	}
	for _, entries := range s.epolls() {
		for _, w := range entries {
			for _, fd := range unbound {
				if w.fd == fd {
					t.Errorf("fd %d is watched, though nobody can connect to it", fd)
				}
			}
		}
	}
	s.wantStat("listener_create_success", 4)
	isServed(t, dial(t, s.addresses()["a"]))
	s.stop()
}

func TestAWorkersFailureIsReportedOnceAndOthersServe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0") // without SO_REUSEPORT
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	s := setup{concurrency: workers, listeners: []string{
		tcp("taken", "127.0.0.1", port, "reuse_port: true"),
		anyPort("a"), anyPort("b", "reuse_port: true")}}.start(t)
	const why = `failed to add listener on worker: cannot bind '127\.0\.0\.1:\d+': Address already in use`
	if n := s.said(why); n != workers {
		t.Errorf("%d workers said why, want %d", n, workers)
	}
	if n := s.said(`listener 'taken' failed to listen on address`); n != 1 {
		t.Errorf("the manager said it %d times, want once", n)
	}
	s.wantStat("listener_create_failure", 1)
	s.wantStat("listener_create_success", 2*workers)
	s.wantStat("total_listeners_active", 2)
	s.wantStat("workers_started", 1)
	at := s.addresses()
	if _, ok := at["taken"]; ok || len(at) != 2 {
		t.Errorf("/listeners: %v, want a and b", at)
	}
	for range 2 * workers {
		isServed(t, dial(t, at["a"]))
		isServed(t, dial(t, at["b"]))
	}
	s.stop()
}
