package connection

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/log"
	"envoywalk/internal/step"
)

// CloseType says what is done about bytes that wait to be sent.
//
// Envoy: Network::ConnectionCloseType
type CloseType int

const (
	NoFlush            CloseType = iota // one try to send them, then close
	FlushWrite                          // close once they are sent
	FlushWriteAndDelay                  // then wait for the peer's close, or the delayed close timeout
)

// delayedClose is what still has to happen before a close.
//
// Envoy: Network::ConnectionImplBase::DelayedCloseState
type delayedClose int

const (
	none delayedClose = iota
	closeAfterFlush
	closeAfterFlushAndWait
)

// ending is what only a connection that closes needs, or one that has a delayed close timeout.
type ending struct {
	state   delayedClose
	timeout time.Duration
	timer   *eventloop.Timer // delayed close, later the ticks of lingering
	polite  bool             // the close was to lose nothing

	// Of lingering: since the peer last sent something, since the begin, and until the next look.
	quiet, age, tick time.Duration
}

func (c *Connection) end() *ending {
	if c.ending == nil {
		c.ending = &ending{}
	}
	return c.ending
}

// InDelayedClose says that the connection closes once something has happened.
//
// Envoy: Network::ConnectionImplBase::inDelayedClose
func (c *Connection) InDelayedClose() bool { return c.ending != nil && c.ending.state != none }

// Close ends the connection. Callbacks are told LocalClose, in this call or once the bytes are sent.
//
// Envoy: Network::ConnectionImpl::close
func (c *Connection) Close(t CloseType) {
	defer c.Lane().EnterStory(c.Life.Story(), step.ConnectionCloseNoFilters).On(c.Socket.FD).Exit()
	if c.closed {
		return
	}
	if c.writeBroken {
		t = NoFlush
	}
	left := c.write.Len()
	c.log("closing data_to_write=%d type=%d", left, t)
	if left > 0 && t != NoFlush && c.transport.CanFlushClose() {
		c.closeAfterFlush(t)
		return
	}
	if left > 0 && !c.connecting {
		c.updateWriteStats(c.transport.DoWrite(&c.write, true).Bytes, c.write.Len())
	}
	if t == FlushWriteAndDelay && c.end().timeout > 0 {
		c.waitForPeer()
		return
	}
	c.end().polite = t != NoFlush
	c.closeSocket(LocalClose)
}

// waitForPeer: nothing is left to send; the peer, or the timer, ends it.
func (c *Connection) waitForPeer() {
	if c.InDelayedClose() {
		return
	}
	c.initializeDelayedCloseTimer()
	c.ending.state = closeAfterFlushAndWait
	c.setEnabled(c.whileReadDisabled() &^ eventloop.Write)
}

func (c *Connection) closeAfterFlush(t CloseType) {
	e := c.end()
	again := c.InDelayedClose()
	e.polite, e.state = true, closeAfterFlush
	if t == FlushWriteAndDelay && e.timeout > 0 {
		e.state = closeAfterFlushAndWait
	}
	if again {
		return
	}
	if e.timeout > 0 {
		c.initializeDelayedCloseTimer()
	}
	c.setEnabled(c.whileReadDisabled())
}

// Envoy: Network::ConnectionImplBase::initializeDelayedCloseTimer
func (c *Connection) initializeDelayedCloseTimer() {
	c.ending.timer = c.Thread.Dispatcher.CreateTimer("delayed close", func() {
		c.log("triggered delayed close")
		c.closeSocket(LocalClose)
	})
	c.ending.timer.Enable(c.ending.timeout)
}

// flushed: everything is sent. n is what this write sent of it.
func (c *Connection) flushed(n int) {
	if c.InDelayedClose() && c.ending.state == closeAfterFlushAndWait {
		if n > 0 {
			c.progress()
		}
		return
	}
	c.closeSocket(LocalClose)
}

// progress gives a flush that moves its whole time again.
func (c *Connection) progress() {
	if c.ending != nil && c.ending.timer != nil {
		c.ending.timer.Enable(c.ending.timeout)
	}
}

// closeSocket is the end for whoever uses the connection: it raises e and nothing after it. What
// was not sent is dropped. The fd is closed here too, unless its peer may not have read all that it
// was sent.
//
// Envoy: Network::ConnectionImpl::closeSocket
func (c *Connection) closeSocket(e ConnectionEvent) {
	defer c.Lane().EnterStory(c.Life.Story(), step.CloseSocket).On(c.Socket.FD).Exit()
	if c.closed {
		return
	}
	c.log("closing socket: %d", e)
	c.closed = true
	for _, t := range [...]*eventloop.Timer{c.retry, c.end().timer} {
		if t != nil {
			t.Disable()
		}
	}
	c.transport.CloseSocket(e)
	c.updateReadStats(0, 0)
	c.updateWriteStats(0, 0)
	c.Discarded = c.write.Len()
	c.write.Drain(c.write.Len())
	c.endSocket(e)
	c.raiseEvent(e)
	c.read.Drain(c.read.Len())
}

// log writes Envoy's connection log line, [C7] ..., at debug.
func (c *Connection) log(format string, args ...any) {
	if c.Thread.Log.Enabled(log.Debug) {
		c.Thread.Log.Debug("[C%d] "+format, append([]any{c.ID}, args...)...)
	}
}
