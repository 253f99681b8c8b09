package connection

import (
	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
)

// Write takes all of data to send, through the write filters. Nothing is sent in this call: a write
// event is injected, and the next turn sends. endStream, which needs half-close, is the last write.
//
// Envoy: Network::ConnectionImpl::write
func (c *Connection) Write(data *buffer.Buffer, endStream bool) {
	defer c.Lane().Enter(step.ConnectionWrite).Exit()
	if c.writeEndStream || c.closed {
		return
	}
	if c.Filters != nil && !c.Filters.OnWrite(c, data, endStream) {
		return
	}
	c.writeEndStream = endStream
	if data.Len() == 0 && !endStream {
		return
	}
	c.write.Move(data)
	if !c.connecting {
		c.activate(eventloop.Write)
	}
}

// onWriteReady ends a pending connect, then sends what waits, then ends what was waiting for that.
//
// Envoy: Network::ConnectionImpl::onWriteReady
func (c *Connection) onWriteReady() {
	defer c.Lane().Enter(step.OnWriteReady).Exit()
	if c.connecting && !c.finishConnect() {
		return
	}
	sent := c.transport.DoWrite(&c.write, c.writeEndStream)
	left := c.write.Len()
	c.updateWriteStats(sent.Bytes, left)
	switch {
	case sent.Close:
		c.onWriteBroken()
	case c.InDelayedClose() && left == 0 || c.bothSidesHalfClosed():
		c.log("write flush complete")
		c.flushed(sent.Bytes)
	case sent.Bytes > 0:
		c.progress()
		if c.bytesSent != nil {
			c.bytesSent(sent.Bytes)
		}
	}
}

// onWriteBroken: the peer takes no more, but what it sent before its reset is still in the kernel. So
// reading goes on to the end, and that closes. Where it is disabled, an upstream connection waits for a
// slow client; a downstream one is closed, for its upstream may wait for it. Envoy closes both at once.
func (c *Connection) onWriteBroken() {
	c.writeBroken = true
	downstream := c.Info != nil
	switch {
	case c.readEndStream || c.InDelayedClose() || c.readDisabled != 0 && downstream:
		c.closeSocket(RemoteClose)
	case c.readDisabled == 0:
		c.activate(eventloop.Read)
	}
}

// finishConnect asks what became of the connect. It reports whether the connection is usable.
func (c *Connection) finishConnect() bool {
	value, errno := kernel.GetsockoptInt(c.Lane(), c.Socket.FD, kernel.SOL_SOCKET, kernel.SO_ERROR)
	if errno == 0 {
		errno = kernel.Errno(value)
	}
	if errno != 0 {
		c.errno = errno
		c.log("delayed connection error: %s", errno)
		c.closeSocket(RemoteClose)
		return false
	}
	c.log("connected")
	c.connecting = false
	c.transport.OnConnected()
	return c.State() == Open
}

// raiseEvent tells everybody.
//
// Envoy: Network::ConnectionImpl::raiseEvent
func (c *Connection) raiseEvent(e ConnectionEvent) {
	for _, cb := range c.callbacks {
		cb.OnEvent(e)
	}
}

// bothSidesHalfClosed: each has told the other that no more will come, and all of it is sent.
//
// Envoy: Network::ConnectionImpl::bothSidesHalfClosed
func (c *Connection) bothSidesHalfClosed() bool {
	return c.readEndStream && c.writeEndStream && c.write.Len() == 0
}
