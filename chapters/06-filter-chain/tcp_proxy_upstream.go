package filterchain

import (
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/chapters/06-filter-chain/upstream"
	"envoywalk/internal/step"
	"envoywalk/internal/streaminfo"
)

// TcpUpstream is the upstream side of a proxied connection. Its news go to the filter or, once the
// downstream connection is gone, to the drainer.
//
// Envoy: TcpProxy::TcpUpstream, TcpProxy::Filter::UpstreamCallbacks
type TcpUpstream struct {
	data    *upstream.UpstreamConnection
	parent  *TcpProxy // nil once there is a drainer
	drainer *Drainer
	config  *tcpProxyConfig
}

// initializeUpstreamConnection makes one attempt to connect, or closes the downstream connection if
// none is possible.
//
// Envoy: TcpProxy::Filter::initializeUpstreamConnection, maybeTunnel
func (f *TcpProxy) initializeUpstreamConnection() {
	defer f.downstream().Lane().EnterStory(f.story(), step.TcpProxyInitializeUpstream).Exit()
	name := f.config.pickRoute(f.info())
	cluster := f.config.clusters.Get(f.downstream().Thread.Dispatcher, name)
	if cluster == nil {
		f.debug("Cluster not found %s", name)
		f.config.stats.noRoute.Inc()
		f.onInitFailure(streaminfo.NoRouteFound)
		return
	}
	f.debug("Creating connection to cluster %s", name)
	f.cluster = cluster.Info()
	f.info().UpstreamCluster = name
	if !cluster.CanConnect() {
		f.cluster.Stats.UpstreamCxOverflow.Inc()
		f.onInitFailure(streaminfo.UpstreamOverflow)
		return
	}
	if f.attempts >= f.config.maxAttempts {
		f.cluster.Stats.UpstreamCxConnectAttemptsExceeded.Inc()
		f.onInitFailure(streaminfo.UpstreamRetryLimitExceeded)
		return
	}
	pool := cluster.TCPConnPool(f)
	if pool == nil {
		f.onInitFailure(streaminfo.NoHealthyUpstream)
		return
	}
	f.attempts++
	f.newStream(pool)
}

// newStream asks the pool for a connection. The answer may come within the call.
//
// Envoy: TcpProxy::TcpConnPool::newStream
func (f *TcpProxy) newStream(pool *upstream.ConnPool) {
	f.asking = true
	f.attempt = pool.NewConnection(f)
	f.asking = false
}

// onInitFailure gives up.
//
// Envoy: TcpProxy::Filter::onInitFailure
func (f *TcpProxy) onInitFailure(why streaminfo.Flag) {
	f.info().Set(why)
	f.downstream().Close(connection.NoFlush)
}

// OnPoolFailure implements upstream.Callbacks: no connection came of the attempt. Another is made if
// the configuration allows, with the balancer's next host. Nothing was read from downstream yet,
// so nothing is lost. After a pool that refused at once, the next attempt waits for the next turn:
// there may be very many, and the thread has others to serve.
//
// Envoy: TcpProxy::Filter::onGenericPoolFailure, onConnectTimeout
func (f *TcpProxy) OnPoolFailure(reason upstream.FailureReason, host *upstream.Host) {
	f.attempt = nil
	f.onUpstreamHostSelected(host)
	switch reason {
	case upstream.Timeout:
		f.debug("connect timeout")
		f.info().Set(streaminfo.UpstreamConnectionFailure)
	case upstream.RemoteConnectionFailure:
		f.info().Set(streaminfo.UpstreamConnectionFailure)
	}
	if f.asking {
		f.createTimer("connect again", f.connectAgain).Enable(0)
		return
	}
	f.initializeUpstreamConnection()
}

func (f *TcpProxy) connectAgain() {
	if f.downstream().State() == connection.Open {
		f.initializeUpstreamConnection()
	}
}

// OnPoolReady implements upstream.Callbacks: the upstream is connected, so what downstream sends has
// somewhere to go. It may have closed both connections when it returns.
//
// Envoy: TcpProxy::Filter::onGenericPoolReady, TcpProxy::TcpUpstream::TcpUpstream
func (f *TcpProxy) OnPoolReady(data *upstream.UpstreamConnection) {
	defer f.downstream().Lane().EnterStory(f.story(), step.TcpProxyPoolReady).Exit()
	f.attempt = nil
	f.upstream = &TcpUpstream{data: data, parent: f, config: f.config}
	data.Connection.EnableHalfClose(true)
	data.SetCallbacks(f.upstream)
	f.read.SetUpstreamHost(data.Connection.Socket.Remote) // a LOGICAL_DNS host may have moved meanwhile
	f.info().UpstreamLocal = data.Connection.Socket.Local
	f.onUpstreamConnection()
	f.read.ContinueReading()
}

func (f *TcpProxy) onUpstreamHostSelected(host *upstream.Host) {
	if host != nil {
		f.read.SetUpstreamHost(host.Address())
	}
}

// onUpstreamConnection lets downstream read, and the idle timer run.
//
// Envoy: TcpProxy::Filter::onUpstreamConnection
func (f *TcpProxy) onUpstreamConnection() {
	f.downstream().ReadDisable(false)
	if f.config.idleTimeout == 0 {
		return
	}
	f.idle = f.createTimer("idle_timeout", f.upstream.onIdleTimeout)
	f.resetIdleTimer()
	sent := f.upstream.onBytesSent // one closure for both sides
	f.downstream().SetBytesSentCallback(sent)
	f.upstream.data.Connection.SetBytesSentCallback(sent)
}

// onUpstreamClosed: what the upstream sent is still sent on, then downstream is closed too. Envoy
// stops the idle timer here; a client that reads nothing would then keep its connection for ever,
// so here the timer runs on.
//
// Envoy: TcpProxy::Filter::onUpstreamEvent
func (f *TcpProxy) onUpstreamClosed() {
	f.upstream = nil
	if f.downstream().State() == connection.Open {
		f.downstream().Close(connection.FlushWrite)
	}
}

// OnUpstreamData implements upstream.UpstreamCallbacks.
//
// Envoy: TcpProxy::Filter::UpstreamCallbacks::onUpstreamData
func (u *TcpUpstream) OnUpstreamData(data *buffer.Buffer, endStream bool) {
	if u.drainer != nil {
		u.drainer.onData(data)
		return
	}
	u.parent.onUpstreamData(data, endStream)
}

// OnEvent implements connection.ConnectionCallbacks.
//
// Envoy: TcpProxy::Filter::UpstreamCallbacks::onEvent
func (u *TcpUpstream) OnEvent(e connection.ConnectionEvent) {
	if e == connection.Connected {
		return
	}
	u.config.stats.bytesDiscarded.Add(uint64(u.data.Connection.Discarded))
	if u.drainer != nil {
		u.drainer.onClosed()
		return
	}
	u.parent.onUpstreamClosed()
}

// OnAboveWriteBufferHighWatermark implements connection.ConnectionCallbacks: the upstream takes less
// than the client gives.
//
// Envoy: TcpProxy::Filter::UpstreamCallbacks::onAboveWriteBufferHighWatermark
func (u *TcpUpstream) OnAboveWriteBufferHighWatermark() { u.readDisableDownstream(true) }

// OnBelowWriteBufferLowWatermark implements connection.ConnectionCallbacks.
//
// Envoy: TcpProxy::Filter::UpstreamCallbacks::onBelowWriteBufferLowWatermark
func (u *TcpUpstream) OnBelowWriteBufferLowWatermark() { u.readDisableDownstream(false) }

func (u *TcpUpstream) readDisableDownstream(disable bool) {
	if u.parent != nil {
		u.parent.readDisableDownstream(disable)
	}
}

// onBytesSent: a side that takes bytes is not idle.
//
// Envoy: TcpProxy::Filter::UpstreamCallbacks::onBytesSent
func (u *TcpUpstream) onBytesSent(int) {
	if u.drainer != nil {
		u.drainer.onBytesSent()
		return
	}
	u.parent.resetIdleTimer()
}

// onIdleTimeout goes to whoever has the timer now.
//
// Envoy: TcpProxy::Filter::UpstreamCallbacks::onIdleTimeout
func (u *TcpUpstream) onIdleTimeout() {
	if u.drainer != nil {
		u.drainer.onIdleTimeout()
		return
	}
	u.parent.onIdleTimeout()
}

// readDisable leaves a connection alone that is being closed. It reports whether it did anything.
//
// Envoy: TcpProxy::TcpUpstream::readDisable
func (u *TcpUpstream) readDisable(disable bool) bool {
	if u.data.Connection.State() != connection.Open {
		return false
	}
	u.data.Connection.ReadDisable(disable)
	return true
}

// encodeData takes all of data.
//
// Envoy: TcpProxy::TcpUpstream::encodeData
func (u *TcpUpstream) encodeData(data *buffer.Buffer, endStream bool) {
	u.data.Connection.Write(data, endStream)
}

// close is told to the filter if it happens within the call.
//
// Envoy: TcpProxy::TcpUpstream::onDownstreamEvent
func (u *TcpUpstream) close(t connection.CloseType) { u.data.Connection.Close(t) }
