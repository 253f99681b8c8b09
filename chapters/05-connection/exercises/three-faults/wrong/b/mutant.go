//go:build ignore

package connection

func (c *Connection) canWait(errno kernel.Errno, again eventloop.FileReady) bool {
	switch errno {
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
