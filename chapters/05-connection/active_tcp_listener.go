package connection

import (
	"time"

	listensocket "envoywalk/chapters/02-listen-socket"
	threading "envoywalk/chapters/04-threading"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/internal/streaminfo"
)

// activeListener is the part of an ActiveTcpListener that this chapter adds: what becomes of its
// accepted sockets. One thread's.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener
type activeListener struct {
	active  *threading.ActiveTcpListener
	seams   *Seams
	thread  *Thread
	stats   connectionStats
	waiting []*ActiveTcpSocket // listener filters are not done with them
	chains  map[FilterChain]*ActiveConnections
	length  *stats.Histogram
	open    int  // lives that have not ended
	flushed bool // the server stops: nobody new is served
}

// connectionStats are the listener.<address>.* stats of connections, of all workers and of this one.
//
// Envoy: ALL_LISTENER_STATS, ALL_PER_HANDLER_LISTENER_STATS
type connectionStats struct {
	total, destroy, preTimeout, noMatch *stats.Counter
	active, preActive                   *stats.Gauge
	workerTotal                         *stats.Counter
	workerActive                        *stats.Gauge
}

func newActiveListener(s *Seams, a *threading.ActiveTcpListener) *activeListener {
	scope, worker := a.Config().Scope, a.Handler().Dispatcher().Name+"."
	return &activeListener{active: a, seams: s, thread: threadOf(a.Handler()),
		chains: map[FilterChain]*ActiveConnections{}, stats: connectionStats{
			total:        scope.Counter("downstream_cx_total"),
			destroy:      scope.Counter("downstream_cx_destroy"),
			preTimeout:   scope.Counter("downstream_pre_cx_timeout"),
			noMatch:      scope.Counter("no_filter_chain_match"),
			active:       scope.Gauge("downstream_cx_active"),
			preActive:    scope.Gauge("downstream_pre_cx_active"),
			workerTotal:  scope.Counter(worker + "downstream_cx_total"),
			workerActive: scope.Gauge(worker + "downstream_cx_active")}}
}

func (l *activeListener) config() *listensocket.Listener { return l.active.Config() }

// lengths is how long connections lived, in ms. A histogram is 14 KB: a listener that nobody
// connects to has none.
func (l *activeListener) lengths() *stats.Histogram {
	if l.length == nil {
		l.length = l.config().Scope.Histogram("downstream_cx_length_ms")
	}
	return l.length
}

// OnAcceptedSocket implements threading.Connections.
func (l *activeListener) OnAcceptedSocket(s *threading.AcceptedSocket) {
	l.onAcceptedSocket(s, l.config().Config.GetUseOriginalDst().GetValue())
}

// onAcceptedSocket runs the listener filters. handOff: a socket whose address they restore goes to
// the listener of that address.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::onAcceptWorker, its second half
func (l *activeListener) onAcceptedSocket(s *threading.AcceptedSocket, handOff bool) {
	if l.flushed {
		s.Close()
		return
	}
	a := newActiveTcpSocket(l, s, handOff)
	createListenerFilterChain(l.config(), a)
	a.ContinueFilterChain(true)
	if a.waiting() {
		a.startTimer(l.config().FiltersTimeout)
		a.place = len(l.waiting)
		l.waiting = append(l.waiting, a)
	}
}

// createListenerFilterChain gives the socket its own listener filters.
//
// Envoy: Server::ListenerImpl::createListenerFilterChain
func createListenerFilterChain(l *listensocket.Listener, s *ActiveTcpSocket) {
	defer s.Lane().Enter(step.CreateListenerFilterChain).Of(l.Name).Exit()
	factories, _ := l.ListenerFilters.([]ListenerFilterFactory)
	for _, f := range factories {
		s.filters = append(s.filters, f(s))
	}
}

// forget takes a socket off the list of those that wait.
func (l *activeListener) forget(s *ActiveTcpSocket) {
	if s.place < 0 {
		return
	}
	last := len(l.waiting) - 1
	l.waiting[s.place] = l.waiting[last]
	l.waiting[s.place].place = s.place
	l.waiting[last] = nil
	l.waiting, s.place = l.waiting[:last], -1
}

// newConnection gives the socket a filter chain, a connection, and the chain's filters. A socket
// that no chain wants is closed; so is a connection without filters.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::newConnection
func (l *activeListener) newConnection(s *ActiveTcpSocket) {
	defer s.Lane().Enter(step.ActiveTcpListenerNewConnection).On(s.FD()).Exit()
	chain := l.seams.FindFilterChain(l.config(), s)
	if chain == nil {
		l.noMatch(s)
		return
	}
	transport := chain.CreateTransportSocket(s.Lane())
	a := &ActiveTcpConnection{life: newLife(l, s.Accepted),
		group: l.getOrCreateActiveConnections(chain)}
	a.Connection = createServerConnection(s, transport, &a.life)
	if timeout := chain.TransportSocketConnectTimeout(); timeout > 0 {
		setTransportSocketConnectTimeout(a.Connection, timeout)
	}
	a.begin()
	a.SetBufferLimits(bufferLimit(l.config()))
	if !l.seams.CreateNetworkFilterChain(l.config(), a.Connection, chain) {
		a.log("closing connection: no filters")
		a.Close(NoFlush)
	}
	if a.State() == Closed {
		l.discard(a)
		return
	}
	a.log("new connection")
	a.AddConnectionCallbacks(a)
	a.group.add(a)
}

// noMatch closes a socket that no filter chain is for.
func (l *activeListener) noMatch(s *ActiveTcpSocket) {
	l.thread.Log.Debug("closing connection: no matching filter chain found")
	l.stats.noMatch.Inc()
	s.Info.Set(streaminfo.NoRouteFound)
	s.Info.ResponseCodeDetails = "filter_chain_not_found"
	emitLogs(s.Lane(), s.Story(), l.config().AccessLogs, s.Info, time.Now())
	s.Accepted.Fail()
}

const defaultBufferLimit = 1 << 20 // of per_connection_buffer_limit_bytes

func bufferLimit(l *listensocket.Listener) uint32 {
	if limit := l.Config.GetPerConnectionBufferLimitBytes(); limit != nil {
		return limit.GetValue()
	}
	return defaultBufferLimit
}

// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::getOrCreateActiveConnections
func (l *activeListener) getOrCreateActiveConnections(chain FilterChain) *ActiveConnections {
	defer l.thread.Lane().Enter(step.GetOrCreateActiveConnections).Exit()
	g := l.chains[chain]
	if g == nil {
		g = &ActiveConnections{listener: l, chain: chain}
		l.chains[chain] = g
	}
	return g
}

// removeConnection takes a closed connection off its list. It is settled when nothing of it can be
// on the stack any more.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::removeConnection
func (l *activeListener) removeConnection(a *ActiveTcpConnection) {
	defer l.thread.Lane().Enter(step.RemoveConnection).Exit()
	a.log("adding to cleanup list")
	a.group.remove(a)
	if len(a.group.connections) == 0 {
		delete(l.chains, a.group.chain)
	}
	l.discard(a)
}

func (l *activeListener) discard(a *ActiveTcpConnection) {
	l.thread.Dispatcher.DeferredDelete(a.settle)
}
