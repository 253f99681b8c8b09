package faults

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
)

// Rows 42, 43 and 44, small: scripts/soak has the big numbers. Without a trace, whose memory is not the proxy's.
func TestThreeHundredHeldAndFiveThousandGoneLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	p := unheard(t, route{name: "r", hosts: []string{echo(t)}})
	p.talk("r")
	fds, threads := p.settled()
	const held, gone = 300, 5000
	empty := p.resident()
	var open []*net.TCPConn
	for range held {
		open = append(open, p.dial("r"))
	}
	word := make([]byte, 5)
	say := func() {
		for n, c := range open {
			c.SetDeadline(time.Now().Add(walktest.Patience))
			io.WriteString(c, "hello")
			if _, err := io.ReadFull(c, word); err != nil || string(word) != "hello" {
				t.Fatalf("held connection %d: %q, %v", n, word, err)
			}
		}
	}
	say()
	full := p.resident()
	p.comeAndGo(gone / 2)
	half := p.resident()
	p.comeAndGo(gone / 2)
	p.becomes("cluster.r.upstream_cx_active", held)
	after := p.resident()
	say()
	for _, c := range open {
		c.Close()
	}
	t.Logf("resident: %d kB before, %d kB with %d held, %d kB and %d kB when %d and %d more have gone", empty>>10,
		full>>10, held, half>>10, after>>10, gone/2, gone)
	if after-half > 16<<20 {
		t.Errorf("%d kB more after %d connections that are gone", (after-half)>>10, gone/2)
	}
	p.wantConservation()
	p.wantNoSpin()
	p.eventually(func() bool { n, _ := p.settled(); return n <= fds },
		func() string { return fmt.Sprintf("%d fds were open and now %d", fds, len(p.descriptors())) })
	if _, n := p.settled(); n > threads+threadsMore {
		t.Errorf("there were %d threads and now %d", threads, n)
	}
	p.signal(unix.SIGTERM)
	p.wantExit(0)
}

// hardlyTraced are the flags of a proxy that has better things to do than to trace what nobody will look at.
func hardlyTraced(concurrency string) []string {
	return []string{"--concurrency", concurrency, "--trace-sample", "1,1000000000"}
}

// comeAndGo are connections that end as soon as they are there, by FIN or RST.
func (p *proxy) comeAndGo(n int) {
	p.t.Helper()
	const dialers = 4
	var dialing sync.WaitGroup
	for range dialers {
		dialing.Go(func() {
			for i := range n / dialers {
				c, err := net.Dial("tcp", p.at["r"])
				if err != nil {
					p.t.Error(err)
					return
				}
				if i%3 == 0 {
					reset(c.(*net.TCPConn))
				}
				c.Close()
			}
		})
	}
	dialing.Wait()
}

// freeze stops one thread of the proxy, while it waits for events, and nothing else.
func (p *proxy) freeze(thread string) (thaw func()) {
	p.t.Helper()
	tid := p.tidOf(thread)
	frozen, thawing, done := make(chan error), make(chan struct{}), make(chan struct{})
	go func() { // the tracer is a thread
		runtime.LockOSThread()
		defer close(done)
		p.eventually(func() bool { return p.waitsLong(tid) }, func() string { return thread + " does not wait" })
		err := unix.PtraceSeize(tid)
		if err == nil {
			err = unix.PtraceInterrupt(tid)
		}
		if err == nil {
			_, err = unix.Wait4(tid, nil, unix.WALL, nil)
		}
		frozen <- err
		<-thawing
		unix.PtraceDetach(tid)
	}()
	if err := <-frozen; err != nil {
		close(thawing)
		fmt.Fprintf(os.Stderr, "faults: NOT TRIED, %s: ptrace is not permitted here: %v\n", p.t.Name(), err)
		p.t.Skip("ptrace is not permitted here")
	}
	return sync.OnceFunc(func() { close(thawing); <-done })
}

func (p *proxy) tidOf(thread string) (tid int) {
	p.t.Helper()
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.pid))
	for _, dir := range all {
		if name, _ := os.ReadFile(dir + "/comm"); strings.TrimSpace(string(name)) == thread {
			tid, _ = strconv.Atoi(filepath.Base(dir))
		}
	}
	if tid == 0 {
		p.t.Fatalf("no thread is called %s", thread)
	}
	return tid
}

// waitsLong: in a wait of more than 5 ms the Go scheduler knows that the thread is away. In any other moment it
// would wait for the thread for as long as that stands still.
func (p *proxy) waitsLong(tid int) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/syscall", p.pid, tid))
	fields := strings.Fields(string(text))
	if len(fields) < 5 || fields[0] != strconv.Itoa(unix.SYS_EPOLL_PWAIT) {
		return false
	}
	timeout, _ := strconv.ParseInt(strings.TrimPrefix(fields[4], "0x"), 16, 64)
	return timeout > 20
}

// pings are the times of so many words there and back, in order of length.
func pings(t *testing.T, c *net.TCPConn, n int) []time.Duration {
	t.Helper()
	var took []time.Duration
	word := make([]byte, 5)
	for range n {
		began := time.Now()
		c.SetDeadline(began.Add(walktest.Patience))
		io.WriteString(c, "hello")
		if _, err := io.ReadFull(c, word); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
		time.Sleep(time.Millisecond)
	}
	slices.Sort(took)
	return took
}

// Row 45.
func TestAWorkerThatStandsStillIsCountedAndToldOnceAndTheOthersServeAsBefore(t *testing.T) {
	t.Parallel()
	p := startWith(t, nil, hardlyTraced("2"), route{name: "r", hosts: []string{echo(t)},
		listener: "connection_balance_config: {exact_balance: {}}"})
	both := []*net.TCPConn{p.dial("r"), p.dial("r")} // one on each worker
	for _, c := range both {
		pings(t, c, 1)
	}
	before := pings(t, both[0], 200)
	if other := pings(t, both[1], 200); other[198] > before[198] {
		before = other
	}
	const miss, megaMiss = "server.worker_0.watchdog_miss", "server.worker_0.watchdog_mega_miss"
	earlier := p.stats() // on a busy machine it may have missed already
	thaw := p.freeze("wrk:worker_0")
	defer thaw()
	for _, c := range both {
		c.SetDeadline(time.Now().Add(walktest.Patience))
		io.WriteString(c, "hello")
	}
	free := both[0]
	word := make([]byte, 5)
	for _, c := range both { // who answers is served by the other worker
		c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		if _, err := io.ReadFull(c, word); err == nil {
			free = c
		}
	}
	free.SetReadDeadline(time.Now().Add(20 * time.Second))
	p.eventually(func() bool { return p.stats()[miss] > earlier[miss] }, func() string { return "it is not missed" })
	p.becomes(megaMiss, earlier[megaMiss]+1)
	during := pings(t, free, 200)
	time.Sleep(300 * time.Millisecond) // in which the dog looks again
	s := p.stats()
	if s[megaMiss] != earlier[megaMiss]+1 || s["workers.watchdog_mega_miss"] <= earlier["workers.watchdog_mega_miss"] {
		t.Errorf("the stall is counted %d times, of all workers %d", s[megaMiss]-earlier[megaMiss],
			s["workers.watchdog_mega_miss"]-earlier["workers.watchdog_mega_miss"])
	}
	thaw()
	for _, c := range both {
		if c != free {
			c.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.ReadFull(c, word); err != nil {
				t.Errorf("after the thaw: %v", err)
			}
		}
	}
	t.Logf("p99 of the other worker: %v before, %v while one stands still", before[198], during[198])
	if during[198] > 5*before[198]+50*time.Millisecond {
		t.Errorf("the other worker's p99 was %v and is %v", before[198], during[198])
	}
	p.WaitFor(`\[error\]\[main\] \S+ goroutine \d+ `)
	if n := strings.Count(p.Stderr.String(), "worker_0 has given no sign of life for "); n != s[megaMiss] {
		t.Errorf("it is told %d times and not %d:\n%s", n, s[megaMiss], p.Stderr)
	}
	for _, c := range both {
		c.Close()
	}
	p.gathers()
	p.heals()
}
