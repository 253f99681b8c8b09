package threading

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// signal sends one and does not wait for what it does.
func (s *server) signal(which syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.pid, which); err != nil {
		s.t.Fatalf("the server is gone: %v", err)
	}
}

func (s *server) wantExit(want int) {
	s.t.Helper()
	if code := s.Wait(); code != want {
		s.t.Errorf("exit status %d, want %d:\n%s", code, want, s.Stderr)
	}
}

func TestWithNothingOpenTheStopTakesNoTime(t *testing.T) {
	for _, flags := range [][]string{nil, {"--shutdown-drain-time-s", "600"}} {
		s := setup{concurrency: 3, listeners: []string{anyPort("a"), anyPort("b", "reuse_port: true")},
			flags: flags}.start(t)
		isServed(t, dial(t, s.addresses()["a"]))
		began := time.Now()
		s.stop()
		if took := time.Since(began); took > flushPatience/2 {
			t.Errorf("%v: it took %v", flags, took)
		}
	}
}

// flushPatience is how long a stop waits for peers.
const flushPatience = 5 * time.Second

// Who is in the kernel's queue when the stop begins has been told that he is connected.
func TestWhoIsQueuedAtTheStopIsAccepted(t *testing.T) {
	for _, more := range []string{"reuse_port: false", "reuse_port: true",
		"max_connections_to_accept_per_socket_event: 1"} {
		t.Run(more, func(t *testing.T) {
			s := setup{concurrency: 1, lab: []string{"hold"}, listeners: []string{anyPort("a", more)}}.start(t)
			at := s.addresses()["a"]
			s.tell("busy 0")
			queued := connect(t, at, 50)
			s.signal(syscall.SIGTERM)
			s.WaitFor("shutting down server instance")
			s.tell("free")
			for _, c := range queued {
				isServed(t, c)
			}
			s.wantExit(0)
			if n := s.said(`worker_0 holds C`); n != len(queued) {
				t.Errorf("%d of %d were accepted", n, len(queued))
			}
		})
	}
}

func TestASecondSignalHastensAndTheStatusTells(t *testing.T) {
	for _, flags := range [][]string{nil, {"--shutdown-drain-time-s", "600"}} {
		for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			s := setup{concurrency: 2, lab: []string{"hold-fast"}, listeners: []string{anyPort("a")},
				flags: flags}.start(t)
			c := dial(t, s.addresses()["a"])
			s.wantHeld(1)
			s.signal(syscall.SIGTERM)
			s.WaitFor("shutting down server instance")
			time.Sleep(150 * time.Millisecond) // sooner it would count as the same signal
			s.signal(second)
			s.WaitFor("another signal hastens the shutdown")
			s.wantExit(1)
			isServed(t, c)
		}
	}
}

// timeout(1) and some supervisors signal a process and then its whole group.
func TestTheSameSignalTwiceAtOnceIsOneWish(t *testing.T) {
	s := setup{concurrency: 1, lab: []string{"hold"}, listeners: []string{anyPort("a")},
		flags: []string{"--shutdown-drain-time-s", "600"}}.start(t)
	c := dial(t, s.addresses()["a"])
	s.wantHeld(1)
	s.signal(syscall.SIGTERM)
	s.signal(syscall.SIGTERM)
	s.WaitFor(`draining connections for up to 600 s`)
	time.Sleep(150 * time.Millisecond)
	if s.said("another signal hastens") != 0 {
		t.Error("it was taken for a second wish")
	}
	c.Close()
	s.wantExit(0)
}

func TestConnectionsMayEndFirstWhenTheyAreGivenTime(t *testing.T) {
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{anyPort("a")},
		flags: []string{"--shutdown-drain-time-s", "600"}}.start(t)
	at := s.addresses()["a"]
	open := connect(t, at, 3)
	s.wantHeld(3)
	s.signal(syscall.SIGTERM)
	s.WaitFor(`draining connections for up to 600 s`)
	wantRefused(t, at)
	s.wantStat("server.state", 1)
	s.wantStat("server.live", 0)
	if r, err := s.admin.Get("http://admin/ready"); err != nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/ready: %v, %v", r, err)
	}
	open[0].Close()
	open[1].Close()
	s.wantHeld(1)
	open[2].Close() // the last one: nothing is left to wait for
	s.wantExit(0)
}

func TestAfterTheDrainTimeConnectionsAreFlushed(t *testing.T) {
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{anyPort("a")},
		flags: []string{"--shutdown-drain-time-s", "1"}}.start(t)
	c := dial(t, s.addresses()["a"])
	s.wantHeld(1)
	began := time.Now()
	s.signal(syscall.SIGINT)
	isServed(t, c)
	s.wantExit(0)
	if took := time.Since(began); took < time.Second {
		t.Errorf("it had %v, not the second it was promised", took)
	}
}

func TestAPeerThatTakesNothingCannotHoldTheExit(t *testing.T) {
	t.Parallel()
	s := setup{concurrency: 2, lab: []string{"hold-fast"}, listeners: []string{anyPort("a")}}.start(t)
	c := dial(t, s.addresses()["a"])
	s.wantHeld(1)
	began := time.Now()
	s.signal(syscall.SIGTERM)
	s.WaitFor(`1 connection\(s\) did not take what was read for them within 5s: closing them`)
	s.wantExit(0)
	isServed(t, c)
	if took := time.Since(began); took < flushPatience {
		t.Errorf("it gave up after %v", took)
	}
}

func TestAWorkerThatStandsStillCannotHoldTheExit(t *testing.T) {
	t.Parallel()
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{
		anyPort("a", "connection_balance_config: {exact_balance: {}}")}}.start(t)
	connect(t, s.addresses()["a"], 2)
	s.wantHeld(2)
	s.tell("busy 1")
	s.signal(syscall.SIGTERM)
	s.WaitFor("shutting down server instance")
	time.Sleep(150 * time.Millisecond) // sooner it would count as the same signal
	s.signal(syscall.SIGTERM)
	s.WaitFor("not every worker has stopped accepting")
	s.WaitFor("worker_1 has not ended within 5s: it is left behind")
	s.wantExit(1)
}

// The exact balancer sends sockets from worker to worker; one may still be on its way when its worker's
// loop ends.
func TestASocketOnItsWayToAWorkerThatEndsIsClosed(t *testing.T) {
	s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{
		anyPort("a", "connection_balance_config: {exact_balance: {}}")}}.start(t)
	at := s.addresses()["a"]
	s.tell("busy 1")
	clients := connect(t, at, 4)
	s.wantHeld(2) // the other two are for the busy one
	s.tell("exit")
	s.WaitFor("main dispatch loop exited")
	s.tell("free")
	s.wantExit(0)
	for _, c := range clients {
		isServed(t, c)
	}
	if n := s.said(`worker_1 holds C`); n != 2 {
		t.Errorf("%d sockets arrived, want 2", n)
	}
}

func TestDrainedListenersRefuseClientsAndKeepConnections(t *testing.T) {
	inbound := "traffic_direction: INBOUND"
	s := setup{concurrency: workers, lab: []string{"hold"}, listeners: []string{anyPort("in", inbound),
		anyPort("in-each", inbound, "reuse_port: true"), anyPort("out", "traffic_direction: OUTBOUND"),
		anyPort("any")}}.start(t)
	at := s.addresses()
	open := map[string]io.Reader{}
	inodes := s.listenInodes(at["in"])
	for name, address := range at {
		open[name] = dial(t, address)
	}
	s.wantHeld(4)
	s.tell("stop-listeners inbound")
	s.wantStat("listener_stopped", 2)
	wantRefused(t, at["in"])
	wantRefused(t, at["in-each"])
	dial(t, at["out"])
	dial(t, at["any"])
	s.wantHeld(6)
	for _, inode := range inodes {
		if fds := s.fdsOf(inode); len(fds) > 0 {
			t.Errorf("fds %v of a stopped listener are open", fds)
		}
	}
	add := func(name, direction string) string {
		return s.tell("add " + listenerJSON(name, freePort(t), `, "traffic_direction": "`+direction+`"`))
	}
	if in, out := add("later-in", "INBOUND"), add("later-out", "OUTBOUND"); in != "changed false" ||
		out != "changed true" {
		t.Errorf("added later: inbound %s, outbound %s", in, out)
	}
	s.tell("stop-listeners all")
	s.wantStat("listener_stopped", 5) // none is stopped twice
	wantRefused(t, at["out"])
	wantRefused(t, at["any"])
	if out := add("last", "OUTBOUND"); out != "changed false" {
		t.Errorf("added last: %s", out)
	}
	s.wantHeld(6)
	s.stop()
}

func TestTheAdminDrainsListeners(t *testing.T) {
	s := setup{concurrency: 2, listeners: []string{anyPort("a")}}.start(t)
	at := s.addresses()["a"]
	isServed(t, dial(t, at))
	r, err := s.admin.Post("http://admin/drain_listeners", "", nil)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", r, err)
	}
	s.wantStat("listener_stopped", 1)
	wantRefused(t, at)
	s.stop()
}

// Old and new accept on copies of one socket for a moment, so that nobody is refused or reset.
func TestAnUpdateRefusesNobody(t *testing.T) {
	port := freePort(t)
	s := setup{concurrency: workers, lab: []string{"hold"}, flags: []string{"--drain-time-s", "1"}}.start(t)
	s.tell("add " + listenerJSON("api", port, ""))
	s.wantStat("listener_create_success", workers)
	at := s.addresses()["api"]
	inode := s.listenInodes(at)[0]
	first := dial(t, at)
	s.wantHeld(1)
	for n := range 5 {
		s.tell("add " + listenerJSON("api", port, fmt.Sprintf(`, "tcp_backlog_size": %d`, 100+n)))
		connect(t, at, 10)
	}
	s.wantHeld(51)
	isServed(t, first) // when its listener's drain time is over
	s.wantStat("total_listeners_draining", 0)
	s.wantStat("total_listeners_active", 1)
	if fds := s.fdsOf(inode); len(fds) != workers+1 {
		t.Errorf("fds %v, want main's and each worker's of the one socket", fds)
	}
	dial(t, at)
	s.stop()
}

func TestACrashTellsWhatEveryThreadDoes(t *testing.T) {
	for _, which := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT} {
		s := setup{concurrency: 2, lab: []string{"hold"}, listeners: []string{
			anyPort("a", "connection_balance_config: {exact_balance: {}}")}}.start(t)
		connect(t, s.addresses()["a"], 2)
		s.wantHeld(2)
		s.tell("busy 1")
		s.signal(which)
		s.wantExit(2)
		said := s.Stderr.String()
		for _, want := range []string{`04-threading: ` + which.String(),
			`  main_thread \(tid \d+\): turn \d+, waiting, posts waiting 0, last sign of life `,
			`  worker_0 \(tid \d+\): turn \d+, waiting, posts waiting 0, .*, connections 1\n`,
			`  worker_1 \(tid \d+\): turn \d+, in a callback, posts waiting \d, .*, connections 1\n`,
			`goroutine \d+`, `eventBaseLoop`} {
			if s.said(want) == 0 {
				t.Errorf("%v: it does not say %q:\n%.3000s", which, want, said)
			}
		}
		if strings.Contains(said, "exiting\n") {
			t.Error("it shut down in order")
		}
	}
}

// A whole server in this process, with workers, listeners and clients: when it is over nothing of it is left.
func TestAStoppedServerLeavesNothingBehind(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	run := func() {
		if code := Wire().Main([]string{"envoywalk", "--trace", "none", "-l", "off"}); code != 0 {
			t.Errorf("exit status %d", code)
		}
	}
	held := func() (goroutines, threads, fds int) {
		count := func(dir string) int {
			entries, _ := os.ReadDir(dir)
			return len(entries)
		}
		return runtime.NumGoroutine(), count("/proc/self/task"), count("/proc/self/fd")
	}
	run() // what is made once a process
	goroutines, threads, fds := held()
	for range 3 {
		run()
	}
	eventually(t, "as many goroutines, threads and fds are there as before", func() bool {
		g, n, f := held()
		return g <= goroutines && n <= threads+2 && f <= fds // a thread or two may be the Go runtime's
	})
}
