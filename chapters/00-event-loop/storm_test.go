package eventloop

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/kernel"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// A hundred signals end a hundred waits. None is folded away, none loses an event, and the collector of
// garbage is not held up.
func TestAStormOfSignalsNeitherSpinsNorLosesNorHangs(t *testing.T) {
	for _, rawWaits := range []bool{false, true} {
		w := newWorld(t)
		worker := New(w.lane, "worker")
		worker.RawWaits = rawWaits
		fd := eventfd(t)
		var entered atomic.Int64 // waits begun
		restore := kernel.SetScript(func(call string, fd, n int) (int, kernel.Errno, bool) {
			if call == "epoll_pwait" && fd == worker.scheduler.epfd {
				entered.Add(1)
			}
			return 0, 0, false
		})
		rings, rung := 0, make(chan struct{}, 100)
		worker.CreateFileEvent(fd, Level, Read, func(FileReady) {
			kernel.EventfdRead(worker.Lane(), fd)
			rings++
			rung <- struct{}{}
		})
		join := start(worker, w.rec, RunUntilExit)
		tid := make(chan int)
		worker.Post(nil, step.None, func() { tid <- kernel.Gettid() })
		thread := <-tid
		var collections []time.Duration
		for range 100 {
			asleep(worker)
			before := entered.Load()
			unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
			for entered.Load() == before { // it came back and waits anew
				runtime.Gosched()
			}
			ring(fd)
			<-rung
			began := time.Now()
			runtime.GC()
			collections = append(collections, time.Since(began))
		}
		worker.Post(nil, step.None, func() { worker.Exit(worker) })
		within(t, time.Minute, join)
		restore()
		worker.Close(w.lane)
		interrupted, waits := 0, 0
		for _, s := range w.ended().calls("epoll_pwait", "ep:worker") {
			waits += max(1, int(number(s, trace.KeyRepeat)))
			if attr(s, trace.KeyErrorType) == "EINTR" {
				interrupted++
			}
		}
		same(t, "rings", rings, 100)
		if interrupted < 50 || waits > 1000 {
			t.Errorf("%d waits, %d of them interrupted", waits, interrupted)
		}
		if slices.Sort(collections); collections[90] > 100*time.Millisecond {
			t.Errorf("collections of garbage took up to %v", collections[90:])
		}
	}
}

func TestASignalDoesNotMakeATimerEarlyOrLost(t *testing.T) {
	d := quiet(t)
	const after = 30 * time.Millisecond
	began := time.Now()
	var took time.Duration
	d.CreateTimer("t", func() { took = time.Since(began); d.Exit(d) }).Enable(after)
	tid := make(chan int, 1)
	d.Post(nil, step.None, func() { tid <- kernel.Gettid() })
	join := start(d, nil, RunUntilExit)
	thread, done := <-tid, make(chan struct{})
	go func() { join(); close(done) }()
	for {
		select {
		case <-done:
			if took < after || took > 10*after {
				t.Errorf("fired after %v of %v", took, after)
			}
			return
		default:
			unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
			runtime.Gosched()
		}
	}
}

func TestAWaitThatTheKernelRefusesDoesNotSpin(t *testing.T) {
	d := quiet(t)
	defer kernel.SetScript(func(call string, fd, n int) (int, kernel.Errno, bool) {
		return -1, kernel.EINVAL, call == "epoll_pwait"
	})()
	defer func() {
		if recover() == nil {
			t.Error("the loop went on")
		}
	}()
	d.Run(nil, NonBlock)
}

// waitsOf lists the timeouts that the loop asked for, without waiting.
func waitsOf(run func()) (timeouts []int) {
	defer kernel.SetScript(func(call string, fd, n int) (int, kernel.Errno, bool) {
		if call != "epoll_pwait" {
			return 0, 0, false
		}
		timeouts = append(timeouts, n)
		return 0, 0, true
	})()
	run()
	return timeouts
}

func TestOnlyALoopThatWasJustBusyWaitsRawAndBriefly(t *testing.T) {
	for _, c := range []struct {
		raw, busy bool
		after     time.Duration
		want      int
	}{
		{false, false, time.Hour, longestWait},
		{false, true, time.Hour, longestWait},
		{true, false, time.Hour, longestWait},
		{true, true, time.Hour, rawWait},
		{true, true, 2 * time.Millisecond, 2},
		{true, true, 0, 0},
	} {
		d := quiet(t)
		steppedClock(d)
		d.RawWaits = c.raw
		d.scheduler.busy = c.busy
		d.CreateTimer("t", func() {}).Enable(c.after)
		got := waitsOf(func() { d.scheduler.turn(Block) })
		same(t, "the wait", got, []int{c.want})
		same(t, "busy after an empty wait", d.scheduler.busy, false)
	}
	d, fd := quiet(t), eventfd(t)
	watch(d, fd, Level, Read)
	ring(fd)
	turns(d, 1)
	same(t, "busy after an event", d.scheduler.busy, true)
}

// An idle loop enters the kernel when a timer is due and not otherwise.
func TestAnIdleLoopRests(t *testing.T) {
	for _, rawWaits := range []bool{false, true} {
		w := newWorld(t)
		worker := New(w.lane, "worker")
		worker.RawWaits = rawWaits
		watch(worker, eventfd(t), Level, Read)
		join := start(worker, w.rec, RunUntilExit)
		asleep(worker)
		worker.Post(nil, step.None, func() {
			worker.CreateTimer("a second", func() { worker.Exit(worker) }).Enable(time.Second)
		})
		join()
		worker.Close(w.lane)
		waits := 0
		for _, s := range w.ended().calls("epoll_pwait", "ep:worker") {
			waits += max(1, int(number(s, trace.KeyRepeat)))
		}
		if waits > 10 {
			t.Errorf("%d waits in a second of rest", waits)
		}
	}
}

func TestEveryCallbackTouchesTheWatchdog(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	dog := &WatchDog{Name: "main"}
	d.RegisterWatchdog(dog, time.Hour)
	same(t, "registering", dog.Look(), true)
	turns(d, 1)
	same(t, "an empty turn", dog.Look(), false)
	d.Post(nil, step.None, func() { same(t, "before a post", dog.Look(), true) })
	d.Post(nil, step.None, func() { same(t, "before the next post", dog.Look(), true) })
	turns(d, 1)
	d.CreateTimer("t", func() { same(t, "before a timer", dog.Look(), true) }).Enable(0)
	turns(d, 1)
	d.CreateSchedulableCallback(func() { same(t, "before a callback", dog.Look(), true) }).ScheduleNextIteration()
	turns(d, 1)
	e, _ := d.CreateFileEvent(fd, Level, Read, func(FileReady) { same(t, "before a file", dog.Look(), true) })
	ring(fd)
	turns(d, 1)
	e.Close()
	same(t, "and then", dog.Look(), false)
}

func TestTheWatchdogsTimerTouchesUntilItIsUnregistered(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	dog := &WatchDog{Name: "main"}
	d.RegisterWatchdog(dog, 100*time.Millisecond)
	dog.Look()
	for range 3 {
		*now += 100 * time.Millisecond
		turns(d, 1)
		same(t, "an interval later", dog.Look(), true)
	}
	d.RegisterWatchdog(nil, 0)
	*now += time.Second
	turns(d, 2)
	same(t, "unregistered", dog.Look(), false)
	within(t, time.Minute, func() { d.Run(nil, Block) }) // nothing is left
}

func TestTheLoopMeasuresItselfWhenAsked(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	scope := stats.NewStore().Scope("worker_0.")
	d.InitializeStats(scope)
	timer := d.CreateTimer("t", func() { *now += 7 * time.Millisecond }) // a callback of 7 ms
	timer.Enable(10 * time.Millisecond)
	defer kernel.SetScript(func(call string, fd, n int) (int, kernel.Errno, bool) {
		*now += time.Duration(n)*time.Millisecond + 300*time.Microsecond // a wait that is 300 us late
		return 0, 0, call == "epoll_pwait"
	})()
	*now = time.Millisecond
	d.scheduler.turn(RunUntilExit)
	timer.Enable(10 * time.Millisecond)
	d.scheduler.turn(RunUntilExit)
	same(t, "delay", median(d.stats.PollDelay), 300)
	same(t, "loop", median(d.stats.LoopDuration), 7000)
}

func median(h *stats.Histogram) int {
	_, all := h.Quantiles()
	return int(all[3]) / 100 * 100
}

func TestCloseGivesEverythingBack(t *testing.T) {
	rest := func() (fds, threads, goroutines int) {
		a, _ := os.ReadDir("/proc/self/fd")
		b, _ := os.ReadDir("/proc/self/task")
		return len(a), len(b), runtime.NumGoroutine()
	}
	cycle := func() {
		w := newWorld(t)
		var joins []func()
		var workers []*Dispatcher
		for range 4 {
			d := New(w.lane, "worker")
			workers = append(workers, d)
			joins = append(joins, start(d, w.rec, RunUntilExit))
			asleep(d)
		}
		for i, d := range workers {
			d.Exit(w.Dispatcher)
			joins[i]()
			d.Close(w.lane)
		}
		w.ended()
	}
	cycle()
	fds, threads, goroutines := rest()
	for range 10 {
		cycle()
	}
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		f, th, g := rest()
		if f <= fds && th <= threads+4 && g <= goroutines { // the Go runtime keeps a few threads of its own
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("fds %d, then %d; threads %d, then %d; goroutines %d, then %d", fds, f, threads, th, goroutines, g)
		}
	}
}

func TestAThreadIsNamedInFifteenBytes(t *testing.T) {
	name := make(chan string)
	go func() {
		LockThread(nil, "dog:workers_guarddog_thread", 0)
		raw, _ := os.ReadFile("/proc/thread-self/comm")
		name <- strings.TrimSpace(string(raw))
	}()
	same(t, "comm", <-name, "dog:workers_gua")
}
