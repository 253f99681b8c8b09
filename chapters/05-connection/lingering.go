package connection

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/kernel"
)

// A close while the peer still sends makes the kernel answer with a reset, and a reset throws away
// what we sent and the peer has not read. So the fd of a connection that was to lose nothing stays
// open until the peer has closed its side, or has had all of it and been silent for a while. Envoy
// 1.17 closes at once. The owner does not notice: for it the connection is closed.
const (
	retryPause  = 10 * time.Millisecond  // after the kernel had no memory for a call
	lingerTick  = 100 * time.Millisecond // how often it is asked whether all has arrived
	hastyTick   = 2 * time.Millisecond   // of a server that stops
	lingerQuiet = time.Second            // of silence, after which a peer that has everything is left
	lingerMost  = 30 * time.Second       // after which any peer is left
	drainMost   = 1 << 20                // bytes thrown away per event
	scratchSize = 64 << 10
)

// endSocket closes the fd, now or, where that could lose bytes, later.
func (c *Connection) endSocket(e ConnectionEvent) {
	lossless := c.errno != 0 || c.readEndStream || c.connecting || c.event == nil
	if lossless {
		c.closeFD()
		return
	}
	if e != LocalClose || !c.ending.polite {
		c.drain() // what is left unread would turn the close into a reset
		c.closeFD()
		return
	}
	c.beginLingering()
}

func (c *Connection) beginLingering() {
	if !c.writeShut {
		c.writeShut = true
		kernel.Shutdown(c.Lane(), c.Socket.FD, kernel.SHUT_WR)
	}
	c.ending.timer = c.Thread.Dispatcher.CreateTimer("linger", c.lingerTick)
	c.ending.timer.Housekeeping = true
	c.enableLingerTick()
	if c.event.SetEnabled(eventloop.Read) != 0 {
		c.endLingering()
		return
	}
	c.linger()
}

// linger throws away what the peer still sends. Its end is ours.
func (c *Connection) linger() {
	switch n, ended := c.drain(); {
	case ended:
		c.endLingering()
	case n >= drainMost:
		c.ending.quiet = 0
		c.event.Activate(eventloop.Read)
	case n > 0:
		c.ending.quiet = 0
	}
}

// lingerTick asks how far it is. A server that stops waits for arrival alone, not for silence.
func (c *Connection) lingerTick() {
	e := c.ending
	e.age += e.tick
	e.quiet += e.tick
	unsent, errno := kernel.Unsent(c.Lane(), c.Socket.FD)
	arrived := errno != 0 || unsent == 0
	if e.age >= lingerMost || arrived && (e.quiet >= lingerQuiet || c.Thread.hasty) {
		c.endLingering()
		return
	}
	c.enableLingerTick()
}

func (c *Connection) enableLingerTick() {
	c.ending.tick = lingerTick
	if c.Thread.hasty {
		c.ending.tick = hastyTick
	}
	c.ending.timer.Enable(c.ending.tick)
}

func (c *Connection) endLingering() {
	c.ending.timer.Disable()
	c.closeFD()
}

// drain reads and forgets, at most drainMost bytes. ended: there will be no more.
func (c *Connection) drain() (n int, ended bool) {
	for n < drainMost {
		got, errno := kernel.Read(c.Lane(), c.Socket.FD, c.Thread.room())
		switch {
		case got > 0:
			n += got
		case errno == kernel.EAGAIN:
			return n, false
		case errno != kernel.EINTR:
			return n, true
		}
	}
	return n, false
}

// closeFD ends the life of the fd.
func (c *Connection) closeFD() {
	if c.event != nil {
		c.event.Close()
		c.event = nil
	}
	kernel.Close(c.Lane(), c.Socket.FD)
	c.Life.Release()
}
