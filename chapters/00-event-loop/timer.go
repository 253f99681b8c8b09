package eventloop

import (
	"container/heap"
	"math"
	"time"
)

// Timer calls back once, some time after Enable. It belongs to its dispatcher's thread.
//
// Envoy: Event::TimerImpl
type Timer struct {
	// Housekeeping marks a timer that only looks after the process. A turn that ran nothing else is
	// idle, and the trace folds it.
	Housekeeping bool

	dispatcher *Dispatcher
	name       string
	callback   func()
	due        time.Duration
	order      uint64 // among all that were ever enabled here
	place      int    // in the heap, -1 when not enabled
}

// CreateTimer makes a timer that is not yet enabled. The name is for the trace.
//
// Envoy: Event::DispatcherImpl::createTimer
func (d *Dispatcher) CreateTimer(name string, callback func()) *Timer {
	return &Timer{dispatcher: d, name: name, callback: callback, place: -1}
}

// Enable starts the timer, or starts it anew. It is never early and may be late by a millisecond
// and by what else the loop has to do.
func (t *Timer) Enable(after time.Duration) {
	s := t.dispatcher.scheduler
	s.enables++
	now := s.now()
	t.due, t.order = now+min(after, math.MaxInt64-now), s.enables
	if t.place >= 0 {
		heap.Fix(&s.timers, t.place)
		return
	}
	heap.Push(&s.timers, t)
}

// Disable stops the timer. It is harmless when the timer does not run.
func (t *Timer) Disable() {
	if t.place >= 0 {
		heap.Remove(&t.dispatcher.scheduler.timers, t.place)
	}
}

// Enabled reports whether the timer runs.
func (t *Timer) Enabled() bool { return t.place >= 0 }

// fireDueTimers runs the timers that were due when it began; what they enable waits for a later
// turn.
func (s *LibeventScheduler) fireDueTimers() {
	if len(s.timers) == 0 {
		return
	}
	now, last := s.now(), s.enables
	for len(s.timers) > 0 && s.timers[0].due <= now && s.timers[0].order <= last {
		heap.Pop(&s.timers).(*Timer).fire()
	}
}

func (t *Timer) fire() {
	defer t.dispatcher.lane.EnterTimer(t.name, t.Housekeeping).Exit()
	t.dispatcher.touch()
	t.callback()
}

// timerHeap is container/heap's view of the timers: the first due first, of several the first
// enabled.
type timerHeap []*Timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].order < h[j].order
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *timerHeap) Push(t any) {
	t.(*Timer).place = len(*h)
	*h = append(*h, t.(*Timer))
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.place = -1
	return t
}
