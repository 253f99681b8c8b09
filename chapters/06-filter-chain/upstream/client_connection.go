package upstream

import (
	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// ClientConnection is a connection that we ask for, and not the peer. What goes wrong before or in
// Connect is told in the next turn, so that its owner has time to subscribe.
//
// Envoy: Network::ClientConnectionImpl
type ClientConnection struct {
	*connection.Connection
	failed bool // before Connect
}

// createClientConnection makes the connection on the thread that asks. An errno means that there is
// no socket, and no connection: Envoy aborts then.
//
// Envoy: Event::DispatcherImpl::createClientConnection
func createClientConnection(t *connection.Thread, life *connection.Life, info *ClusterInfo,
	remote *network.Address) (*ClientConnection, kernel.Errno) {
	defer t.Lane().Enter(step.CreateClientConnection).Exit()
	return newClientConnection(t, life, info, remote)
}

// newClientConnection opens a socket and puts it on the loop before it connects, so that no edge is
// missed. There are no options or source addresses for a unix socket.
//
// Envoy: Network::ClientConnectionImpl::ClientConnectionImpl
func newClientConnection(t *connection.Thread, life *connection.Life, info *ClusterInfo,
	remote *network.Address) (*ClientConnection, kernel.Errno) {
	defer t.Lane().Enter(step.ClientConnectionCtor).Of(info.Name).Exit()
	id := t.NextID()
	fd, errno := newClientSocket(t.Lane(), remote, id, info.Name)
	if errno != 0 {
		return nil, errno
	}
	c := &ClientConnection{Connection: connection.NewConnection(t,
		connection.Socket{FD: fd, Remote: remote}, connection.CreateTransportSocket(t.Lane()),
		nil, life, id, false)}
	if remote.IsIP() && c.applyOptions(info) && info.source != nil {
		c.bind(info.source)
	}
	return c, 0
}

// newClientSocket opens a stream socket suited to the remote address.
//
// Envoy: Network::ClientSocketImpl::ClientSocketImpl
func newClientSocket(lane *trace.Lane, remote *network.Address, id uint64,
	cluster string) (int, kernel.Errno) {
	defer lane.Enter(step.ClientSocketCtor).Exit()
	fd, errno := kernel.Socket(lane, remote.Family())
	if errno == 0 {
		lane.LabelUpstream(fd, id, cluster)
	}
	return fd, errno
}

// applyOptions sets what the cluster asks for. It reports whether the kernel agreed to all.
//
// Envoy: Network::Socket::applyOptions, STATE_PREBIND
func (c *ClientConnection) applyOptions(info *ClusterInfo) bool {
	if len(info.options) == 0 {
		return true
	}
	s := listensocket.Socket{Handle: &listensocket.IoSocketHandle{FD: c.Socket.FD},
		Address: c.Socket.Remote, Options: info.options}
	_, errno := s.Set(c.Lane(), listensocket.Prebind)
	if errno != 0 {
		c.fail(connection.LocalClose, errno, false)
	}
	return errno == 0
}

// bind gives the socket its source address. The port is left open until connect knows both ends:
// chosen now, it would have to differ from that of every other connection of this address.
//
// Envoy: Network::SocketImpl::bind
func (c *ClientConnection) bind(source *network.Address) {
	if source.Port() == 0 {
		kernel.SetsockoptInt(c.Lane(), c.Socket.FD, kernel.IPPROTO_IP,
			kernel.IP_BIND_ADDRESS_NO_PORT, 1)
	}
	if errno := kernel.Bind(c.Lane(), c.Socket.FD, source); errno != 0 {
		c.Thread.Log.Debug("Bind failure. Failed to bind to %s: %s", source, kernel.Describe(errno))
		c.fail(connection.LocalClose, errno, true)
	}
}

func (c *ClientConnection) fail(e connection.ConnectionEvent, errno kernel.Errno, bind bool) {
	c.failed = true
	c.RaiseImmediateError(e, errno, bind)
}

// Connect starts connecting, once. EINPROGRESS is the ordinary answer: the loop reports when the
// socket can be written.
//
// Envoy: Network::ClientConnectionImpl::connect
func (c *ClientConnection) Connect() {
	defer c.Lane().Enter(step.ClientConnectionConnect).On(c.Socket.FD).Exit()
	if c.failed {
		return // Envoy connects all the same, and closes in the next turn
	}
	c.Thread.Log.Debug("[C%d] connecting to %s", c.ID, c.Socket.Remote)
	switch errno := ioHandleConnect(c.Lane(), c.Socket.FD, c.Socket.Remote); errno {
	case 0:
		c.learnLocal()
	case kernel.EINPROGRESS:
		c.Thread.Log.Debug("[C%d] connection in progress", c.ID)
		c.learnLocal()
	case kernel.EADDRNOTAVAIL: // no port is left on our side: not the peer's fault
		c.Thread.Log.Debug("[C%d] immediate connection error: %d", c.ID, int(errno))
		c.fail(connection.LocalClose, errno, true)
	default:
		c.Thread.Log.Debug("[C%d] immediate connection error: %d", c.ID, int(errno))
		c.fail(connection.RemoteClose, errno, false)
	}
}

// ioHandleConnect is the system call.
//
// Envoy: Network::IoSocketHandleImpl::connect
func ioHandleConnect(lane *trace.Lane, fd int, a *network.Address) kernel.Errno {
	defer lane.Enter(step.IoHandleConnect).On(fd).Exit()
	return kernel.Connect(lane, fd, a)
}

// learnLocal asks which address the kernel has chosen for our end. If it is the one we connect to,
// nobody listens there: the kernel took that very port for us, from the range of those it gives
// away, and the socket is talking to itself.
//
// Envoy: Network::SocketImpl::connect, which does not look for this
func (c *ClientConnection) learnLocal() {
	if !c.Socket.Remote.IsIP() {
		return
	}
	local, errno := kernel.Getsockname(c.Lane(), c.Socket.FD)
	if errno != 0 {
		return
	}
	if c.Socket.Local = local; local.AddrPort() == c.Socket.Remote.AddrPort() {
		c.Thread.Log.Debug("[C%d] connected to itself: nobody listens on %s", c.ID, local)
		c.fail(connection.RemoteClose, kernel.ECONNREFUSED, false)
	}
}
