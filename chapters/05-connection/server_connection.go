package connection

import (
	"time"

	"envoywalk/internal/step"
)

// createServerConnection turns an accepted socket into a connection, which owns the fd from here.
//
// Envoy: Event::DispatcherImpl::createServerConnection
func createServerConnection(s *ActiveTcpSocket, ts TransportSocket, life *Life) *Connection {
	defer s.Lane().Enter(step.CreateServerConnection).Exit()
	return newServerConnection(s, ts, life)
}

// newServerConnection makes a downstream connection: one that is connected already.
//
// Envoy: Network::ServerConnectionImpl::ServerConnectionImpl
func newServerConnection(s *ActiveTcpSocket, ts TransportSocket, life *Life) *Connection {
	defer s.Lane().Enter(step.ServerConnectionCtor).Exit()
	socket := Socket{FD: s.FD(), Local: s.Local(), Remote: s.Remote(), LocalRestored: s.localRestored}
	return NewConnection(s.listener.thread, socket, ts, s.Info, life, s.Accepted.Connection, true)
}

// setTransportSocketConnectTimeout is for a transport that has to agree with its peer before it can
// carry anything. Raw bytes need not: there is nothing to wait for. (Envoy 1.17 arms the timer for
// them too, and then ends every such connection that lives longer.)
//
// Envoy: Network::ServerConnectionImpl::setTransportSocketConnectTimeout
func setTransportSocketConnectTimeout(c *Connection, timeout time.Duration) {
	defer c.Lane().Enter(step.SetTransportSocketConnectTimeout).Exit()
	c.log("transport socket connect timeout of %s: raw bytes are connected already", timeout)
}
