package threading

import (
	"sync/atomic"

	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
)

// ActiveTcpListener is a listener on one thread: what is done with each socket that its
// TcpListener accepts.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener, over ActiveListenerImplBase
// (step: active-listener-impl-base) and the interface Network::ConnectionHandler::ActiveListener
// (step: active-listener-interface). TcpListener calls it back through Network::TcpListenerCallbacks
// (step: tcp-listener-callbacks).
type ActiveTcpListener struct {
	handler     *ConnectionHandler
	config      *listensocket.Listener // this thread's; others know the listener by its tag
	tag         uint64                 // never changes
	shared      *shared
	listener    *TcpListener // nil once stopped
	connections Connections
	open        atomic.Int64 // connections here: what the exact balancer compares
	limitKey    string       // of the runtime
	stats       listenerStats
}

// listenerStats are the listener.<address>.* stats that this chapter counts, and two of our own:
// accepts that failed for one peer only, and times that accepting paused for want of fds or
// memory.
//
// Envoy: ALL_LISTENER_STATS, ALL_PER_HANDLER_LISTENER_STATS
type listenerStats struct {
	overflow, overloadReject, globalOverflow *stats.Counter
	acceptSkipped, acceptPaused              *stats.Counter
}

// shared is what one listener's copies on all workers have in common.
type shared struct {
	open     atomic.Int64 // connections on all workers: the per-listener limit counts these
	balancer balancer
}

// share makes the common part, on main, before any worker has the listener.
func share(l *listensocket.Listener) {
	if l.Shared != nil {
		return
	}
	s := &shared{}
	if l.Config.GetConnectionBalanceConfig().GetExactBalance() != nil {
		s.balancer.exact = true
	}
	l.Shared = s
}

// newActiveTcpListener gets a socket, and listens and accepts on it if the listener binds to its
// port.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::ActiveTcpListener
func newActiveTcpListener(h *ConnectionHandler, l *listensocket.Listener,
	c func(*ActiveTcpListener) Connections) (*ActiveTcpListener, error) {
	defer h.lane().Enter(step.ActiveTcpListenerCtor).Of(l.Name).Exit()
	socket, err := getListenSocket(h.lane(), l.SocketFactory, h.dispatcher.Name)
	if err != nil {
		return nil, err
	}
	a := &ActiveTcpListener{handler: h, config: l, tag: l.Tag, shared: l.Shared.(*shared),
		limitKey: startup.ListenerConnectionLimit(l.Name), stats: listenerStats{
			overflow:       l.Scope.Counter("downstream_cx_overflow"),
			overloadReject: l.Scope.Counter("downstream_cx_overload_reject"),
			globalOverflow: l.Scope.Counter("downstream_global_cx_overflow"),
			acceptSkipped:  l.Scope.Counter("accept_skipped"),
			acceptPaused:   l.Scope.Counter("accept_paused")}}
	a.connections = c(a)
	if a.listener, err = createListener(h.dispatcher, socket, a); err != nil {
		socket.Handle.Close(h.lane())
		return nil, err
	}
	a.shared.balancer.register(a)
	return a, nil
}

// Config is the listener as this thread knows it.
func (a *ActiveTcpListener) Config() *listensocket.Listener { return a.config }

// Handler is the connection handler of the listener's thread.
func (a *ActiveTcpListener) Handler() *ConnectionHandler { return a.handler }

// Connections are what the listener's sockets became here.
func (a *ActiveTcpListener) Connections() Connections { return a.connections }

// Stopped says that it accepts nobody any more; its connections live on.
func (a *ActiveTcpListener) Stopped() bool { return a.listener == nil }

// onAccept takes over a socket: closes it if the listener has enough, else finds it a worker.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::onAccept
func (a *ActiveTcpListener) onAccept(s *AcceptedSocket) {
	defer a.handler.lane().EnterStory(s.story, step.OnAccept).Exit()
	if a.listenerConnectionLimitReached() {
		a.stats.overflow.Inc()
		s.Fail()
		return
	}
	a.onAcceptWorker(s, false)
}

// listenerConnectionLimitReached asks the limit that all workers of the listener share. The admin's
// listener has none.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::listenerConnectionLimitReached
func (a *ActiveTcpListener) listenerConnectionLimitReached() bool {
	defer a.handler.lane().Enter(step.ListenerConnectionLimit).Exit()
	if a.config.SocketFactory.Single {
		return false
	}
	limit := a.handler.instance.Runtime.Integer(a.handler.dispatcher, a.limitKey, startup.NoLimit)
	return uint64(a.shared.open.Load()) >= limit
}

// onAcceptWorker serves the socket here, or sends it to the worker that the balancer chose.
// rebalanced: that was decided already.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::onAcceptWorker
func (a *ActiveTcpListener) onAcceptWorker(s *AcceptedSocket, rebalanced bool) {
	defer a.handler.lane().EnterStory(s.story, step.OnAcceptWorker).Exit()
	if !rebalanced {
		s.counted = a.pickTargetHandler()
		if s.counted != a {
			s.counted.post(a, s)
			return
		}
	}
	a.connections.OnAcceptedSocket(s)
}

// count adds to the connections of this worker's listener, of the listener on all workers, and of
// the thread: from the moment the balancer chose, so that neither it nor a limit overlooks a
// socket that is still on its way.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::incNumConnections, decNumConnections
func (a *ActiveTcpListener) count(n int64) {
	a.open.Add(n)
	a.shared.open.Add(n)
	a.handler.connections.Add(n)
}

// post sends an accepted socket to the thread of a. The listener may be gone when it arrives.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::post
func (a *ActiveTcpListener) post(from *ActiveTcpListener, s *AcceptedSocket) {
	defer from.handler.lane().Enter(step.ActiveTcpListenerPost).Exit()
	h, tag := a.handler, a.tag
	h.dispatcher.Post(from.handler.dispatcher, step.ActiveTcpListenerPost, func() {
		s.lane = h.lane()
		if there := h.byTag(tag); there != nil {
			there.onAcceptWorker(s, true)
			return
		}
		s.Fail()
	})
}

// reject is why an accepted socket was closed at once.
type reject int

const (
	globalCxLimit reject = iota
	overloadAction
)

// onReject counts it.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::onReject
func (a *ActiveTcpListener) onReject(why reject) {
	defer a.handler.lane().Enter(step.OnReject).Exit()
	switch why {
	case globalCxLimit:
		a.stats.globalOverflow.Inc()
	case overloadAction:
		a.stats.overloadReject.Inc()
	}
}

// updateListenerConfig: later connections see the new configuration.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::updateListenerConfig
func (a *ActiveTcpListener) updateListenerConfig(l *listensocket.Listener) {
	defer a.handler.lane().Enter(step.UpdateListenerConfig).Of(l.Name).Exit()
	a.config = l
}

// pauseListening leaves connections in the kernel's queue until resumeListening.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::pauseListening
func (a *ActiveTcpListener) pauseListening() {
	defer a.handler.lane().Enter(step.ListenerPause).Exit()
	if a.listener != nil {
		a.listener.disable()
	}
}

func (a *ActiveTcpListener) resumeListening() {
	if a.listener != nil {
		a.listener.enable()
	}
}

func (a *ActiveTcpListener) setRejectFraction(f float64) {
	if a.listener != nil {
		a.listener.setRejectFraction(f)
	}
}

// acceptQueued takes who is in the kernel's queue already: closing the last fd of it would reset them.
func (a *ActiveTcpListener) acceptQueued() {
	if a.listener != nil {
		a.listener.acceptQueued()
	}
}

// shutdownListener closes this thread's listen fd; who is still in the shared queue stays there
// for others.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::shutdownListener
func (a *ActiveTcpListener) shutdownListener() {
	if a.listener != nil {
		a.shared.balancer.unregister(a)
		a.listener.close()
		a.listener = nil
	}
}

func (a *ActiveTcpListener) close() {
	a.shutdownListener()
	a.connections.Close()
}
