package connection

import "envoywalk/internal/stats"

// ConnectionStats are the numbers of a kind of connections, shared by all of that kind. A nil
// BindErrors is not counted.
//
// Envoy: Network::Connection::ConnectionStats
type ConnectionStats struct {
	ReadTotal, WriteTotal     *stats.Counter // bytes
	ReadCurrent, WriteCurrent *stats.Gauge   // bytes buffered now
	BindErrors                *stats.Counter
}

// SetConnectionStats says where bytes are counted from here on.
//
// Envoy: Network::ConnectionImplBase::setConnectionStats
func (c *Connection) SetConnectionStats(s *ConnectionStats) { c.stats = s }

// Envoy: Network::ConnectionImpl::updateReadBufferStats
func (c *Connection) updateReadStats(n, size int) {
	if c.stats != nil {
		updateBufferStats(n, size, &c.countedRead, c.stats.ReadTotal, c.stats.ReadCurrent)
	}
}

// Envoy: Network::ConnectionImpl::updateWriteBufferStats
func (c *Connection) updateWriteStats(n, size int) {
	if c.stats != nil {
		updateBufferStats(n, size, &c.countedWrite, c.stats.WriteTotal, c.stats.WriteCurrent)
	}
}

// Envoy: Network::ConnectionImplUtility::updateBufferStats
func updateBufferStats(n, size int, counted *uint32, total *stats.Counter, current *stats.Gauge) {
	if n > 0 {
		total.Add(uint64(n))
	}
	if now := uint32(size); now != *counted {
		current.Add(uint64(now) - uint64(*counted)) // wraps, as it should, when there is less
		*counted = now
	}
}
