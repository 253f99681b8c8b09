package connection

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	threading "envoywalk/chapters/04-threading"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/internal/streaminfo"
	"envoywalk/trace"
)

// FilterStatus is a listener filter's answer.
//
// Envoy: Network::FilterStatus
type FilterStatus int

const (
	Continue      FilterStatus = iota
	StopIteration              // the filter calls ContinueFilterChain later, or has closed the socket
)

// ListenerFilter looks at a socket before there is a connection.
//
// Envoy: Network::ListenerFilter
type ListenerFilter interface {
	OnAccept(*ActiveTcpSocket) FilterStatus
	OnDestroy() // gives back what the filter registered, on the socket's thread; the fd is still open
}

// ActiveTcpSocket is an accepted socket while listener filters run on it. One thread's.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket
type ActiveTcpSocket struct {
	Accepted *threading.AcceptedSocket // its FD is -1 once closed
	Info     *streaminfo.StreamInfo

	// What listener filters found out.
	TransportProtocol    string // "raw_buffer" if nobody says otherwise
	ServerName           string // in lower case
	ApplicationProtocols []string

	listener      *activeListener
	handOff       bool // use_original_dst: to the listener of the restored address
	localRestored bool
	filters       []ListenerFilter
	next          int // the filter to ask next
	timer         *eventloop.Timer
	place         int  // among the waiting sockets, -1 when not there
	connected     bool // it became a connection
}

// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket::ActiveTcpSocket
func newActiveTcpSocket(l *activeListener, s *threading.AcceptedSocket, handOff bool) *ActiveTcpSocket {
	defer l.thread.Lane().Enter(step.ActiveTcpSocketCtor).Exit()
	l.stats.preActive.Inc()
	return &ActiveTcpSocket{Accepted: s, listener: l, handOff: handOff, place: -1,
		Info: &streaminfo.StreamInfo{Start: time.Now(), ConnectionID: s.Connection,
			DownstreamRemote: s.Remote, DownstreamDirectRemote: s.Remote, DownstreamLocal: s.Local}}
}

// Lane is the thread's.
func (s *ActiveTcpSocket) Lane() *trace.Lane { return s.listener.thread.Lane() }

// Dispatcher is the thread's.
func (s *ActiveTcpSocket) Dispatcher() *eventloop.Dispatcher { return s.listener.thread.Dispatcher }

// FD is the socket's, -1 once closed.
func (s *ActiveTcpSocket) FD() int { return s.Accepted.FD }

// Story is the connection's trace.
func (s *ActiveTcpSocket) Story() trace.Story { return s.Accepted.Story() }

// Local is the address that the client connected to.
func (s *ActiveTcpSocket) Local() *network.Address { return s.Accepted.Local }

// Remote is the client's.
func (s *ActiveTcpSocket) Remote() *network.Address { return s.Accepted.Remote }

// SetLocalAddress corrects Local. restored: it is where the client wanted to go before somebody
// redirected it.
func (s *ActiveTcpSocket) SetLocalAddress(a *network.Address, restored bool) {
	s.Accepted.Local, s.Info.DownstreamLocal = a, a
	s.localRestored = s.localRestored || restored
}

// SetRemoteAddress corrects Remote: somebody in between told who the client really is.
func (s *ActiveTcpSocket) SetRemoteAddress(a *network.Address) {
	s.Accepted.Remote, s.Info.DownstreamRemote = a, a
}

// Close closes the socket: the filter that is asked, or was waited for, gives it up.
func (s *ActiveTcpSocket) Close() {
	if s.Accepted.FD >= 0 {
		s.dropFilters()
		s.Accepted.Fail()
	}
}

// ContinueFilterChain goes on with the next filter, or, without success, gives the socket up. After
// the last filter there is a connection.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket::continueFilterChain
func (s *ActiveTcpSocket) ContinueFilterChain(success bool) {
	defer s.Lane().EnterStory(s.Story(), step.ContinueFilterChain).On(s.Accepted.FD).Exit()
	if !success {
		s.Close()
	}
	for s.FD() >= 0 && s.next < len(s.filters) {
		filter := s.filters[s.next]
		s.next++
		if filter.OnAccept(s) == StopIteration && s.FD() >= 0 {
			return // it calls again
		}
	}
	if s.FD() >= 0 {
		s.newConnection()
	}
	s.unlink()
}

// waiting: a filter has stopped the iteration and has not called again.
func (s *ActiveTcpSocket) waiting() bool { return !s.connected && s.FD() >= 0 }

// startTimer bounds how long filters may wait.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket::startTimer
func (s *ActiveTcpSocket) startTimer(timeout time.Duration) {
	defer s.Lane().Enter(step.ListenerFilterTimer).Exit()
	if timeout > 0 {
		s.timer = s.Dispatcher().CreateTimer("listener filters timeout", s.onTimeout)
		s.timer.Enable(timeout)
	}
}

// onTimeout goes on without what the filters would have found out, or gives up.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket::onTimeout
func (s *ActiveTcpSocket) onTimeout() {
	s.listener.stats.preTimeout.Inc()
	s.listener.thread.Log.Debug("listener filter times out after %d ms",
		s.listener.config().FiltersTimeout.Milliseconds())
	if s.listener.config().Config.GetContinueOnListenerFiltersTimeout() {
		s.newConnection()
	}
	s.unlink()
}

// unlink ends the socket's time here. One that became no connection is logged, and closed if nobody
// did.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket::unlink, ~ActiveTcpSocket
func (s *ActiveTcpSocket) unlink() {
	s.listener.forget(s)
	if s.timer != nil {
		s.timer.Disable()
	}
	s.listener.stats.preActive.Dec()
	if !s.connected {
		emitLogs(s.Lane(), s.Story(), s.listener.config().AccessLogs, s.Info, time.Now())
		s.Close()
	}
}

func (s *ActiveTcpSocket) dropFilters() {
	for _, f := range s.filters {
		f.OnDestroy()
	}
	s.filters = nil
}

// newConnection hands a redirected socket to the listener that it was meant for, or makes a
// connection of it here. Listener filters are gone first: what they watched is watched anew.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket::newConnection
func (s *ActiveTcpSocket) newConnection() {
	defer s.Lane().EnterStory(s.Story(), step.ActiveTcpSocketNewConnection).Exit()
	s.connected = true
	s.dropFilters()
	if s.handOff && s.localRestored {
		h := s.listener.active.Handler()
		if other := findActiveTcpListenerByAddress(h, s.Local()); other != nil {
			s.Accepted.MoveTo(other)
			other.Connections().(*activeListener).onAcceptedSocket(s.Accepted, false)
			return
		}
	}
	if s.TransportProtocol == "" {
		s.TransportProtocol = "raw_buffer"
	}
	s.Info.RequestedServerName = s.ServerName
	s.listener.newConnection(s)
}

// findActiveTcpListenerByAddress finds whose address a is: exactly, else by its port alone. A
// listener that has stopped is passed over.
//
// Envoy: Server::ConnectionHandlerImpl::findActiveTcpListenerByAddress
func findActiveTcpListenerByAddress(h *threading.ConnectionHandler,
	a *network.Address) (any *threading.ActiveTcpListener) {
	defer h.Dispatcher().Lane().Enter(step.FindListenerByAddress).Exit()
	for _, l := range h.Listeners() {
		own := l.Config().SocketFactory.Address
		switch {
		case l.Stopped() || !own.IsIP():
		case own.String() == a.String():
			return l
		case any == nil && own.IsAnyAddress() && own.Port() == a.Port():
			any = l
		}
	}
	return any
}
