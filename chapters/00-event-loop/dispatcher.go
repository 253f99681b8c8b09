// Package eventloop is chapter 00: the loop that every thread of a proxy stands on.
//
// A Dispatcher belongs to one OS thread. It waits in epoll, hands ready files, due timers and
// posted work to callbacks, one at a time, and never runs two at once: that is why nothing behind
// it needs a lock. Other threads may do two things with it: Post and Exit.
//
// What it leaves out of Envoy's: signals (chapter 01), listeners (04), connections (05), fake time.
package eventloop

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// RunType says when Run returns.
type RunType int

const (
	Block        RunType = iota // when nothing is left to wait for, or after Exit
	NonBlock                    // after one look around, without waiting
	RunUntilExit                // only after Exit
)

// Dispatcher is the event loop object.
//
// Envoy: Event::DispatcherImpl
type Dispatcher struct {
	Name string
	// RawWaits lets a loop that was just busy wait a few milliseconds without telling the Go
	// scheduler. For workers: main and guard dogs always wait through the scheduler.
	RawWaits bool

	lane      *trace.Lane
	tid       atomic.Int64 // 0 before the first run; any thread may ask
	scheduler *LibeventScheduler
	posts     postQueue
	deferred  deferredDeletes
	watchdog  *WatchDog
	stats     *Stats
	Dropped   int // posts that no run ever took, known after Close
}

// New makes a dispatcher. lane is that of the thread that makes it, which need not be the one that
// will run it. It panics when the kernel has no epoll instance to give: nothing can run without.
//
// Envoy: Event::DispatcherImpl::DispatcherImpl
func New(lane *trace.Lane, name string) *Dispatcher {
	defer lane.Enter(step.DispatcherCtor).Of(name).Exit()
	d := &Dispatcher{Name: name, lane: lane}
	d.scheduler = newLibeventScheduler(d, lane)
	d.deferred.callback = d.CreateSchedulableCallback(d.ClearDeferredDeletes)
	return d
}

// Lane is the lane of the thread that runs this dispatcher; before Run, of the one that made it.
func (d *Dispatcher) Lane() *trace.Lane { return d.lane }

// Run turns the calling thread, whose lane is given, into the dispatcher's until the run type or
// Exit ends it. What was posted before runs first; nobody wrote a wake-up for it.
//
// Envoy: Event::DispatcherImpl::run
func (d *Dispatcher) Run(lane *trace.Lane, t RunType) {
	defer lane.Enter(step.DispatcherRun).Of(d.Name).Exit()
	d.Adopt(lane)
	d.posts.start()
	d.runPostCallbacks()
	d.scheduler.run(t)
	d.posts.stop()
}

// Adopt makes the calling thread, whose lane is given, the dispatcher's own; Run does it too.
func (d *Dispatcher) Adopt(lane *trace.Lane) {
	d.lane = lane
	d.tid.Store(int64(kernel.Gettid()))
}

// IsThreadSafe reports whether the caller may touch what this dispatcher owns: the loop has not
// run yet, or this is its thread. It asks the kernel; not for hot paths.
//
// Envoy: Event::DispatcherImpl::isThreadSafe
func (d *Dispatcher) IsThreadSafe() bool {
	tid := d.tid.Load()
	return tid == 0 || tid == int64(kernel.Gettid())
}

// Exit makes Run return once the turn it is in has ended. from is the dispatcher of the calling
// thread, nil for any other. Asked before Run, it holds: that Run only flushes its posts.
//
// Envoy: Event::DispatcherImpl::exit
func (d *Dispatcher) Exit(from *Dispatcher) {
	lane := from.laneOrNil()
	if d.posts.exit(lane, from == d) {
		d.wake(lane)
	}
}

func (d *Dispatcher) laneOrNil() *trace.Lane {
	if d == nil {
		return nil
	}
	return d.lane
}

// Close gives back the epoll instance and the eventfd. The loop must not run any more; lane is
// that of the thread that closes. What was posted and never taken is dropped and counted.
//
// Envoy: Event::DispatcherImpl::~DispatcherImpl
func (d *Dispatcher) Close(lane *trace.Lane) {
	d.lane = lane
	d.ClearDeferredDeletes()
	d.Dropped += len(d.posts.take())
	d.scheduler.close(lane)
}

// RegisterWatchdog lets every callback of this loop, and a timer, touch w. A nil w ends it.
//
// Envoy: Event::DispatcherImpl::registerWatchdog
func (d *Dispatcher) RegisterWatchdog(w *WatchDog, interval time.Duration) {
	if d.watchdog != nil {
		d.watchdog.timer.Disable()
	}
	if d.watchdog = w; w == nil {
		return
	}
	w.timer = d.CreateTimer("watchdog touch", func() { w.timer.Enable(interval) })
	w.timer.Housekeeping = true
	w.timer.Enable(interval)
	w.Touch()
}

func (d *Dispatcher) touch() {
	if d.watchdog != nil {
		d.watchdog.Touch()
	}
}

// LockThread ties the calling goroutine to its OS thread, names the thread and begins its lane. When the
// goroutine ends without unlocking, the thread ends with it. cause is the span that asked for the thread.
func LockThread(rec *trace.Recorder, name string, cause uint64) *trace.Lane {
	runtime.LockOSThread()
	name = name[:min(len(name), 15)]
	lane := rec.Thread(name, kernel.Gettid(), cause)
	kernel.NameThread(lane, name)
	return lane
}

// postQueue is what other threads may touch: everything in it is under its lock.
type postQueue struct {
	mu      sync.Mutex
	tasks   []task
	spare   []task
	running bool
	exiting atomic.Bool // written under the lock, so that exit and start agree
	wakeID  uint64      // the span that wrote the eventfd, for the turn that it caused
}
