package connection

import "envoywalk/internal/stats"

// counted are a connection's numbers, and what it last added to the gauges.
type counted struct {
	ConnectionStats
	lastRead, lastWrite int
}

// SetConnectionStats says where bytes are counted from here on.
//
// Envoy: Network::ConnectionImplBase::setConnectionStats
func (c *Connection) SetConnectionStats(s ConnectionStats) { c.stats = &counted{ConnectionStats: s} }

// Envoy: Network::ConnectionImpl::updateReadBufferStats
func (c *Connection) updateReadStats(n, size int) {
	if s := c.stats; s != nil {
		updateBufferStats(n, size, &s.lastRead, s.ReadTotal, s.ReadCurrent)
	}
}

// Envoy: Network::ConnectionImpl::updateWriteBufferStats
func (c *Connection) updateWriteStats(n, size int) {
	if s := c.stats; s != nil {
		updateBufferStats(n, size, &s.lastWrite, s.WriteTotal, s.WriteCurrent)
	}
}

// Envoy: Network::ConnectionImplUtility::updateBufferStats
func updateBufferStats(n, size int, last *int, total *stats.Counter, current *stats.Gauge) {
	if n > 0 {
		total.Add(uint64(n))
	}
	if size != *last {
		current.Add(uint64(size) - uint64(*last)) // wraps, as it should, when there is less
		*last = size
	}
}
