package threading

import (
	"math"
	"math/rand/v2"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
)

// TcpListener joins a listen socket to a dispatcher: it listens, watches, and accepts. It does
// not bind.
//
// Envoy: Network::TcpListenerImpl, over BaseListenerImpl
type TcpListener struct {
	baseListener
	callbacks      *ActiveTcpListener
	backlog        int
	maxAccepts     int
	rejectFraction float64
	event          *eventloop.FileEvent // nil when the listener does not bind, or broke
	resume         *eventloop.Timer     // after a pause for want of fds or memory
	disabled       bool                 // by an overload action
	short          bool                 // of fds or memory, and told
	barren         int                  // events in a row that only skipped
}

// createListener puts a listener on d. Only on d's own thread.
//
// Envoy: Event::DispatcherImpl::createListener
func createListener(d *eventloop.Dispatcher, s *listensocket.ListenSocket,
	a *ActiveTcpListener) (*TcpListener, error) {
	defer d.Lane().Enter(step.DispatcherCreateListener).On(s.Handle.FD).Exit()
	return newTcpListener(d, s, a)
}

// Envoy: Network::TcpListenerImpl::TcpListenerImpl
func newTcpListener(d *eventloop.Dispatcher, s *listensocket.ListenSocket,
	a *ActiveTcpListener) (*TcpListener, error) {
	defer d.Lane().Enter(step.TcpListenerImplCtor).On(s.Handle.FD).Exit()
	l := &TcpListener{baseListener: newBaseListener(d, s), callbacks: a,
		backlog: a.config.Backlog, maxAccepts: a.config.MaxAccepts}
	if l.maxAccepts == 0 {
		l.maxAccepts = math.MaxInt
	}
	if !a.config.BindToPort {
		return l, nil
	}
	return l, l.setupServerSocket()
}

// setupServerSocket makes the socket passive and watches it, level-triggered: an accept that
// fails for a moment must be asked again.
//
// Envoy: Network::TcpListenerImpl::setupServerSocket
func (l *TcpListener) setupServerSocket() error {
	defer l.dispatcher.Lane().Enter(step.SetupServerSocket).On(l.socket.Handle.FD).Exit()
	if errno := ioHandleListen(l.dispatcher.Lane(), l.socket.Handle, l.backlog); errno != 0 {
		return &listenError{"listen on", l.socket.Address, errno}
	}
	var errno kernel.Errno
	l.event, errno = initializeFileEvent(l.dispatcher, l.socket.Handle,
		l.callbacks.handler.seams.ListenTrigger, eventloop.Read, l.onSocketEvent)
	if errno != 0 {
		return &listenError{"watch", l.socket.Address, errno}
	}
	if err := applyListeningOptions(l.dispatcher.Lane(), l.socket); err != nil {
		l.event.Close()
		return err
	}
	return nil
}

// maxSkips bounds what one event may skip: a kernel that refuses every peer must not hold the loop.
const maxSkips = 64

// maxBarren such events in a row mean that it is not this peer: without a pause the loop would spin.
const maxBarren = 16

// onSocketEvent accepts until there is nobody left, or the event's share is used up. The listener
// is level-triggered: to leave early loses nothing. It may have been closed when this returns.
//
// Envoy: Network::TcpListenerImpl::onSocketEvent, which ends at any errno
func (l *TcpListener) onSocketEvent(eventloop.FileReady) {
	defer l.dispatcher.Lane().Enter(step.OnSocketEvent).On(l.socket.Handle.FD).Exit()
	skips, last := 0, kernel.Errno(0)
	for n := 0; n < l.maxAccepts && l.event != nil && skips < maxSkips; n++ {
		s, errno := l.ioHandleAccept()
		switch fateOf(errno) {
		case got:
			l.short, l.barren = false, 0
			l.onAccepted(s)
		case skipped:
			skips, last = skips+1, errno
			l.callbacks.stats.acceptSkipped.Inc()
		case drained:
			return
		case exhausted:
			l.pause(errno)
			return
		case broken:
			l.end(errno)
			return
		}
	}
	if skips == maxSkips && l.event != nil {
		if l.barren++; l.barren >= maxBarren {
			l.pause(last)
		}
	}
}

// onAccepted closes what is too much for the process, or what an overload action rejects, and
// hands on the rest.
func (l *TcpListener) onAccepted(a accepted) {
	lane := l.dispatcher.Lane()
	switch {
	case l.rejectCxOverGlobalLimit():
		kernel.Close(lane, a.fd)
		l.callbacks.onReject(globalCxLimit)
	case l.rejectFraction > 0 && rand.Float64() < l.rejectFraction:
		kernel.Close(lane, a.fd)
		l.callbacks.onReject(overloadAction)
	default:
		l.callbacks.onAccept(newAcceptedSocket(l, a))
	}
}

// rejectCxOverGlobalLimit compares the process's accepted sockets with the runtime's limit. The
// socket was accepted already: there is no other way to refuse it.
//
// Envoy: Network::TcpListenerImpl::rejectCxOverGlobalLimit
func (l *TcpListener) rejectCxOverGlobalLimit() bool {
	defer l.dispatcher.Lane().Enter(step.RejectCxOverGlobalLimit).Exit()
	h := l.callbacks.handler
	if h.instance.Runtime == nil {
		return false
	}
	limit := h.instance.Runtime.Integer(l.dispatcher, startup.GlobalConnectionLimit, startup.NoLimit)
	return uint64(h.seams.process.accepted.Load()) >= limit
}

// retryAfter is how long a listener rests when the process has no fd or memory for another
// connection.
const retryAfter = 100 * time.Millisecond

// pause takes the listener out of epoll's sight for a moment. Level-triggered as it is, it would
// otherwise be reported for ever, and the loop would spin.
func (l *TcpListener) pause(errno kernel.Errno) {
	l.dispatcher.Lane().Note("accept.paused.errno", int64(errno))
	l.callbacks.stats.acceptPaused.Inc()
	if !l.short {
		l.short = true
		l.callbacks.config.Log().Warn("listener '%s' pauses accepting: %s",
			l.callbacks.config.Name, kernel.Describe(errno))
	}
	l.event.SetEnabled(0)
	l.retryLater()
}

func (l *TcpListener) retryLater() {
	if l.resume == nil {
		l.resume = l.dispatcher.CreateTimer("resume accepting", l.resumeAccepting)
	}
	l.resume.Enable(retryAfter)
}

// resumeAccepting watches the socket again; without memory even for that, it tries later.
func (l *TcpListener) resumeAccepting() {
	if l.event != nil && !l.disabled && l.event.SetEnabled(eventloop.Read) != 0 {
		l.retryLater()
	}
}

// end gives up on a socket that will never accept again: says so once, and leaves epoll.
func (l *TcpListener) end(errno kernel.Errno) {
	l.dispatcher.Lane().Note("accept.ended.errno", int64(errno))
	l.callbacks.config.Log().Error("listener '%s' cannot accept any more: %s",
		l.callbacks.config.Name, kernel.Describe(errno))
	l.event.Close()
	l.event = nil
}

// setRejectFraction: 0 rejects nobody, 1 everybody.
//
// Envoy: Network::TcpListenerImpl::setRejectFraction
func (l *TcpListener) setRejectFraction(f float64) {
	defer l.dispatcher.Lane().Enter(step.SetRejectFraction).Exit()
	l.rejectFraction = f
}

// Envoy: Network::TcpListenerImpl::disable
func (l *TcpListener) disable() {
	l.disabled = true
	if l.event != nil {
		l.event.SetEnabled(0)
	}
}

// Envoy: Network::TcpListenerImpl::enable
func (l *TcpListener) enable() {
	l.disabled = false
	if l.event != nil && (l.resume == nil || !l.resume.Enabled()) {
		l.resumeAccepting()
	}
}

// longestQueue bounds what acceptQueued takes: clients that never stop coming must not hold the stop.
const longestQueue = 1 << 16

// acceptQueued takes everybody whom the kernel has queued, however few an event may take.
func (l *TcpListener) acceptQueued() {
	if l.event != nil && !l.disabled {
		l.maxAccepts = longestQueue
		l.onSocketEvent(eventloop.Read)
	}
}

// close leaves epoll and closes this thread's fd.
func (l *TcpListener) close() {
	if l.resume != nil {
		l.resume.Disable()
	}
	if l.event != nil {
		l.event.Close()
		l.event = nil
	}
	l.socket.Handle.Close(l.dispatcher.Lane())
}
