// Package connection is chapter 05: what becomes of an accepted socket.
//
// It follows the article "下游tcp连接处理": the active socket and its listener filters, the server
// connection, its registration for read and write, and what the connection then does with both.
// Which filters see the bytes is chapter 06's.
package connection

import (
	"time"

	listensocket "envoywalk/chapters/02-listen-socket"
	threading "envoywalk/chapters/04-threading"
	"envoywalk/internal/later"
	"envoywalk/trace"
)

// Seams is what this chapter leaves open, over chapter 04's.
type Seams struct {
	*threading.Seams

	// FindFilterChain chooses a chain of l for s, nil if none is for it. Filled by 06; until then
	// every socket gets the same chain, which has no filters.
	FindFilterChain func(l *listensocket.Listener, s *ActiveTcpSocket) FilterChain
	// CreateNetworkFilterChain gives c the filters of its chain. It reports whether one of them
	// reads. Filled by 06.
	CreateNetworkFilterChain func(l *listensocket.Listener, c *Connection, f FilterChain) bool
}

// FilterChain is what connections that match it get.
//
// Envoy: Network::FilterChain
type FilterChain interface {
	Name() string
	CreateTransportSocket(*trace.Lane) TransportSocket
	TransportSocketConnectTimeout() time.Duration // 0 is none
}

const tryNext = "Next: -c envoy.yaml with a listener filter, or chapter 06, which gives the " +
	"connection filters."

// Wire returns chapter 05's seams: chapter 04's with connections.
func Wire() *Seams {
	s := &Seams{Seams: threading.Wire()}
	s.Chapter.Number, s.Chapter.Name = 5, "05-connection"
	s.Chapter.Try = tryNext
	s.Connections = func(a *threading.ActiveTcpListener) threading.Connections {
		return newActiveListener(s, a)
	}
	s.ListenerFilters = buildListenerFilters
	s.FindFilterChain = func(*listensocket.Listener, *ActiveTcpSocket) FilterChain { return noFilters{} }
	s.CreateNetworkFilterChain = func(_ *listensocket.Listener, c *Connection, _ FilterChain) bool {
		later.Chapter(c.Lane(), 6, "the network filters would be installed here; without any the "+
			"connection is closed")
		return false
	}
	s.Demo = demo
	return s
}

// noFilters stands in for chapter 06.
type noFilters struct{}

func (noFilters) Name() string { return "" }
func (noFilters) CreateTransportSocket(l *trace.Lane) TransportSocket {
	return CreateTransportSocket(l)
}
func (noFilters) TransportSocketConnectTimeout() time.Duration { return 0 }
