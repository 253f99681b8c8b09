package connection

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/internal/streaminfo"
	"envoywalk/trace"
)

// ConnectionEvent is what becomes of a connection as a whole.
//
// Envoy: Network::ConnectionEvent
type ConnectionEvent uint8

const (
	noEvent     ConnectionEvent = iota
	RemoteClose                 // the peer closed, reset, or could not be reached
	LocalClose                  // we closed
	Connected                   // a client connection's connect has succeeded
)

// State is where a connection is in its life.
//
// Envoy: Network::Connection::State
type State int

const (
	Open    State = iota
	Closing       // closed by us once its buffer is sent; what arrives is ignored
	Closed        // the owner is done with it
)

// ConnectionCallbacks are told what happens to a connection, on its thread. They may close it.
//
// Envoy: Network::ConnectionCallbacks
type ConnectionCallbacks interface {
	OnEvent(ConnectionEvent)
	OnAboveWriteBufferHighWatermark() // too much waits to be sent: stop what feeds it
	OnBelowWriteBufferLowWatermark()
}

// Socket is an open fd and both its ends.
//
// Envoy: Network::ConnectionSocketImpl
type Socket struct {
	FD            int
	Local, Remote *network.Address
	LocalRestored bool // Local is where the client wanted to go before somebody redirected it
}

// FilterManager is what every byte read or written passes through. Filled by 06.
//
// Envoy: Network::FilterManagerImpl
type FilterManager interface {
	// OnRead: there is something in the read buffer, or the peer's end of stream.
	OnRead(*Connection)
	// OnWrite runs the write filters; false keeps the bytes from being written.
	OnWrite(c *Connection, data *buffer.Buffer, endStream bool) bool
}

// Connection joins a connected, or connecting, socket to a dispatcher: bytes in, bytes out, limits,
// and the ways to end. It owns the fd. Only its thread may touch it.
//
// Envoy: Network::ConnectionImpl over ConnectionImplBase
type Connection struct {
	ID      uint64
	Thread  *Thread
	Socket  Socket
	Info    *streaminfo.StreamInfo // nil upstream: there the downstream's is what is logged
	Life    *Life
	Filters FilterManager // nil until a chain is installed

	// Discarded is how many bytes that were to be sent the end threw away.
	Discarded int

	transport   TransportSocket
	event       *eventloop.FileEvent // nil when the kernel would not watch the fd, or after the end
	read, write buffer.Buffer
	callbacks   []ConnectionCallbacks
	bytesSent   func(n int)
	stats       *ConnectionStats // nil: not counted
	ending      *ending          // nil until it closes, or has a delayed close timeout
	retry       *eventloop.Timer // for want of the kernel's memory
	errno       kernel.Errno     // the last that broke it

	countedRead, countedWrite uint32 // what the gauges of stats have of it now, in bytes

	limit        uint32 // of each buffer, in bytes; 0 is none
	readDisabled int16
	immediate    ConnectionEvent // raised in the next turn instead of any event

	connecting, halfClose, closed        bool
	readEndStream, readEndStreamRaised   bool
	writeEndStream, writeShut            bool
	writeBroken                          bool // the peer takes nothing any more
	dispatchBuffered, transportWantsRead bool
	bindError                            bool
}

// NewConnection puts a socket on the thread's loop, edge-triggered, before it has filters.
// connected is false for a client connection whose connect follows. It owns the socket from here,
// whatever happens: where the kernel will not watch the fd, LocalClose is raised in the next turn.
//
// Envoy: Network::ConnectionImpl::ConnectionImpl
func NewConnection(t *Thread, s Socket, ts TransportSocket, info *streaminfo.StreamInfo, life *Life,
	id uint64, connected bool) *Connection {
	defer t.Lane().Enter(step.ConnectionCtor).On(s.FD).Exit()
	c := &Connection{ID: id, Thread: t, Socket: s, Info: info, Life: life, transport: ts,
		connecting: !connected}
	c.read.Init(t.Slabs)
	c.write.Init(t.Slabs)
	life.Hold()
	var errno kernel.Errno
	if c.event, errno = t.Dispatcher.CreateFileEvent(s.FD, eventloop.Edge,
		eventloop.Read|eventloop.Write, c.onFileEvent); errno != 0 {
		c.unwatched(errno)
	}
	ts.SetTransportSocketCallbacks(c)
	return c
}

// unwatched ends a connection that epoll has no room for, once its owner has had time to subscribe.
func (c *Connection) unwatched(errno kernel.Errno) {
	c.event, c.errno, c.immediate = nil, errno, LocalClose
	c.Thread.Log.Debug("[C%d] the kernel cannot watch the socket: %s", c.ID, kernel.Describe(errno))
	c.Thread.Dispatcher.CreateSchedulableCallback(func() { c.onFileEvent(0) }).ScheduleNextIteration()
}

// Lane is the thread's.
func (c *Connection) Lane() *trace.Lane { return c.Thread.Lane() }

// ReadBuffer is what was read and no filter has taken yet.
func (c *Connection) ReadBuffer() *buffer.Buffer { return &c.read }

// WriteBuffer is what waits to be sent.
func (c *Connection) WriteBuffer() *buffer.Buffer { return &c.write }

// ReadEndStream says that the peer will send no more.
func (c *Connection) ReadEndStream() bool { return c.readEndStream }

// TakeEndStream reports the peer's end of stream the first time it is asked after it came.
func (c *Connection) TakeEndStream() (end bool) {
	end = c.readEndStream && !c.readEndStreamRaised
	c.readEndStreamRaised = c.readEndStream
	return end
}

// LastError is the errno that broke the connection, or 0.
func (c *Connection) LastError() kernel.Errno { return c.errno }

// State is where the connection is in its life.
//
// Envoy: Network::ConnectionImpl::state
func (c *Connection) State() State {
	switch {
	case c.closed:
		return Closed
	case c.InDelayedClose():
		return Closing
	}
	return Open
}

// EnableHalfClose: the peer's end of stream is told to the filters and does not close.
//
// Envoy: Network::ConnectionImpl::enableHalfClose
func (c *Connection) EnableHalfClose(on bool) { c.halfClose = on }

// AddConnectionCallbacks subscribes to what happens to the connection.
//
// Envoy: Network::ConnectionImplBase::addConnectionCallbacks
func (c *Connection) AddConnectionCallbacks(cb ConnectionCallbacks) {
	defer c.Lane().Enter(step.AddConnectionCallbacks).Exit()
	c.callbacks = append(c.callbacks, cb)
}

// SetBytesSentCallback asks to be told how much each write sent. Envoy keeps a list; nobody here
// needs more than one.
//
// Envoy: Network::ConnectionImpl::addBytesSentCallback
func (c *Connection) SetBytesSentCallback(f func(n int)) { c.bytesSent = f }

// SetBufferLimits bounds what is read before somebody takes it, and what waits to be sent before
// whoever feeds it is stopped; in bytes, 0 is no bound. One more byte than the limit is the high
// watermark, so that a read of exactly the limit that is sent at once does not trip it.
//
// Envoy: Network::ConnectionImpl::setBufferLimits
func (c *Connection) SetBufferLimits(limit uint32) {
	defer c.Lane().Enter(step.SetBufferLimits).Exit()
	c.limit = limit
	if limit > 0 {
		c.write.SetWatermarks(int(limit)+1, c)
		c.read.SetWatermarks(int(limit)+1, c)
	}
}

// AboveHigh implements buffer.Watermarks.
//
// Envoy: Network::ConnectionImpl::onReadBufferHighWatermark, onWriteBufferHighWatermark
func (c *Connection) AboveHigh(b *buffer.Buffer) {
	if b == &c.write {
		for _, cb := range c.callbacks {
			cb.OnAboveWriteBufferHighWatermark()
		}
	} else if c.State() == Open {
		c.ReadDisable(true)
	}
}

// BelowLow implements buffer.Watermarks.
//
// Envoy: Network::ConnectionImpl::onReadBufferLowWatermark, onWriteBufferLowWatermark
func (c *Connection) BelowLow(b *buffer.Buffer) {
	if b == &c.write {
		for _, cb := range c.callbacks {
			cb.OnBelowWriteBufferLowWatermark()
		}
	} else if c.State() == Open {
		c.ReadDisable(false)
	}
}

// NoDelay asks the kernel to send small pieces at once. A unix socket always does.
//
// Envoy: Network::ConnectionImpl::noDelay
func (c *Connection) NoDelay() {
	if !c.closed && c.Socket.Remote.IsIP() {
		kernel.SetsockoptInt(c.Lane(), c.Socket.FD, kernel.IPPROTO_TCP, kernel.TCP_NODELAY, 1)
	}
}

// RaiseImmediateError closes the connection in the next turn, with this event: what failed at once
// is told when the owner listens. bind: it was our own address that failed.
//
// Envoy: Network::ClientConnectionImpl's immediate_error_event_ and bind_error_
func (c *Connection) RaiseImmediateError(e ConnectionEvent, errno kernel.Errno, bind bool) {
	c.immediate, c.errno, c.bindError, c.connecting = e, errno, bind, false
	if c.event != nil {
		c.event.Activate(eventloop.Write)
	}
}

// SetDelayedCloseTimeout is how long FlushWriteAndDelay waits for the peer's close, and how long
// any flush may make no progress; 0, as at first, is for ever.
//
// Envoy: Network::ConnectionImplBase::setDelayedCloseTimeout
func (c *Connection) SetDelayedCloseTimeout(d time.Duration) { c.end().timeout = d }
