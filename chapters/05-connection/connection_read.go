package connection

import (
	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
)

// onFileEvent is the entry of every event of the connection's fd.
//
// Envoy: Network::ConnectionImpl::onFileEvent
func (c *Connection) onFileEvent(events eventloop.FileReady) {
	defer c.Lane().EnterStory(c.Life.Story(), step.OnFileEvent).On(c.Socket.FD).Exit()
	switch {
	case c.closed:
		if c.event != nil {
			c.linger() // the owner is done; the peer is not
		}
		return
	case c.immediate != noEvent:
		c.raiseImmediateError()
		return
	case events&eventloop.Closed != 0:
		c.log("remote early close")
		c.closeSocket(RemoteClose)
		return
	}
	if events&eventloop.Write != 0 {
		c.onWriteReady()
	}
	if !c.closed && events&eventloop.Read != 0 {
		c.onReadReady()
	}
}

func (c *Connection) raiseImmediateError() {
	if c.bindError && c.stats != nil && c.stats.BindErrors != nil {
		c.stats.BindErrors.Inc()
	}
	c.log("raising immediate error")
	c.closeSocket(c.immediate)
}

// onReadReady reads, unless reading is disabled, and hands what there is to the filters. It may
// have closed the connection when it returns.
//
// Envoy: Network::ConnectionImpl::onReadReady
func (c *Connection) onReadReady() {
	defer c.Lane().Enter(step.OnReadReady).Exit()
	if c.InDelayedClose() {
		return // what the peer sends now nobody takes: lingering throws it away
	}
	buffered := c.dispatchBuffered
	c.dispatchBuffered = false
	if c.readDisabled != 0 {
		if buffered && c.FilterChainWantsData() {
			c.onRead()
		}
		return
	}
	c.transportWantsRead = false
	got := c.transport.DoRead(&c.read)
	c.updateReadStats(got.Bytes, c.read.Len())
	if got.EndStream && !c.halfClose {
		got.EndStream, got.Close = false, true
	}
	c.readEndStream = c.readEndStream || got.EndStream
	if got.Bytes > 0 || got.EndStream || buffered && c.read.Len() > 0 {
		c.onRead()
	}
	if !c.closed && (got.Close || c.bothSidesHalfClosed() || c.writeBroken && c.readEndStream) {
		c.log("remote close")
		c.closeSocket(RemoteClose)
	}
}

// onRead hands over to the filters; without any, what is read is thrown away.
func (c *Connection) onRead() {
	if c.Filters != nil {
		c.Filters.OnRead(c)
		return
	}
	c.read.Drain(c.read.Len())
}

// ReadDisable stops reading, or lets it go on: it counts, so that several may ask. What the peer
// sends meanwhile waits in the kernel, and then at the peer.
//
// Envoy: Network::ConnectionImpl::readDisable
func (c *Connection) ReadDisable(disable bool) {
	if disable {
		if c.readDisabled++; c.readDisabled == 1 && c.State() == Open {
			c.setEnabled(c.whileReadDisabled())
		}
		return
	}
	c.readDisabled--
	if c.State() != Open {
		return
	}
	if c.readDisabled == 0 {
		c.setEnabled(eventloop.Read | eventloop.Write)
	}
	if c.FilterChainWantsData() && (c.read.Len() > 0 || c.transportWantsRead) {
		c.dispatchBuffered = true
		c.activate(eventloop.Read)
	}
}

// whileReadDisabled: with half-close the peer's end waits its turn behind its bytes; without, it
// ends the connection at once.
func (c *Connection) whileReadDisabled() eventloop.FileReady {
	if c.halfClose {
		return eventloop.Write
	}
	return eventloop.Write | eventloop.Closed
}

// ReadEnabled says that nobody has disabled reading.
//
// Envoy: Network::ConnectionImpl::readEnabled
func (c *Connection) ReadEnabled() bool { return c.readDisabled == 0 }

// FilterChainWantsData says that reading is enabled, or disabled only because the read buffer is
// full.
//
// Envoy: Network::ConnectionImpl::filterChainWantsData
func (c *Connection) FilterChainWantsData() bool {
	return c.readDisabled == 0 || c.readDisabled == 1 && c.limit > 0 && c.read.AboveHighWatermark()
}

// Envoy: Network::ConnectionImpl::shouldDrainReadBuffer
func (c *Connection) shouldDrainReadBuffer() bool {
	return c.limit > 0 && c.read.Len() >= int(c.limit)
}

// wanted is how much one read may ask for: no more than the limit leaves room for, though something.
func (c *Connection) wanted() int {
	if c.limit == 0 {
		return readSize
	}
	return min(readSize, max(int(c.limit)-c.read.Len(), 1))
}

// setTransportSocketIsReadable: the transport stopped before the kernel had no more, so no edge
// will come; ask again in the next turn.
//
// Envoy: Network::ConnectionImpl::setTransportSocketIsReadable
func (c *Connection) setTransportSocketIsReadable() {
	c.transportWantsRead = true
	if c.readDisabled == 0 {
		c.activate(eventloop.Read)
	}
}

// setEnabled changes what is watched. An epoll that has no memory for it leaves a connection that
// nobody would wake: it is closed in the next turn.
func (c *Connection) setEnabled(events eventloop.FileReady) {
	if c.event == nil || c.immediate != noEvent {
		return
	}
	if errno := c.event.SetEnabled(events); errno != 0 {
		c.RaiseImmediateError(LocalClose, errno, false)
	}
}

func (c *Connection) activate(events eventloop.FileReady) {
	if c.event != nil {
		c.event.Activate(events)
	}
}

// canWait tells a call that may succeed later from one that broke the connection. For EAGAIN the
// kernel will report an edge; for want of memory nobody will, so the call is tried again soon.
func (c *Connection) canWait(errno kernel.Errno, again eventloop.FileReady) bool {
	switch errno {
	case kernel.EAGAIN:
		return true
	case kernel.ENOBUFS, kernel.ENOMEM:
		c.tryAgain()
		if again == eventloop.Read {
			c.transportWantsRead = true
		}
		return true
	}
	c.errno = errno
	return false
}

// tryAgain injects both kinds of readiness after a pause.
func (c *Connection) tryAgain() {
	if c.retry == nil {
		c.retry = c.Thread.Dispatcher.CreateTimer("try again", func() {
			c.activate(eventloop.Read | eventloop.Write)
		})
	}
	if !c.retry.Enabled() {
		c.retry.Enable(retryPause)
	}
}
