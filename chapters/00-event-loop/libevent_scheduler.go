package eventloop

import (
	"sync/atomic"
	"time"

	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// rawWait is how long a busy loop may wait without telling the Go scheduler; longestWait is how
// long any may wait, because epoll_pwait reads more than an int holds as for ever. Both in ms.
const (
	rawWait     = 5
	longestWait = 35 * 60 * 1000 // libevent's
)

// LibeventScheduler is the part that Envoy leaves to libevent: one epoll instance, an eventfd to
// wake it, a heap of timers, and the callbacks that wait for this turn or the next.
//
// Envoy: Event::LibeventScheduler; its CSmartPtr over event_base (step: csmartptr) is the garbage
// collector's work here, except for the two fds, which close gives back.
type LibeventScheduler struct {
	dispatcher *Dispatcher
	epfd       int
	eventfd    int
	events     []kernel.EpollEvent // what the last wait returned
	slots      []slot              // by fd
	files      int                 // file events registered
	timers     timerHeap
	enables    uint64               // of timers, ever
	now        func() time.Duration // monotonic; a test's clock may stand in
	ready      callbackQueue        // to run in this turn
	next       callbackQueue        // to run in the next

	postsWaiting bool // this thread posted to itself
	busy         bool // the last turn had events

	progress atomic.Uint64 // twice the turns begun, less one while the loop waits: for whoever asks
}

// slot says whose fd a number is. The generation tells an event for this file from one that was
// still on its way when the number was closed and used again.
type slot struct {
	event      *FileEvent
	generation uint32
}

// Envoy: Event::LibeventScheduler::LibeventScheduler
func newLibeventScheduler(d *Dispatcher, lane *trace.Lane) *LibeventScheduler {
	defer lane.Enter(step.LibeventSchedulerCtor).Exit()
	start := time.Now()
	s := &LibeventScheduler{dispatcher: d, events: make([]kernel.EpollEvent, 128),
		now: func() time.Duration { return time.Since(start) }}
	s.ready.init()
	s.next.init()
	s.epfd = must(kernel.EpollCreate(lane))
	lane.Label(s.epfd, "ep:"+d.Name)
	var errno kernel.Errno
	if s.eventfd, errno = kernel.Eventfd(lane); errno != 0 {
		kernel.Close(lane, s.epfd)
		mustNot(errno)
	}
	lane.Label(s.eventfd, "wake:"+d.Name)
	mustNot(kernel.EpollCtl(lane, s.epfd, kernel.EPOLL_CTL_ADD, s.eventfd, kernel.EPOLLIN, 0))
	return s
}

// run turns until the run type is satisfied or Exit was asked for.
//
// Envoy: Event::LibeventScheduler::run
func (s *LibeventScheduler) run(t RunType) {
	defer s.dispatcher.lane.Enter(step.LibeventSchedulerRun).Exit()
	s.eventBaseLoop(t)
}

// eventBaseLoop stands for libevent's event_base_loop, which Envoy calls and the article ends at.
func (s *LibeventScheduler) eventBaseLoop(t RunType) {
	defer s.dispatcher.lane.Enter(step.EventBaseLoop).Exit()
	for !s.dispatcher.posts.exiting.Load() {
		if t == Block && s.nothingLeft() {
			return
		}
		s.turn(t)
		if t == NonBlock {
			return
		}
	}
}

// turn waits once and runs what became due: files first, then timers, then posts and other
// callbacks of this turn. What they schedule for the next iteration makes the next wait a look,
// not a wait.
func (s *LibeventScheduler) turn(t RunType) {
	defer s.dispatcher.lane.EnterTurn().Exit()
	timeout := s.timeout()
	if t == NonBlock {
		timeout = 0
	}
	n := s.wait(timeout)
	s.ready.takeAll(&s.next)
	for i := range n {
		s.deliver(&s.events[i])
	}
	s.fireDueTimers()
	if s.postsWaiting {
		s.postsWaiting = false
		s.dispatcher.runPostCallbacks()
	}
	s.runReady()
	if n == len(s.events) {
		s.events = make([]kernel.EpollEvent, 2*n)
	}
}

// wait is the one place that may block. A signal (EINTR) ends it like an empty answer: the next
// turn looks at the clock again.
func (s *LibeventScheduler) wait(timeout int) int {
	d := s.dispatcher
	raw := timeout == 0 || d.RawWaits && s.busy
	if raw && timeout != 0 && (timeout < 0 || timeout > rawWait) {
		timeout = rawWait
	}
	if !raw {
		d.lane.Flush()
	}
	began := d.stats.beforeWait(s.now)
	s.progress.Add(1)
	n, errno := kernel.EpollWait(d.lane, s.epfd, s.events, timeout, !raw)
	s.progress.Add(1)
	d.stats.afterWait(s.now, began, timeout)
	if errno == kernel.EINTR {
		n = 0
	} else {
		mustNot(errno) // a loop that cannot wait would spin
	}
	s.busy = n > 0
	return n
}

// deliver hands one ready fd to its file event. A stale generation is dropped: the fd it speaks
// of is gone.
func (s *LibeventScheduler) deliver(e *kernel.EpollEvent) {
	fd, generation := kernel.EventData(e)
	if fd == s.eventfd {
		s.dispatcher.lane.Cause(s.dispatcher.posts.waker())
		kernel.EventfdRead(s.dispatcher.lane, fd)
		s.postsWaiting = true
		return
	}
	if slot := &s.slots[fd]; slot.event != nil && slot.generation == generation {
		slot.event.onReady(e.Events)
	}
}

// timeout is how long the next wait may last, in ms, rounded up so that a timer is never found
// early; -1 is for ever.
func (s *LibeventScheduler) timeout() int {
	if !s.ready.isEmpty() || !s.next.isEmpty() || s.postsWaiting {
		return 0
	}
	if len(s.timers) == 0 {
		return -1
	}
	left := min(max(0, s.timers[0].due-s.now()), longestWait*time.Millisecond)
	return int((left + time.Millisecond - 1) / time.Millisecond)
}

// nothingLeft: no file, no timer, no callback and no post could ever make a turn worth while.
func (s *LibeventScheduler) nothingLeft() bool {
	return s.files == 0 && len(s.timers) == 0 && s.ready.isEmpty() && s.next.isEmpty() &&
		s.dispatcher.posts.isEmpty()
}

func (s *LibeventScheduler) close(lane *trace.Lane) {
	kernel.Close(lane, s.eventfd)
	kernel.Close(lane, s.epfd)
}

// NoLoopError is what New panics with: the kernel has no epoll instance or no eventfd to give.
type NoLoopError struct{ Errno kernel.Errno }

func (e *NoLoopError) Error() string { return "event loop: " + e.Errno.Error() }

// must and mustNot: without epoll and eventfd there is no loop, and no state worth saving.
func must(fd int, errno kernel.Errno) int {
	mustNot(errno)
	return fd
}

func mustNot(errno kernel.Errno) {
	if errno != 0 {
		panic(&NoLoopError{errno})
	}
}
