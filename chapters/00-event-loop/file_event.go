package eventloop

import (
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
)

// FileReady is a set of readiness bits.
//
// Envoy: Event::FileReadyType
type FileReady uint32

const (
	Read   FileReady = 1 << iota // there is something to read, or to accept
	Write                        // there is room to write
	Closed                       // the peer will send no more
)

// Trigger says when a ready file is reported: as long as it is ready, or once each time it
// becomes so.
//
// Envoy: Event::FileTriggerType
type Trigger int

const (
	Level Trigger = iota // listeners: an accept that failed for a moment is asked again
	Edge                 // connections: registered once, read until there is no more
	// Exclusive is Level, but of all dispatchers that watch one file so, the kernel wakes one or some,
	// not all. It may be enabled and disabled, but not changed: EINVAL. Envoy 1.17 has none; the
	// accept lab compares it.
	Exclusive
)

// FileEvent is the interest of one dispatcher in one fd. It belongs to that dispatcher's thread. It
// is one object, for every connection keeps one all its life.
//
// Envoy: Event::FileEventImpl
type FileEvent struct {
	dispatcher *Dispatcher
	fd         int
	trigger    Trigger
	enabled    FileReady
	injected   FileReady
	callback   func(FileReady)
	activation SchedulableCallback
}

// CreateFileEvent watches fd for the enabled bits and calls back, on this thread, when they hold.
// It does not own fd: Close the event before the fd. An errno means that the kernel would not watch
// it (no memory, too many watches); there is no event then, and the caller closes the fd: a file
// that nobody watches would wait for ever.
//
// Envoy: Event::DispatcherImpl::createFileEvent, which aborts
func (d *Dispatcher) CreateFileEvent(fd int, t Trigger, enabled FileReady,
	callback func(FileReady)) (*FileEvent, kernel.Errno) {
	defer d.lane.Enter(step.DispatcherCreateFileEvent).On(fd).Exit()
	return newFileEvent(d, fd, t, enabled, callback)
}

// fileEventCallback is what stands between the loop and every file's callback: a sign of life.
func (d *Dispatcher) fileEventCallback(callback func(FileReady), ready FileReady) {
	defer d.lane.Enter(step.FileEventCallbackWrapper).Exit()
	d.touch()
	callback(ready)
}

// Envoy: Event::FileEventImpl::FileEventImpl
func newFileEvent(d *Dispatcher, fd int, t Trigger, enabled FileReady,
	callback func(FileReady)) (*FileEvent, kernel.Errno) {
	defer d.lane.Enter(step.FileEventCtor).On(fd).Exit()
	e := &FileEvent{dispatcher: d, fd: fd, trigger: t, enabled: enabled, callback: callback}
	e.activation = SchedulableCallback{scheduler: d.scheduler, event: e}
	bits := e.assignEvents()
	if enabled == 0 {
		return e, 0
	}
	if errno := e.add(kernel.EPOLL_CTL_ADD, bits); errno != 0 {
		e.enabled = 0
		e.Close()
		return nil, errno
	}
	return e, 0
}

// assignEvents spells the interest in epoll's bits and files it under the fd.
//
// Envoy: Event::FileEventImpl::assignEvents
func (e *FileEvent) assignEvents() (bits uint32) {
	defer e.dispatcher.lane.Enter(step.FileEventAssignEvents).On(e.fd).Exit()
	s := e.dispatcher.scheduler
	for len(s.slots) <= e.fd {
		s.slots = append(s.slots, make([]slot, 64)...)
	}
	if s.slots[e.fd].event != e {
		s.slots[e.fd].event = e
		s.slots[e.fd].generation++
		s.files++
	}
	for i, bit := range [...]uint32{kernel.EPOLLIN, kernel.EPOLLOUT, kernel.EPOLLRDHUP} {
		if e.enabled&(Read<<i) != 0 {
			bits |= bit
		}
	}
	switch e.trigger {
	case Edge:
		bits |= kernel.EPOLLET
	case Exclusive:
		bits |= kernel.EPOLLEXCLUSIVE
	}
	return bits
}

// add tells epoll: from now on this thread is woken for the fd.
//
// Envoy: event_add, in Event::FileEventImpl::FileEventImpl
func (e *FileEvent) add(op int, bits uint32) kernel.Errno {
	defer e.dispatcher.lane.Enter(step.FileEventAdd).On(e.fd).Exit()
	s := e.dispatcher.scheduler
	return kernel.EpollCtl(e.dispatcher.lane, s.epfd, op, e.fd, bits, s.slots[e.fd].generation)
}

// SetEnabled changes the interest and forgets what was injected. An edge is armed anew, even by the
// same bits, as later Envoys do: a file that is ready now is reported again. An errno means that the
// kernel had no memory for it: nothing is watched then, and the caller asks again later or closes
// the fd.
//
// Envoy: Event::FileEventImpl::setEnabled
func (e *FileEvent) SetEnabled(enabled FileReady) kernel.Errno {
	e.injected = 0
	e.activation.Cancel()
	if e.enabled == enabled && (e.trigger != Edge || enabled == 0) {
		return 0
	}
	op := operation(e.enabled, enabled)
	e.enabled = enabled
	bits := e.assignEvents()
	errno := e.add(op, bits)
	if errno == kernel.EEXIST { // the kernel did not take it out when it was told to
		errno = e.add(kernel.EPOLL_CTL_MOD, bits)
	}
	if errno != 0 && op == kernel.EPOLL_CTL_ADD {
		e.enabled = 0
	}
	return errno
}

// operation is how epoll is told of a new interest. Without any the fd leaves epoll, which would
// report a hang-up all the same, and a level for ever.
func operation(old, enabled FileReady) int {
	switch {
	case old == 0:
		return kernel.EPOLL_CTL_ADD
	case enabled == 0:
		return kernel.EPOLL_CTL_DEL
	}
	return kernel.EPOLL_CTL_MOD
}

// Activate injects readiness that the kernel did not report. It is delivered in the next turn, or
// with a real event if one comes first.
//
// Envoy: Event::FileEventImpl::activate
func (e *FileEvent) Activate(ready FileReady) {
	defer e.dispatcher.lane.Enter(step.FileEventActivate).On(e.fd).Exit()
	e.injected |= ready
	e.activation.ScheduleNextIteration()
}

// runInjected delivers injected bits when no real event came to carry them.
//
// Envoy: activation_cb_ in Event::FileEventImpl::FileEventImpl
func (e *FileEvent) runInjected() {
	defer e.dispatcher.lane.Enter(step.FileEventActivationCallback).On(e.fd).Exit()
	e.mergeInjectedEventsAndRunCb(0)
}

// onReady turns epoll's bits into ours. An error or a hang-up wakes whoever is there: the next
// call on the fd will say what it was.
//
// Envoy: the callback given to event_assign in Event::FileEventImpl::assignEvents
func (e *FileEvent) onReady(bits uint32) {
	ready := e.readiness(bits)
	if ready == 0 {
		return // an earlier callback of this turn changed the interest
	}
	defer e.dispatcher.lane.EnterEvent(step.FileEventLibeventCallback, e.fd, uint32(ready)).Exit()
	e.mergeInjectedEventsAndRunCb(ready)
}

func (e *FileEvent) readiness(bits uint32) (ready FileReady) {
	if bits&(kernel.EPOLLERR|kernel.EPOLLHUP) != 0 {
		ready |= Read | Write
	}
	if bits&kernel.EPOLLIN != 0 {
		ready |= Read
	}
	if bits&kernel.EPOLLOUT != 0 {
		ready |= Write
	}
	if bits&kernel.EPOLLRDHUP != 0 {
		ready |= Closed
	}
	if ready &= e.enabled; ready == 0 && bits&(kernel.EPOLLERR|kernel.EPOLLHUP) != 0 {
		return e.enabled // unheard, a level would be reported for ever
	}
	return ready
}

// mergeInjectedEventsAndRunCb runs the callback once for everything. The callback may close the
// event.
//
// Envoy: Event::FileEventImpl::mergeInjectedEventsAndRunCb
func (e *FileEvent) mergeInjectedEventsAndRunCb(ready FileReady) {
	defer e.dispatcher.lane.Enter(step.MergeInjectedEvents).Exit()
	if e.injected != 0 {
		ready |= e.injected
		e.injected = 0
		e.activation.Cancel()
	}
	e.dispatcher.fileEventCallback(e.callback, ready)
}

// Close ends the interest. The fd must still be open, or the number may already be somebody else's.
func (e *FileEvent) Close() {
	s := e.dispatcher.scheduler
	if s.slots[e.fd].event != e {
		return
	}
	e.activation.Cancel()
	if e.enabled != 0 {
		kernel.EpollCtl(e.dispatcher.lane, s.epfd, kernel.EPOLL_CTL_DEL, e.fd, 0, 0)
	}
	s.slots[e.fd].event = nil
	s.files--
}
