package connection

import (
	"time"

	"envoywalk/internal/accesslog"
	"envoywalk/internal/step"
	"envoywalk/internal/streaminfo"
	"envoywalk/trace"
)

// ActiveTcpConnection is a live downstream connection as its listener sees it: what is counted when
// it begins and settled when it ends.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpConnection
type ActiveTcpConnection struct {
	*Connection
	life  Life
	group *ActiveConnections
	place int // in the group
}

// ActiveConnections are the connections of one filter chain, so that a chain can be drained alone.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveConnections
type ActiveConnections struct {
	listener    *activeListener
	chain       FilterChain
	connections []*ActiveTcpConnection
}

// begin counts the connection.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpConnection::ActiveTcpConnection
func (a *ActiveTcpConnection) begin() {
	defer a.Lane().Enter(step.ActiveTcpConnectionCtor).Exit()
	a.NoDelay()
	s := &a.group.listener.stats
	s.total.Inc()
	s.active.Inc()
	s.workerTotal.Inc()
	s.workerActive.Inc()
	a.Info.ConnectionID = a.ID
	a.life.Hold()
}

// settle is the end: what was counted is taken back, the log is written.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpConnection::~ActiveTcpConnection
func (a *ActiveTcpConnection) settle() {
	now := time.Now()
	l := a.group.listener
	emitLogs(a.Lane(), a.life.Story(), l.config().AccessLogs, a.Info, now)
	l.stats.active.Dec()
	l.stats.destroy.Inc()
	l.stats.workerActive.Dec()
	l.lengths().RecordValue(uint64(now.Sub(a.Info.Start).Milliseconds()))
	a.life.accepted.Uncount()
	a.life.Release()
}

// OnEvent implements ConnectionCallbacks: a connection that closed leaves its listener.
func (a *ActiveTcpConnection) OnEvent(e ConnectionEvent) {
	if e != Connected {
		a.group.listener.removeConnection(a)
	}
}

// OnAboveWriteBufferHighWatermark implements ConnectionCallbacks.
func (a *ActiveTcpConnection) OnAboveWriteBufferHighWatermark() {}

// OnBelowWriteBufferLowWatermark implements ConnectionCallbacks.
func (a *ActiveTcpConnection) OnBelowWriteBufferLowWatermark() {}

func (g *ActiveConnections) add(a *ActiveTcpConnection) {
	a.place = len(g.connections)
	g.connections = append(g.connections, a)
}

func (g *ActiveConnections) remove(a *ActiveTcpConnection) {
	last := len(g.connections) - 1
	g.connections[a.place] = g.connections[last]
	g.connections[a.place].place = a.place
	g.connections[last] = nil
	g.connections = g.connections[:last]
}

// emitLogs writes the listener's access logs for a socket or a connection that ends.
//
// Envoy: Server::emitLogs
func emitLogs(lane *trace.Lane, story trace.Story, logs []*accesslog.Log, info *streaminfo.StreamInfo,
	now time.Time) {
	defer lane.EnterStory(story, step.EmitLogs).Exit()
	info.Complete(now)
	for _, l := range logs {
		l.Write(info)
	}
}
