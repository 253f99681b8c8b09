package upstream

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/kernel"
)

// UpstreamCallbacks are told what happens to an upstream connection, on its thread.
//
// Envoy: Tcp::ConnectionPool::UpstreamCallbacks
type UpstreamCallbacks interface {
	connection.ConnectionCallbacks
	// OnUpstreamData lends the connection's read buffer: what is consumed is taken out. endStream:
	// the upstream sends no more, which is told only with half-close.
	OnUpstreamData(data *buffer.Buffer, endStream bool)
}

// UpstreamConnection is one connection to a host: first connecting, then lent to who asked for it,
// until it is closed.
//
// Envoy: Tcp::OriginalConnPoolImpl::ActiveConn, with its ConnectionWrapper
type UpstreamConnection struct {
	Connection *connection.Connection
	Host       *Host

	cluster   *ThreadLocalCluster
	request   Callbacks         // who waits; nil once told, or not interested any more
	callbacks UpstreamCallbacks // who has it; nil before and after
	timer     *eventloop.Timer  // connect_timeout; nil once that is decided
	began     time.Time
	timedOut  bool
	lent      bool
}

// newUpstreamConnection begins to connect. An errno means that nothing was begun.
//
// Envoy: OriginalConnPoolImpl::ActiveConn::ActiveConn
func newUpstreamConnection(p *ConnPool, cb Callbacks) (*UpstreamConnection, kernel.Errno) {
	u := &UpstreamConnection{Host: p.Host, cluster: p.cluster, request: cb, began: time.Now()}
	downstream := p.context.DownstreamConnection()
	client, errno := p.Host.CreateConnection(downstream.Thread, downstream.Life)
	if errno != 0 {
		return nil, errno
	}
	c := client.Connection
	u.Connection, c.Filters = c, u
	c.AddConnectionCallbacks(u)
	u.count()
	c.SetConnectionStats(&p.Host.Cluster.Stats.bytes)
	p.cluster.poolLog.Debug("[C%d] connecting", c.ID)
	client.Connect()
	u.timer = p.cluster.dispatcher.CreateTimer("connect timeout", u.onConnectTimeout)
	u.timer.Enable(p.Host.Cluster.ConnectTimeout)
	c.NoDelay()
	return u, 0
}

// count counts a connection that begins, and a request that waits for it.
func (u *UpstreamConnection) count() {
	d, s := u.cluster.dispatcher, u.Host.Cluster.Stats
	s.UpstreamCxTotal.Inc()
	s.UpstreamCxActive.Inc()
	u.Host.Stats.CxTotal.Inc()
	u.Host.Stats.CxActive.Inc()
	u.Host.Cluster.Resources(Default).Connections.Inc(d)
	u.cluster.added(u)
	s.UpstreamRqPendingTotal.Inc()
	s.UpstreamRqPendingActive.Inc()
	u.Host.Cluster.Resources(Default).PendingRequests.Inc(d)
}

// destroy uncounts it, when no callback of it is on the stack any more.
//
// Envoy: OriginalConnPoolImpl::ActiveConn::~ActiveConn
func (u *UpstreamConnection) destroy() {
	s := u.Host.Cluster.Stats
	s.UpstreamCxActive.Dec()
	u.Host.Stats.CxActive.Dec()
	s.UpstreamCxLengthMs.RecordValue(uint64(time.Since(u.began).Milliseconds()))
	u.Host.Cluster.Resources(Default).Connections.Dec(u.cluster.dispatcher)
	u.cluster.removed(u)
}

// answered ends the request. It returns who waited, if anybody still did.
//
// Envoy: OriginalConnPoolImpl::PendingRequest::~PendingRequest
func (u *UpstreamConnection) answered() (cb Callbacks) {
	if cb = u.request; cb == nil {
		return nil
	}
	u.request = nil
	u.Host.Cluster.Stats.UpstreamRqPendingActive.Dec()
	u.Host.Cluster.Resources(Default).PendingRequests.Dec(u.cluster.dispatcher)
	return cb
}

// SetCallbacks says who is told from here on: called in OnPoolReady.
//
// Envoy: OriginalConnPoolImpl::ConnectionWrapper::addUpstreamCallbacks
func (u *UpstreamConnection) SetCallbacks(cb UpstreamCallbacks) { u.callbacks = cb }

// onConnectTimeout closes; the rest is the same as with any connect that fails.
//
// Envoy: OriginalConnPoolImpl::ActiveConn::onConnectTimeout
func (u *UpstreamConnection) onConnectTimeout() {
	u.cluster.poolLog.Debug("[C%d] connect timeout", u.Connection.ID)
	u.timedOut = true
	u.Host.Cluster.Stats.UpstreamCxConnectTimeout.Inc()
	u.Connection.Close(connection.NoFlush)
}

// OnEvent implements connection.ConnectionCallbacks. The pool's numbers come first: who is told may
// ask for another connection.
//
// Envoy: OriginalConnPoolImpl::ActiveConn::onEvent, OriginalConnPoolImpl::onConnectionEvent
func (u *UpstreamConnection) OnEvent(e connection.ConnectionEvent) {
	cb := u.callbacks
	connecting := u.timer != nil
	if connecting {
		u.timer.Disable()
		u.timer = nil
	}
	switch {
	case e == connection.Connected:
		u.onConnected()
		return
	case connecting:
		u.onConnectFailed(e)
	default:
		u.onClosed(e)
	}
	if cb != nil {
		cb.OnEvent(e)
	}
}

// onConnected lends the connection to who waited for it.
//
// Envoy: OriginalConnPoolImpl::processIdleConnection, assignConnection
func (u *UpstreamConnection) onConnected() {
	s := u.Host.Cluster.Stats
	s.UpstreamCxConnectMs.RecordValue(uint64(time.Since(u.began).Milliseconds()))
	u.cluster.poolLog.Debug("[C%d] assigning connection", u.Connection.ID)
	cb := u.answered()
	u.lent = true
	s.UpstreamRqTotal.Inc()
	s.UpstreamRqActive.Inc()
	u.Host.Stats.RqTotal.Inc()
	u.Host.Stats.RqActive.Inc()
	cb.OnPoolReady(u)
}

// onConnectFailed tells who waited why. What is wrong on our side is not held against the host.
func (u *UpstreamConnection) onConnectFailed(e connection.ConnectionEvent) {
	u.countDestroy(e)
	s := u.Host.Cluster.Stats
	s.UpstreamCxConnectFail.Inc()
	reason := LocalConnectionFailure
	switch {
	case u.timedOut:
		reason = Timeout
	case e == connection.RemoteClose:
		reason = RemoteConnectionFailure
	}
	if reason != LocalConnectionFailure {
		u.Host.Stats.CxConnectFail.Inc()
	}
	u.cluster.dispatcher.DeferredDelete(u.destroy)
	if cb := u.answered(); cb != nil {
		u.Connection.Life.Fail()
		s.UpstreamRqPendingFailureEject.Inc()
		cb.OnPoolFailure(reason, u.Host)
	}
}

// onClosed ends the loan.
func (u *UpstreamConnection) onClosed(e connection.ConnectionEvent) {
	u.countDestroy(e)
	u.callbacks = nil
	if u.lent {
		u.lent = false
		s := u.Host.Cluster.Stats
		s.UpstreamCxDestroyWithActiveRq.Inc()
		if e == connection.RemoteClose {
			s.UpstreamCxDestroyRemoteWithActiveRq.Inc()
		} else {
			s.UpstreamCxDestroyLocalWithActiveRq.Inc()
		}
		s.UpstreamRqActive.Dec()
		u.Host.Stats.RqActive.Dec()
	}
	u.cluster.dispatcher.DeferredDelete(u.destroy)
}

// Envoy: Upstream::reportUpstreamCxDestroy
func (u *UpstreamConnection) countDestroy(e connection.ConnectionEvent) {
	s := u.Host.Cluster.Stats
	u.cluster.poolLog.Debug("[C%d] client disconnected", u.Connection.ID)
	s.UpstreamCxDestroy.Inc()
	if e == connection.RemoteClose {
		s.UpstreamCxDestroyRemote.Inc()
	} else {
		s.UpstreamCxDestroyLocal.Inc()
	}
}

// OnAboveWriteBufferHighWatermark implements connection.ConnectionCallbacks.
func (u *UpstreamConnection) OnAboveWriteBufferHighWatermark() {
	if u.callbacks != nil {
		u.callbacks.OnAboveWriteBufferHighWatermark()
	}
}

// OnBelowWriteBufferLowWatermark implements connection.ConnectionCallbacks.
func (u *UpstreamConnection) OnBelowWriteBufferLowWatermark() {
	if u.callbacks != nil {
		u.callbacks.OnBelowWriteBufferLowWatermark()
	}
}

// OnRead implements connection.FilterManager: an upstream connection has one filter, the one that
// hands everything to its owner. Data that nobody expects closes it.
//
// Envoy: OriginalConnPoolImpl::ConnReadFilter::onData, ActiveConn::onUpstreamData
func (u *UpstreamConnection) OnRead(c *connection.Connection) {
	if c.InDelayedClose() || !c.FilterChainWantsData() {
		return
	}
	if end := c.TakeEndStream(); !end && (c.ReadEndStream() || c.ReadBuffer().Len() == 0) {
		return
	}
	if u.callbacks == nil {
		u.cluster.poolLog.Debug("[C%d] unexpected data from upstream, closing connection", c.ID)
		c.Close(connection.NoFlush)
		return
	}
	u.callbacks.OnUpstreamData(c.ReadBuffer(), c.ReadEndStream())
}

// OnWrite implements connection.FilterManager: nothing stands between the owner and the socket.
func (u *UpstreamConnection) OnWrite(c *connection.Connection, _ *buffer.Buffer, _ bool) bool {
	return c.State() == connection.Open
}
