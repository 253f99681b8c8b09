package eventloop

// SchedulableCallback runs later on its own thread: in the turn that is going on, or in the next.
//
// Envoy: Event::SchedulableCallbackImpl
type SchedulableCallback struct {
	scheduler  *LibeventScheduler
	callback   func()
	event      *FileEvent // in place of callback: its injected readiness is delivered
	prev, next *SchedulableCallback
}

// CreateSchedulableCallback makes a callback that is not yet scheduled.
//
// Envoy: Event::DispatcherImpl::createSchedulableCallback
func (d *Dispatcher) CreateSchedulableCallback(f func()) *SchedulableCallback {
	return &SchedulableCallback{scheduler: d.scheduler, callback: f}
}

// ScheduleCurrentIteration runs it before this turn ends. Outside a turn that is the next one.
func (c *SchedulableCallback) ScheduleCurrentIteration() { c.schedule(&c.scheduler.ready) }

// ScheduleNextIteration runs it in the next turn, which then does not wait.
func (c *SchedulableCallback) ScheduleNextIteration() { c.schedule(&c.scheduler.next) }

func (c *SchedulableCallback) schedule(q *callbackQueue) {
	if !c.Enabled() {
		q.push(c)
	}
}

// Cancel takes it back. It is harmless when it is not scheduled.
func (c *SchedulableCallback) Cancel() {
	if c.Enabled() {
		c.prev.next, c.next.prev = c.next, c.prev
		c.prev, c.next = nil, nil
	}
}

// Enabled reports whether it is scheduled.
func (c *SchedulableCallback) Enabled() bool { return c.next != nil }

func (c *SchedulableCallback) run() {
	if c.event != nil {
		c.event.runInjected()
		return
	}
	c.callback()
}

// callbackQueue is a ring through the callbacks that are scheduled, and end, which is none. So a
// callback leaves it without being looked for, however many there are and while they run.
type callbackQueue struct{ end SchedulableCallback }

func (q *callbackQueue) init()         { q.end.prev, q.end.next = &q.end, &q.end }
func (q *callbackQueue) isEmpty() bool { return q.end.next == &q.end }

func (q *callbackQueue) push(c *SchedulableCallback) {
	last := q.end.prev
	c.prev, c.next = last, &q.end
	last.next, q.end.prev = c, c
}

// takeAll puts all of other behind its own.
func (q *callbackQueue) takeAll(other *callbackQueue) {
	if other.isEmpty() {
		return
	}
	first, last := other.end.next, other.end.prev
	q.end.prev.next, first.prev = first, q.end.prev
	last.next, q.end.prev = &q.end, last
	other.init()
}

// runReady runs this turn's callbacks, and those that they schedule for this turn.
func (s *LibeventScheduler) runReady() {
	for !s.ready.isEmpty() {
		c := s.ready.end.next
		c.Cancel() // before it runs: it may schedule itself again
		s.dispatcher.touch()
		c.run()
	}
}

// deferredDeletes are objects whose end was decided while they were still on the stack. Two lists
// take turns, so that what a delete adds waits for the next clear.
type deferredDeletes struct {
	callback *SchedulableCallback
	lists    [2][]func()
	current  int
	clearing bool
}

// DeferredDelete runs f, the end of an object, when no callback of the object can be on the stack
// any more: at the end of this turn, or before the next posts.
//
// Envoy: Event::DispatcherImpl::deferredDelete
func (d *Dispatcher) DeferredDelete(f func()) {
	list := &d.deferred.lists[d.deferred.current]
	*list = append(*list, f)
	if len(*list) == 1 {
		d.deferred.callback.ScheduleCurrentIteration()
	}
}

// ClearDeferredDeletes ends what was deferred, oldest first. Called from within itself it does
// nothing.
//
// Envoy: Event::DispatcherImpl::clearDeferredDeleteList
func (d *Dispatcher) ClearDeferredDeletes() {
	q := &d.deferred
	list := q.lists[q.current]
	if q.clearing || len(list) == 0 {
		return
	}
	defer d.lane.EnterDelete(len(list)).Exit()
	q.clearing = true
	q.current = 1 - q.current
	for i, f := range list {
		f()
		list[i] = nil
	}
	q.lists[1-q.current] = list[:0]
	q.clearing = false
}
