//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

// doors makes each call of the door, by the name the script is told.
var doors = []struct {
	name string
	call func(l *trace.Lane) (int, Errno)
}{
	{"epoll_create1", func(l *trace.Lane) (int, Errno) { return EpollCreate(l) }},
	{"epoll_ctl", func(l *trace.Lane) (int, Errno) { return 0, EpollCtl(l, 900, EPOLL_CTL_ADD, 901, EPOLLIN, 1) }},
	{"epoll_pwait", func(l *trace.Lane) (int, Errno) { return EpollWait(l, 900, buffer[:], -1, true) }},
	{"epoll_pwait", func(l *trace.Lane) (int, Errno) { return EpollWait(l, 900, buffer[:], 5, false) }},
	{"eventfd2", func(l *trace.Lane) (int, Errno) { return Eventfd(l) }},
	{"write", func(l *trace.Lane) (int, Errno) { return 0, EventfdWrite(l, 900) }},
	{"read", func(l *trace.Lane) (int, Errno) { return 0, EventfdRead(l, 900) }},
	{"readv", func(l *trace.Lane) (int, Errno) { return Readv(l, 900, nil) }},
	{"writev", func(l *trace.Lane) (int, Errno) { return Writev(l, 900, nil) }},
	{"read", func(l *trace.Lane) (int, Errno) { return Read(l, 900, nil) }},
	{"recvfrom", func(l *trace.Lane) (int, Errno) { return Recv(l, 900, nil) }},
	{"recvfrom", func(l *trace.Lane) (int, Errno) { return RecvPeek(l, 900, nil) }},
	{"socket", func(l *trace.Lane) (int, Errno) { return Socket(l, AF_INET) }},
	{"bind", func(l *trace.Lane) (int, Errno) { return 0, Bind(l, 900, loopback) }},
	{"connect", func(l *trace.Lane) (int, Errno) { return 0, Connect(l, 900, loopback) }},
	{"listen", func(l *trace.Lane) (int, Errno) { return 0, Listen(l, 900, 128) }},
	{"accept4", func(l *trace.Lane) (int, Errno) { return Accept(l, 900, new(Peer)) }},
	{"getsockname", func(l *trace.Lane) (int, Errno) { _, e := Getsockname(l, 900); return 0, e }},
	{"getpeername", func(l *trace.Lane) (int, Errno) { _, e := Getpeername(l, 900); return 0, e }},
	{"setsockopt", func(l *trace.Lane) (int, Errno) { return 0, SetsockoptInt(l, 900, SOL_SOCKET, SO_REUSEADDR, 1) }},
	{"setsockopt", func(l *trace.Lane) (int, Errno) { return 0, SetsockoptBytes(l, 900, SOL_SOCKET, SO_REUSEADDR, nil) }},
	{"getsockopt", func(l *trace.Lane) (int, Errno) { return GetsockoptInt(l, 900, SOL_SOCKET, SO_ERROR) }},
	{"getsockopt", func(l *trace.Lane) (int, Errno) {
		return GetsockoptBytes(l, 900, SOL_SOCKET, SO_LINGER, make([]byte, 8))
	}},
	{"getsockopt", func(l *trace.Lane) (int, Errno) { _, e := OriginalDst(l, 900, AF_INET); return 0, e }},
	{"fcntl", func(l *trace.Lane) (int, Errno) { return Dup(l, 900) }},
	{"shutdown", func(l *trace.Lane) (int, Errno) { return 0, Shutdown(l, 900, SHUT_WR) }},
	{"close", func(l *trace.Lane) (int, Errno) { return 0, Close(l, 900) }},
	{"unlinkat", func(l *trace.Lane) (int, Errno) { return 0, Unlink(l, "/none") }},
	{"fchmodat", func(l *trace.Lane) (int, Errno) { return 0, Chmod(l, "/none", 0o600) }},
	{"prctl", func(l *trace.Lane) (int, Errno) { return 0, NameThread(l, "never") }},
}

var (
	buffer   [8]EpollEvent
	loopback = address("127.0.0.1", 1)
)

func TestTheScriptAnswersEveryCallInTheKernelsPlace(t *testing.T) {
	for _, d := range doors {
		var asked []string
		restore := SetScript(func(call string, fd, n int) (int, Errno, bool) {
			asked = append(asked, call)
			return -1, ENOBUFS, true
		})
		var errno Errno
		calls := record(func(l *trace.Lane) { _, errno = d.call(l) })
		restore()
		if errno != ENOBUFS || fmt.Sprint(asked) != "["+d.name+"]" {
			t.Errorf("%s: %v, the script was asked for %v", d.name, errno, asked)
		}
		if len(calls) != 1 || text(calls[0], trace.KeySyscall) != d.name ||
			!strings.HasSuffix(spelled(calls[0]), " = -1 ENOBUFS") {
			t.Errorf("%s: the trace has %v", d.name, calls)
		}
	}
}

func TestTheScriptGivesCounts(t *testing.T) {
	defer SetScript(func(call string, fd, n int) (int, Errno, bool) { return n - 1, 0, call == "epoll_pwait" })()
	var n int
	calls := record(func(l *trace.Lane) { n, _ = EpollWait(l, 900, buffer[:], 3, false) })
	if n != 2 || text(calls[0], trace.KeyRet) != "2" {
		t.Errorf("the wait returned %d, the trace says %s", n, spelled(calls[0]))
	}
}

func TestTheScriptIsToldTheFDAndTheCount(t *testing.T) {
	var got []string
	defer SetScript(func(call string, fd, n int) (int, Errno, bool) {
		got = append(got, fmt.Sprintf("%s(%d, %d)", call, fd, n))
		return 0, 0, true
	})()
	EventfdWrite(nil, 900)
	Listen(nil, 900, 128)
	EpollWait(nil, 900, buffer[:], 250, true)
	Socket(nil, AF_INET)
	if want := "[write(900, 8) listen(900, 128) epoll_pwait(900, 250) socket(-1, 0)]"; fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

func TestWhatTheScriptLetsThroughIsReal(t *testing.T) {
	defer SetScript(func(string, int, int) (int, Errno, bool) { return 0, EMFILE, false })()
	fd, errno := Eventfd(nil)
	if errno != 0 || EventfdWrite(nil, fd) != 0 || EventfdRead(nil, fd) != 0 || EventfdRead(nil, fd) != EAGAIN {
		t.Error("the kernel was not asked")
	}
	Close(nil, fd)
}

func TestScriptsNest(t *testing.T) {
	say := func(e Errno) Script { return func(string, int, int) (int, Errno, bool) { return -1, e, true } }
	outer := SetScript(say(EMFILE))
	inner := SetScript(say(ENFILE))
	first := Close(nil, 900)
	inner()
	second := Close(nil, 900)
	outer()
	if third := Close(nil, 900); first != ENFILE || second != EMFILE || third != unix.EBADF {
		t.Errorf("%v, %v, %v", first, second, third)
	}
}

func TestAPathWithANulIsRefusedWithoutACall(t *testing.T) {
	calls := record(func(l *trace.Lane) {
		if Unlink(l, "a\x00b") != EINVAL || Chmod(l, "a\x00b", 0) != EINVAL {
			t.Error("not refused")
		}
	})
	if len(calls) != 0 {
		t.Errorf("%d calls", len(calls))
	}
}

// waiter is a thread in a real wait of the door.
type waiter struct {
	epoll, event int
	tid          atomic.Int64
	done         chan struct{}
	n            int
	errno        Errno
	took         time.Duration
}

func startWait(t *testing.T, l *trace.Lane, timeout int, blocking bool) *waiter {
	procs := runtime.GOMAXPROCS(max(4, runtime.GOMAXPROCS(0))) // a raw wait keeps one
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	w := &waiter{epoll: get(EpollCreate(nil)), event: get(Eventfd(nil)), done: make(chan struct{})}
	if errno := EpollCtl(nil, w.epoll, EPOLL_CTL_ADD, w.event, EPOLLIN, 1); errno != 0 {
		t.Fatal(errno)
	}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(w.done)
		w.tid.Store(int64(Gettid()))
		began := time.Now()
		w.n, w.errno = EpollWait(l, w.epoll, make([]EpollEvent, 4), timeout, blocking)
		w.took = time.Since(began)
	}()
	for !w.isInside() && !w.isOver() { // any signal may have ended it
		runtime.Gosched()
	}
	t.Cleanup(func() {
		EventfdWrite(nil, w.event)
		<-w.done
		Close(nil, w.event)
		Close(nil, w.epoll)
	})
	return w
}

func (w *waiter) isOver() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// isInside asks the kernel whether the thread is in epoll_pwait on our epoll instance.
func (w *waiter) isInside() bool {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", w.tid.Load()))
	return strings.HasPrefix(string(raw), fmt.Sprintf("%d %#x ", unix.SYS_EPOLL_PWAIT, w.epoll))
}

func TestASignalEndsTheWaitAndTheDoorDoesNotRetryIt(t *testing.T) {
	for _, blocking := range []bool{true, false} {
		w := startWait(t, nil, 10_000, blocking)
		if err := unix.Tgkill(unix.Getpid(), int(w.tid.Load()), unix.SIGURG); err != nil {
			t.Fatal(err)
		}
		<-w.done
		if w.errno != EINTR || w.n != -1 || w.took > 5*time.Second {
			t.Errorf("blocking %v: %d, %v after %v", blocking, w.n, w.errno, w.took)
		}
	}
}

func TestABlockingWaitDoesNotHoldUpTheGarbageCollector(t *testing.T) {
	w := startWait(t, nil, 10_000, true)
	var took []time.Duration
	for range 11 {
		began := time.Now()
		runtime.GC()
		took = append(took, time.Since(began))
	}
	if slices.Sort(took); took[5] > 100*time.Millisecond {
		t.Errorf("collections took %v", took)
	}
	if w.isOver() {
		t.Errorf("the wait was over: %d, %v after %v", w.n, w.errno, w.took)
	}
	EventfdWrite(nil, w.event)
	if <-w.done; w.n != 1 {
		t.Errorf("the wait returned %d, %v", w.n, w.errno)
	}
}

// The preemption signal ends a raw wait, with EINTR, so that even this one is short for the collector.
func TestARawWaitGivesWayToTheGarbageCollector(t *testing.T) {
	w := startWait(t, nil, 2000, false)
	began := time.Now()
	runtime.GC()
	if took := time.Since(began); took > time.Second {
		t.Errorf("a collection took %v", took)
	}
	if <-w.done; w.errno != EINTR {
		t.Errorf("the wait returned %d, %v after %v", w.n, w.errno, w.took)
	}
}

func TestEventsCarryTheFDAndItsGeneration(t *testing.T) {
	epoll, event := get(EpollCreate(nil)), get(Eventfd(nil))
	defer Close(nil, epoll)
	defer Close(nil, event)
	EpollCtl(nil, epoll, EPOLL_CTL_ADD, event, EPOLLIN, 1<<32-1)
	EventfdWrite(nil, event)
	events := make([]EpollEvent, 2)
	n, _ := EpollWait(nil, epoll, events, 0, false)
	fd, generation := EventData(&events[0])
	if n != 1 || fd != event || generation != 1<<32-1 {
		t.Errorf("%d events: fd %d, generation %d", n, fd, generation)
	}
}

// Bind and connect, once a connection, make the raw address.
func TestNoCallAllocates(t *testing.T) {
	r := trace.New(trace.Config{Blocks: 4096})
	l := r.Thread("main", Gettid(), 0)
	var peer Peer
	epoll, event, s := get(EpollCreate(nil)), get(Eventfd(nil)), get(Socket(nil, AF_INET))
	EpollCtl(nil, epoll, EPOLL_CTL_ADD, event, EPOLLIN, 1)
	near, far := pair(t)
	bulk := make([]byte, 4096)
	vectors := pieces(bulk, 1000, 2000)
	for name, call := range map[string]func(*trace.Lane){
		"epoll_ctl":     func(l *trace.Lane) { EpollCtl(l, epoll, EPOLL_CTL_MOD, event, EPOLLIN, 1) },
		"raw wait":      func(l *trace.Lane) { EpollWait(l, epoll, buffer[:], 0, false) },
		"wait":          func(l *trace.Lane) { EpollWait(l, epoll, buffer[:], 0, true) },
		"write":         func(l *trace.Lane) { EventfdWrite(l, event) },
		"read":          func(l *trace.Lane) { EventfdRead(l, event) },
		"writev, readv": func(l *trace.Lane) { Writev(l, near, vectors); Readv(l, far, vectors) },
		"recvfrom":      func(l *trace.Lane) { RecvPeek(l, far, bulk); Recv(l, far, bulk) },
		"read bytes":    func(l *trace.Lane) { Read(l, far, bulk) },
		"linger":        func(l *trace.Lane) { GetsockoptBytes(l, s, SOL_SOCKET, SO_LINGER, bulk) },
		"socket":        func(l *trace.Lane) { fd, _ := Socket(l, AF_INET); Close(l, fd) },
		"accept4":       func(l *trace.Lane) { Accept(l, s, &peer) },
		"setsockopt":    func(l *trace.Lane) { SetsockoptInt(l, s, SOL_SOCKET, SO_REUSEADDR, 1) },
		"getsockopt":    func(l *trace.Lane) { GetsockoptInt(l, s, SOL_SOCKET, SO_ERROR) },
		"dup":           func(l *trace.Lane) { fd, _ := Dup(l, s); Close(l, fd) },
		"shutdown":      func(l *trace.Lane) { Shutdown(l, s, SHUT_WR) },
		"listen":        func(l *trace.Lane) { Listen(l, 900, 1) },
	} {
		for lane, l := range map[string]*trace.Lane{"off": nil, "on": l} {
			// The lane is below its first block hand-over; what the recorder itself needs is tested there.
			if n := testing.AllocsPerRun(20, func() { call(l) }); n != 0 {
				t.Errorf("%s, trace %s: %v allocations", name, lane, n)
			}
		}
	}
}

// BenchmarkSyscallSpan is an eventfd written and read through the door; less the bare calls, a span costs half
// of the difference.
func BenchmarkSyscallSpan(b *testing.B) {
	event := get(Eventfd(nil))
	defer Close(nil, event)
	r := trace.New(trace.Config{Blocks: 64})
	l := r.Thread("main", Gettid(), 0)
	l.StartupDone()
	b.Run("door, on", func(b *testing.B) { benchEventfd(b, l, event) })
	b.Run("door, off", func(b *testing.B) { benchEventfd(b, nil, event) })
	b.Run("bare", func(b *testing.B) {
		var eight [8]byte
		eight[0] = 1
		for b.Loop() {
			unix.RawSyscall(unix.SYS_WRITE, uintptr(event), uintptr(unsafe.Pointer(&eight)), 8)
			unix.RawSyscall(unix.SYS_READ, uintptr(event), uintptr(unsafe.Pointer(&eight)), 8)
		}
	})
}

func benchEventfd(b *testing.B, l *trace.Lane, event int) {
	for b.Loop() {
		EventfdWrite(l, event)
		EventfdRead(l, event)
	}
}
