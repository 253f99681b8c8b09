package filterchain

import (
	"hash/fnv"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/chapters/06-filter-chain/upstream"
	"envoywalk/internal/log"
	"envoywalk/internal/step"
	"envoywalk/internal/streaminfo"
	"envoywalk/trace"
)

// TcpProxy carries the bytes of one downstream connection to a cluster and back. It is the last
// filter of its chain, hears of the downstream connection itself and of what the connection pool
// finds; what the upstream connection does it hears through its TcpUpstream.
//
// Its states are: connecting (attempt is not nil or about to be), proxying (upstream is not nil), and
// flushing downstream (neither is). The cluster's connect_timeout ends the first, the idle timer the
// other two, and the maximum duration any.
//
// Envoy: TcpProxy::Filter, TcpProxy::Filter::DownstreamCallbacks
type TcpProxy struct {
	config   *tcpProxyConfig
	read     *ReadFilterCallbacks
	cluster  *upstream.ClusterInfo // of the last attempt
	attempt  *upstream.Pending     // nil when none is under way
	upstream *TcpUpstream          // nil before it is connected and after it is closed
	idle     *eventloop.Timer      // nil before it is connected, or for ever
	duration *eventloop.Timer      // nil without a maximum
	attempts uint32

	asking bool // the pool is being asked at this moment
	cut    bool // a timeout ended it: nothing is flushed
}

// InitializeReadFilterCallbacks implements ReadFilter. Nothing is read from downstream until there
// is somebody to write it to: it waits in the kernel and, with half-close on, so does a FIN.
//
// Envoy: TcpProxy::Filter::initializeReadFilterCallbacks
func (f *TcpProxy) InitializeReadFilterCallbacks(r *ReadFilterCallbacks) {
	defer r.Connection().Lane().Enter(step.TcpProxyInitialize).Exit()
	f.read = r
	c := r.Connection()
	f.debug("new tcp proxy session")
	c.AddConnectionCallbacks(f)
	c.EnableHalfClose(true)
	c.ReadDisable(true)
	f.config.stats.total.Inc()
	c.SetConnectionStats(f.config.stats.downstream)
}

// OnNewConnection implements ReadFilter.
//
// Envoy: TcpProxy::Filter::onNewConnection
func (f *TcpProxy) OnNewConnection() FilterStatus {
	defer f.downstream().Lane().Enter(step.TcpProxyOnNewConnection).Exit()
	if limit := f.config.maxDuration; limit > 0 {
		f.duration = f.createTimer("max_downstream_connection_duration", f.onMaxDuration)
		f.duration.Enable(limit)
	}
	f.initializeUpstreamConnection()
	return StopIteration
}

// OnData implements ReadFilter: it takes all of data.
//
// Envoy: TcpProxy::Filter::onData
func (f *TcpProxy) OnData(data *buffer.Buffer, endStream bool) FilterStatus {
	defer f.downstream().Lane().Enter(step.TcpProxyOnData).Exit()
	if l := f.config.log; l.Enabled(log.Trace) {
		l.Trace("[C%d] downstream connection received %d bytes, end_stream=%t", f.downstream().ID,
			data.Len(), endStream)
	}
	if f.upstream != nil {
		f.upstream.encodeData(data, endStream)
	}
	f.resetIdleTimer()
	return StopIteration
}

// onUpstreamData takes all of data.
//
// Envoy: TcpProxy::Filter::onUpstreamData
func (f *TcpProxy) onUpstreamData(data *buffer.Buffer, endStream bool) {
	defer f.downstream().Lane().Enter(step.TcpProxyOnUpstreamData).Exit()
	if l := f.config.log; l.Enabled(log.Trace) {
		l.Trace("[C%d] upstream connection received %d bytes, end_stream=%t", f.downstream().ID,
			data.Len(), endStream)
	}
	f.downstream().Write(data, endStream)
	f.resetIdleTimer()
}

// OnEvent implements connection.ConnectionCallbacks: the downstream connection has ended. If that was
// the client's doing, the upstream still gets what the client sent. It also does if the client had
// sent its last byte before we closed: both directions had ended, and Envoy drops what the upstream
// was too slow to take.
//
// Envoy: TcpProxy::Filter::onDownstreamEvent
func (f *TcpProxy) OnEvent(e connection.ConnectionEvent) {
	if e == connection.Connected {
		return
	}
	if u := f.upstream; u != nil {
		f.upstream = nil
		f.endUpstream(u, !f.cut && (e == connection.RemoteClose || f.downstream().ReadEndStream()))
	}
	if f.attempt != nil {
		f.attempt.Cancel()
		f.attempt = nil
	}
	f.disableTimers()
	f.config.stats.bytesDiscarded.Add(uint64(f.downstream().Discarded))
	f.downstream().Thread.Dispatcher.DeferredDelete(f.destroy)
}

// endUpstream closes the upstream connection: at once, or, if flush, when it has taken what waits
// for it. That is left to the drain manager, with the idle timer, as this filter will be gone.
func (f *TcpProxy) endUpstream(u *TcpUpstream, flush bool) {
	if !flush {
		u.close(connection.NoFlush)
		return
	}
	if u.close(connection.FlushWrite); u.data.Connection.State() != connection.Closed {
		f.config.drainManager(f.downstream().Thread.Dispatcher).add(u, f.idle)
		f.idle = nil
	}
}

// OnAboveWriteBufferHighWatermark implements connection.ConnectionCallbacks: the client takes less
// than the upstream gives.
//
// Envoy: TcpProxy::Filter::DownstreamCallbacks::onAboveWriteBufferHighWatermark
func (f *TcpProxy) OnAboveWriteBufferHighWatermark() { f.readDisableUpstream(true) }

// OnBelowWriteBufferLowWatermark implements connection.ConnectionCallbacks.
//
// Envoy: TcpProxy::Filter::DownstreamCallbacks::onBelowWriteBufferLowWatermark
func (f *TcpProxy) OnBelowWriteBufferLowWatermark() { f.readDisableUpstream(false) }

// Envoy: TcpProxy::Filter::readDisableUpstream
func (f *TcpProxy) readDisableUpstream(disable bool) {
	if f.upstream == nil || !f.upstream.readDisable(disable) {
		return
	}
	if disable {
		f.cluster.Stats.FlowControlPausedReading.Inc()
	} else {
		f.cluster.Stats.FlowControlResumedReading.Inc()
	}
}

// readDisableDownstream leaves a connection alone that is being closed: nothing is read from it.
//
// Envoy: TcpProxy::Filter::readDisableDownstream
func (f *TcpProxy) readDisableDownstream(disable bool) {
	if f.downstream().State() != connection.Open {
		return
	}
	f.downstream().ReadDisable(disable)
	if disable {
		f.config.stats.pausedReading.Inc()
	} else {
		f.config.stats.resumedReading.Inc()
	}
}

// onIdleTimeout: neither side has sent or taken a byte for that long. Closing downstream closes
// upstream too.
//
// Envoy: TcpProxy::Filter::onIdleTimeout
func (f *TcpProxy) onIdleTimeout() {
	f.debug("Session timed out")
	f.config.stats.idleTimeout.Inc()
	f.cutOff()
}

// Envoy: TcpProxy::Filter::onMaxDownstreamConnectionDuration
func (f *TcpProxy) onMaxDuration() {
	f.debug("max connection duration reached")
	f.info().Set(streaminfo.DurationTimeout)
	f.config.stats.maxDuration.Inc()
	f.cutOff()
}

func (f *TcpProxy) cutOff() {
	f.cut = true
	f.downstream().Close(connection.NoFlush)
}

// Envoy: TcpProxy::Filter::resetIdleTimer
func (f *TcpProxy) resetIdleTimer() {
	if f.idle != nil {
		f.idle.Enable(f.config.idleTimeout)
	}
}

// Envoy: TcpProxy::Filter::disableIdleTimer, and the end of connection_duration_timer_
func (f *TcpProxy) disableTimers() {
	if f.idle != nil {
		f.idle.Disable()
	}
	if f.duration != nil {
		f.duration.Disable()
	}
}

// Flush implements connection.Flusher, for a server that stops: nothing more is read, what was read
// from either side is still sent, and then both connections close. The client sees the end as soon
// as it has everything; its connection, which the server waits for, stays until the upstream has,
// too.
func (f *TcpProxy) Flush() {
	c, u := f.downstream(), f.upstream
	c.ReadDisable(true)
	if u == nil {
		c.Close(connection.FlushWrite)
		return
	}
	u.readDisable(true)
	var end buffer.Buffer
	end.Init(c.Thread.Slabs)
	c.Write(&end, true)
	u.close(connection.FlushWrite)
}

// destroy writes the access logs when nothing of the connection is on the stack any more.
//
// Envoy: TcpProxy::Filter::~Filter
func (f *TcpProxy) destroy() {
	f.info().Complete(time.Now())
	for _, l := range f.config.accessLogs {
		l.Write(f.info())
	}
}

// DownstreamConnection implements upstream.LoadBalancerContext.
//
// Envoy: TcpProxy::Filter::downstreamConnection
func (f *TcpProxy) DownstreamConnection() *connection.Connection { return f.downstream() }

// HashKey implements upstream.LoadBalancerContext: with hash_policy source_ip, one client's
// connections have one key. Only balancers that hash ask for it, and none of them is rebuilt here, so
// the policy is accepted and changes nothing. (Envoy hashes with xxHash; who would see it?)
//
// Envoy: TcpProxy::Filter::computeHashKey
func (f *TcpProxy) HashKey() (key uint64, ok bool) {
	remote := f.info().DownstreamRemote
	if !f.config.hashesIP || remote == nil || !remote.IsIP() {
		return 0, false
	}
	h := fnv.New64a()
	h.Write(remote.AddrPort().Addr().AsSlice())
	return h.Sum64(), true
}

func (f *TcpProxy) downstream() *connection.Connection { return f.read.Connection() }

func (f *TcpProxy) info() *streaminfo.StreamInfo { return f.downstream().Info }

func (f *TcpProxy) story() trace.Story { return f.downstream().Life.Story() }

func (f *TcpProxy) createTimer(name string, callback func()) *eventloop.Timer {
	return f.downstream().Thread.Dispatcher.CreateTimer(name, callback)
}

func (f *TcpProxy) debug(format string, args ...any) {
	if f.config.log.Enabled(log.Debug) {
		f.config.log.Debug("[C%d] "+format, append([]any{f.downstream().ID}, args...)...)
	}
}
