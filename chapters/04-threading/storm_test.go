package threading

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

func TestTenThousandConnectionsAreEachAcceptedOnce(t *testing.T) {
	t.Run("shared", func(t *testing.T) { wantEachAcceptedOnce(t, 10_000, "reuse_port: false") })
	t.Run("reuse_port", func(t *testing.T) { wantEachAcceptedOnce(t, 10_000, "reuse_port: true") })
}

// wantEachAcceptedOnce blows at one listener of each kind in turn.
func wantEachAcceptedOnce(t *testing.T, n int, more string) {
	set, path := four(t, more)
	set.flags = []string{"--trace-sample", "1,1000000"} // stories are not what is counted
	trace := set.traced(t, "none")
	s := set.start(t)
	var addresses []string
	for _, address := range s.addresses() {
		addresses = append(addresses, address)
	}
	blow(t, addresses[0], 200)
	fds, threads := s.settled()
	for blown, next := 200, 0; blown < n; next++ {
		// Faster than it can be written down, a trace drops what it must: then nothing could be
		// counted.
		eventually(t, "the trace keeps up", func() bool { return trace.seen.Load() == int64(blown) })
		burst := min(n-blown, 1000)
		blow(t, addresses[next%len(addresses)], burst)
		blown += burst
	}
	s.wantBackTo(fds, threads)
	s.stop()
	if s.said("trace: ") != 1 || s.said("dropped") != 0 {
		t.Error("the trace is not whole")
	}
	<-trace.ended
	wantNumbered(t, n, trace.accepts)
	for _, address := range addresses {
		if address != path {
			wantFree(t, address)
		}
	}
}

// blow connects n times, a few at a time, and wants every client to see the end of file.
func blow(t *testing.T, address string, n int) {
	t.Helper()
	var clients sync.WaitGroup
	turn := make(chan struct{}, 64)
	failures := make(chan error, n)
	for range n {
		turn <- struct{}{}
		clients.Go(func() {
			defer func() { <-turn }()
			failures <- knockOnce(address)
		})
	}
	clients.Wait()
	close(failures)
	failed := 0
	for err := range failures {
		if err != nil {
			if failed++; failed < 4 {
				t.Error(err)
			}
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d clients did not see the end of file", failed, n)
	}
}

func knockOnce(address string) error {
	kind := "tcp"
	if !strings.Contains(address, ":") {
		kind = "unix"
	}
	c, err := net.DialTimeout(kind, address, walktest.Patience)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(walktest.Patience))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return fmt.Errorf("read %d, %v", n, err)
	}
	return nil
}

// wantNumbered: every connection that a worker accepted has a number that no other has.
func wantNumbered(t *testing.T, want int, accepts []accept) {
	t.Helper()
	seen, perWorker, again := map[string]int{}, map[string]int{}, 0
	for _, a := range accepts {
		switch {
		case a.connection != "":
			seen[a.connection]++
			perWorker[a.thread]++
		case a.errno == "EAGAIN":
			again++
		default:
			t.Errorf("accept4 on %s: %s", a.thread, a.errno)
		}
	}
	sum := 0
	for _, n := range perWorker {
		sum += n
	}
	if len(seen) != want || sum != want {
		t.Errorf("%d connections by number, %d accepts, want %d of both: %v", len(seen), sum, want,
			perWorker)
	}
	t.Logf("%d accepted exactly once, by worker %v; %d accepts found nobody", sum, perWorker, again)
}

// settled are the numbers of fds and threads of the server at rest: with nobody connected to its admin.
func (s *server) settled() (fds, threads int) {
	s.t.Helper()
	const connected = "03"
	eventually(s.t, "the admin's connections are closed", func() bool {
		return len(s.tableRows("unix", s.adminPath, connected)) == 0
	})
	for _, n := range s.threads() {
		threads += n
	}
	return len(s.descriptors()), threads
}

// wantBackTo: nothing leaked. The Go runtime keeps a thread or two that it once needed.
func (s *server) wantBackTo(fds, threads int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("there are %d fds again", fds),
		func() bool { return len(s.descriptors()) == fds })
	now := 0
	for _, n := range s.threads() {
		now += n
	}
	if now > threads+workers {
		s.t.Errorf("%d threads after, %d before: %v", now, threads, s.threads())
	}
}

// wantFree: nobody listens there any more, and somebody else may.
func wantFree(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Errorf("the port is not free: %v", err)
		return
	}
	l.Close()
}
