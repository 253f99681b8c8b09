package connection

import (
	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// readSize is how much one readv asks for, in bytes. Envoy 1.17 asks for 16 KiB; at 64 KiB the same
// bytes cost less than half the time.
const readSize = 4 * buffer.SlabSize

// readMost is how many bytes one event reads, also for a connection whose limit is higher or none:
// its peer may send faster than we read, and others on the thread wait.
const readMost = 1 << 20

// pieces is how many slabs one writev sends.
const pieces = 16

// RawBufferSocket reads and writes the fd as it is.
//
// Envoy: Network::RawBufferSocket
type RawBufferSocket struct{ connection *Connection }

// CreateTransportSocket makes the transport socket of a chain that has none configured.
//
// Envoy: Network::RawBufferSocketFactory::createTransportSocket
func CreateTransportSocket(lane *trace.Lane) TransportSocket {
	defer lane.Enter(step.CreateTransportSocket).Exit()
	return &RawBufferSocket{}
}

// SetTransportSocketCallbacks implements TransportSocket.
//
// Envoy: Network::RawBufferSocket::setTransportSocketCallbacks
func (r *RawBufferSocket) SetTransportSocketCallbacks(c *Connection) {
	defer c.Lane().Enter(step.SetTransportSocketCallbacks).Exit()
	r.connection = c
}

// DoRead implements TransportSocket. It reads until EAGAIN, the end, an error, the connection's limit
// or readMost; then another read event is injected, so that one connection cannot hold the loop.
//
// Envoy: Network::RawBufferSocket::doRead
func (r *RawBufferSocket) DoRead(into *buffer.Buffer) (result IoResult) {
	defer r.connection.Lane().Enter(step.RawBufferDoRead).Exit()
	for {
		n, errno := r.ioHandleRead(into)
		switch {
		case n > 0:
			result.Bytes += n
			if r.connection.shouldDrainReadBuffer() || result.Bytes >= readMost {
				r.connection.setTransportSocketIsReadable()
				return result
			}
		case errno == 0:
			result.EndStream = true
			return result
		case errno == kernel.EINTR:
		default:
			result.Close = !r.connection.canWait(errno, eventloop.Read)
			return result
		}
	}
}

// ioHandleRead borrows room from the thread's slabs and gives back what was not filled. 0 bytes
// without an errno is the end of the stream.
//
// Envoy: Network::IoSocketHandleImpl::read
func (r *RawBufferSocket) ioHandleRead(into *buffer.Buffer) (int, kernel.Errno) {
	defer r.connection.Lane().Enter(step.IoHandleRead).On(r.connection.Socket.FD).Exit()
	var room [readSize/buffer.SlabSize + 1][]byte
	free := into.Reserve(r.connection.wanted(), room[:0])
	n, errno := kernel.Readv(r.connection.Lane(), r.connection.Socket.FD, free)
	into.Commit(max(n, 0))
	return n, errno
}

// DoWrite implements TransportSocket.
//
// Envoy: Network::RawBufferSocket::doWrite
func (r *RawBufferSocket) DoWrite(from *buffer.Buffer, endStream bool) (result IoResult) {
	defer r.connection.Lane().Enter(step.RawBufferDoWrite).Exit()
	c := r.connection
	var front [pieces][]byte
	for from.Len() > 0 {
		n, errno := kernel.Writev(c.Lane(), c.Socket.FD, from.Front(front[:0]))
		switch errno {
		case 0:
			from.Drain(n)
			result.Bytes += n
		case kernel.EINTR:
		default:
			result.Close = !c.canWait(errno, eventloop.Write)
			return result
		}
	}
	if endStream && !c.writeShut {
		c.writeShut = true
		kernel.Shutdown(c.Lane(), c.Socket.FD, kernel.SHUT_WR)
	}
	return result
}

// OnConnected implements TransportSocket: raw bytes need no handshake.
//
// Envoy: Network::RawBufferSocket::onConnected
func (r *RawBufferSocket) OnConnected() { r.connection.raiseEvent(Connected) }

// CloseSocket implements TransportSocket.
func (r *RawBufferSocket) CloseSocket(ConnectionEvent) {}

// CanFlushClose implements TransportSocket.
func (r *RawBufferSocket) CanFlushClose() bool { return true }
