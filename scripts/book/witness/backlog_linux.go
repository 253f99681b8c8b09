package witness

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Backlog is how long the accept queue of a listening TCP socket may grow, as NETLINK_SOCK_DIAG tells it.
func Backlog(s *Socket) (int, error) {
	at, err := netip.ParseAddrPort(s.Local)
	if err != nil || !s.Listening {
		return 0, errors.New("only a TCP socket that listens has a backlog")
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return 0, cannot("sock_diag", err)
	}
	defer unix.Close(fd)
	family := byte(unix.AF_INET)
	if at.Addr().Is6() {
		family = unix.AF_INET6
	}
	if err := unix.Sendto(fd, diagRequest(family), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, cannot("sock_diag", err)
	}
	return readDiag(fd, uint32(s.Inode))
}

const (
	sockDiagByFamily = 20
	tcpListen        = 10
	diagRequestLen   = 72 // nlmsghdr 16, inet_diag_req_v2 56
)

func diagRequest(family byte) []byte {
	b := make([]byte, diagRequestLen)
	binary.NativeEndian.PutUint32(b[0:], diagRequestLen)
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b[16], b[17] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(b[20:], 1<<tcpListen)
	return b
}

// readDiag looks for the inode in the answers: inet_diag_msg has the queue's limit in idiag_wqueue.
func readDiag(fd int, inode uint32) (int, error) {
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if err != nil {
			return 0, cannot("sock_diag", err)
		}
		for b := buffer[:n]; len(b) >= 16; {
			length := binary.NativeEndian.Uint32(b)
			kind := binary.NativeEndian.Uint16(b[4:])
			if kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR || length < 16 || int(length) > len(b) {
				return 0, cannot("sock_diag", errors.New("the socket is not in its answer"))
			}
			if body := b[16:length]; len(body) >= 72 && binary.NativeEndian.Uint32(body[68:]) == inode {
				return int(binary.NativeEndian.Uint32(body[60:])), nil
			}
			b = b[min(len(b), int(length+3)&^3):]
		}
	}
}
