package eventloop

// SchedulableCallback runs later on its own thread: in the turn that is going on, or in the next.
//
// Envoy: Event::SchedulableCallbackImpl
type SchedulableCallback struct {
	scheduler *LibeventScheduler
	callback  func()
	scheduled bool
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

func (c *SchedulableCallback) schedule(list *[]*SchedulableCallback) {
	if !c.scheduled {
		c.scheduled = true
		*list = append(*list, c)
	}
}

// Cancel takes it back. It is harmless when it is not scheduled.
func (c *SchedulableCallback) Cancel() {
	if !c.scheduled {
		return
	}
	c.scheduled = false
	for _, list := range [...]*[]*SchedulableCallback{&c.scheduler.ready, &c.scheduler.next} {
		for i, other := range *list {
			if other == c {
				(*list)[i] = nil // its place stays: the list may be running
			}
		}
	}
}

// Enabled reports whether it is scheduled.
func (c *SchedulableCallback) Enabled() bool { return c.scheduled }

// runReady runs this turn's callbacks, and those that they schedule for this turn.
func (s *LibeventScheduler) runReady() {
	for i := 0; i < len(s.ready); i++ {
		if c := s.ready[i]; c != nil {
			c.scheduled = false
			s.dispatcher.touch()
			c.callback()
		}
	}
	clear(s.ready)
	s.ready = s.ready[:0]
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
