package filterchain

import (
	eventloop "envoywalk/chapters/00-event-loop"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
)

// UpstreamDrainManager keeps upstream connections whose client is gone until they have taken all
// that the client sent. There is one for each thread and tcp_proxy; only that thread touches it.
// When the tcp_proxy is removed from the configuration, what still drains goes on: it is bounded
// by the idle timeout, and by the end of the server.
//
// Envoy: TcpProxy::UpstreamDrainManager
type UpstreamDrainManager struct{ drainers map[*Drainer]struct{} }

func newUpstreamDrainManager() *UpstreamDrainManager {
	return &UpstreamDrainManager{drainers: map[*Drainer]struct{}{}}
}

// add takes over a connection that is being flushed, and its running idle timer if it has one.
//
// Envoy: TcpProxy::UpstreamDrainManager::add
func (m *UpstreamDrainManager) add(u *TcpUpstream, idle *eventloop.Timer) {
	d := &Drainer{manager: m, upstream: u, idle: idle}
	u.parent, u.drainer = nil, d
	m.drainers[d] = struct{}{}
	u.config.stats.upstreamFlushTotal.Inc()
	u.config.stats.upstreamFlushActive.Inc()
}

// Close gives up what is not yet flushed.
//
// Envoy: TcpProxy::UpstreamDrainManager::~UpstreamDrainManager
func (m *UpstreamDrainManager) Close() {
	for d := range m.drainers {
		d.cancelDrain()
	}
}

// Drainer is one such connection.
//
// Envoy: TcpProxy::Drainer
type Drainer struct {
	manager  *UpstreamDrainManager
	upstream *TcpUpstream
	idle     *eventloop.Timer // nil: it may take for ever
}

// onClosed: flushed, given up, or broken.
//
// Envoy: TcpProxy::Drainer::onEvent
func (d *Drainer) onClosed() {
	if d.idle != nil {
		d.idle.Disable()
	}
	d.upstream.config.stats.upstreamFlushActive.Dec()
	delete(d.manager.drainers, d)
}

// onData: nobody is there to read what the upstream sends. As the kernel would for a socket that
// nobody has open any more, it closes the connection.
//
// Envoy: TcpProxy::Drainer::onData
func (d *Drainer) onData(data *buffer.Buffer) {
	if data.Len() > 0 {
		d.cancelDrain()
	}
}

// Envoy: TcpProxy::Drainer::onIdleTimeout
func (d *Drainer) onIdleTimeout() {
	d.upstream.config.stats.idleTimeout.Inc()
	d.cancelDrain()
}

// Envoy: TcpProxy::Drainer::onBytesSent
func (d *Drainer) onBytesSent() {
	if d.idle != nil {
		d.idle.Enable(d.upstream.config.idleTimeout)
	}
}

// cancelDrain closes at once, which calls onClosed.
//
// Envoy: TcpProxy::Drainer::cancelDrain
func (d *Drainer) cancelDrain() { d.upstream.close(connection.NoFlush) }
