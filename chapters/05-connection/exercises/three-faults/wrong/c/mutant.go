//go:build ignore

package connection

func (c *Connection) setTransportSocketIsReadable() {
	c.transportWantsRead = true
}
