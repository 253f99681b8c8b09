package connection

import "maps"

// Open implements threading.Connections: how many of those that were accepted have a socket that is
// not closed, here or upstream.
func (l *activeListener) Open() int { return l.open + len(l.waiting) }

// Flusher is a filter manager whose filters know how to end a connection without losing a byte.
type Flusher interface{ Flush() }

// Flush implements threading.Connections: nothing new is read; a connection closes once what was
// read is with whom it was for.
func (l *activeListener) Flush() {
	l.flushed, l.thread.hasty = true, true
	for len(l.waiting) > 0 {
		l.waiting[0].unlink()
	}
	l.each(func(c *Connection) {
		if f, ok := c.Filters.(Flusher); ok {
			f.Flush()
			return
		}
		c.Close(FlushWrite)
	})
}

// Close implements threading.Connections: whatever is left ends now.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpListener::~ActiveTcpListener
func (l *activeListener) Close() {
	for len(l.waiting) > 0 {
		l.waiting[0].unlink()
	}
	l.each(func(c *Connection) { c.Close(NoFlush) })
	l.thread.Dispatcher.ClearDeferredDeletes()
}

func (l *activeListener) each(f func(*Connection)) {
	for _, g := range maps.Clone(l.chains) { // f takes connections, and with the last their group, away
		g.each(f)
	}
}

func (g *ActiveConnections) each(f func(*Connection)) {
	for n := len(g.connections) - 1; n >= 0; n-- {
		if n < len(g.connections) {
			f(g.connections[n].Connection)
		}
	}
}
