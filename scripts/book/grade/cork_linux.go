package grade

import (
	"net"

	"golang.org/x/sys/unix"
)

// cork keeps what a client says from leaving before its end does: both arrive as one, so that no run has the
// one without the other.
func cork(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1) })
}
