//go:build ignore

package connection

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
	if got.EndStream {
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
