//go:build linux && (amd64 || arm64)

package kernel

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"envoywalk/internal/network"
	"envoywalk/trace"
)

// Socket opens a stream socket, non-blocking and close-on-exec.
//
//go:noinline
func Socket(l *trace.Lane, domain int) (int, Errno) {
	const kind = unix.SOCK_STREAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	return door(l, callSocket, trace.CallerPC(),
		&args{n: [6]uintptr{uintptr(domain), kind, 0}}, shown{-1, int64(domain)}, "")
}

// Bind gives the socket its address.
//
//go:noinline
func Bind(l *trace.Lane, fd int, a *network.Address) Errno {
	return addressed(l, callBind, trace.CallerPC(), fd, a)
}

// Connect starts connecting; EINPROGRESS is the ordinary answer of a TCP socket.
//
//go:noinline
func Connect(l *trace.Lane, fd int, a *network.Address) Errno {
	return addressed(l, callConnect, trace.CallerPC(), fd, a)
}

func addressed(l *trace.Lane, c *call, pc uintptr, fd int, a *network.Address) Errno {
	raw := a.Sockaddr()
	_, errno := door(l, c, pc, &args{n: [6]uintptr{0: uintptr(fd), 2: uintptr(len(raw))},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(&raw[0])}}, shown{int64(fd)}, a.String())
	return errno
}

// Listen makes the socket passive. backlog -1 asks for the most the kernel allows (net.core.somaxconn).
//
//go:noinline
func Listen(l *trace.Lane, fd, backlog int) Errno {
	_, errno := door(l, callListen, trace.CallerPC(),
		&args{n: [6]uintptr{uintptr(fd), uintptr(backlog)}}, shown{int64(fd), 0, 0, int64(backlog)}, "")
	return errno
}

// Peer is the raw address of an accepted connection, kept in the caller's memory.
type Peer struct {
	raw [unix.SizeofSockaddrAny]byte
	len uint32
}

// Address returns who connected, or nil for an unnamed unix socket.
func (p *Peer) Address() *network.Address {
	a, err := network.FromSockaddr(p.raw[:min(int(p.len), len(p.raw))])
	if err != nil {
		return nil
	}
	return a
}

// Accept takes one connection off the queue of fd; the new fd is non-blocking and close-on-exec.
//
//go:noinline
func Accept(l *trace.Lane, fd int, peer *Peer) (int, Errno) {
	pc := trace.CallerPC()
	peer.len = uint32(len(peer.raw))
	a := args{n: [6]uintptr{0: uintptr(fd), 3: unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(&peer.raw), 2: unsafe.Pointer(&peer.len)}}
	if l == nil {
		return callAccept.issue(&a, shown{int64(fd)})
	}
	begin := l.Now()
	ret, errno := callAccept.issue(&a, shown{int64(fd)})
	tell(l, callAccept, pc, begin, peer.shown(fd), ret, errno, "")
	return ret, errno
}

// shown packs the peer into three words: family and port, then the address.
func (p *Peer) shown(fd int) shown {
	s := shown{int64(fd), int64(binary.NativeEndian.Uint32(p.raw[:4]))}
	switch binary.NativeEndian.Uint16(p.raw[:2]) {
	case AF_INET:
		s[2] = int64(binary.NativeEndian.Uint32(p.raw[4:8]))
	case AF_INET6:
		s[2] = int64(binary.NativeEndian.Uint64(p.raw[8:16]))
		s[3] = int64(binary.NativeEndian.Uint64(p.raw[16:24]))
	}
	return s
}

// peerText is the other half of shown, off the loop.
func peerText(r *trace.Record) string {
	var raw [unix.SizeofSockaddrInet6]byte
	binary.NativeEndian.PutUint32(raw[:4], uint32(r.Args[1]))
	n := len(raw)
	switch binary.NativeEndian.Uint16(raw[:2]) {
	case AF_INET:
		binary.NativeEndian.PutUint32(raw[4:8], uint32(r.Args[2]))
		n = unix.SizeofSockaddrInet4
	case AF_INET6:
		binary.NativeEndian.PutUint64(raw[8:16], uint64(r.Args[2]))
		binary.NativeEndian.PutUint64(raw[16:24], uint64(r.Args[3]))
	default:
		return "unix"
	}
	return addressText(raw[:n])
}

// Getsockname asks which address the socket has.
//
//go:noinline
func Getsockname(l *trace.Lane, fd int) (*network.Address, Errno) {
	return askName(l, callGetsockname, trace.CallerPC(), fd)
}

// Getpeername asks which address the other end has.
//
//go:noinline
func Getpeername(l *trace.Lane, fd int) (*network.Address, Errno) {
	return askName(l, callGetpeername, trace.CallerPC(), fd)
}

func askName(l *trace.Lane, c *call, pc uintptr, fd int) (*network.Address, Errno) {
	var p Peer
	p.len = uint32(len(p.raw))
	a := args{n: [6]uintptr{0: uintptr(fd)},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(&p.raw), 2: unsafe.Pointer(&p.len)}}
	var begin int64
	if l != nil {
		begin = l.Now()
	}
	ret, errno := c.issue(&a, shown{int64(fd)})
	name, text := p.Address(), "NULL"
	if name != nil {
		text = name.String()
	}
	if l != nil {
		tell(l, c, pc, begin, shown{int64(fd)}, ret, errno, text)
	}
	if errno != 0 {
		return nil, errno
	}
	return name, 0
}

// SetsockoptInt sets an option that is an int.
//
//go:noinline
func SetsockoptInt(l *trace.Lane, fd, level, name, value int) Errno {
	v := int32(value)
	_, errno := door(l, callSetsockopt, trace.CallerPC(),
		&args{n: [6]uintptr{0: uintptr(fd), 1: uintptr(level), 2: uintptr(name), 4: 4},
			p: [6]unsafe.Pointer{3: unsafe.Pointer(&v)}},
		shown{int64(fd), int64(level), int64(name), int64(value)}, "")
	return errno
}

// SetsockoptBytes sets an option that is a buffer.
//
//go:noinline
func SetsockoptBytes(l *trace.Lane, fd, level, name int, value []byte) Errno {
	pc := trace.CallerPC()
	if len(value) == 0 {
		value = []byte{0}[:0:1]
	}
	_, errno := door(l, callSetsockopt, pc,
		&args{n: [6]uintptr{0: uintptr(fd), 1: uintptr(level), 2: uintptr(name), 4: uintptr(len(value))},
			p: [6]unsafe.Pointer{3: unsafe.Pointer(unsafe.SliceData(value))}},
		shown{int64(fd), int64(level), int64(name)}, string(value))
	return errno
}

// GetsockoptInt asks for an option that is an int.
//
//go:noinline
func GetsockoptInt(l *trace.Lane, fd, level, name int) (int, Errno) {
	pc := trace.CallerPC()
	var v int32
	size := uint32(4)
	a := args{n: [6]uintptr{0: uintptr(fd), 1: uintptr(level), 2: uintptr(name)},
		p: [6]unsafe.Pointer{3: unsafe.Pointer(&v), 4: unsafe.Pointer(&size)}}
	var begin int64
	if l != nil {
		begin = l.Now()
	}
	ret, errno := callGetsockopt.issue(&a, shown{int64(fd)})
	if l != nil {
		tell(l, callGetsockopt, pc, begin, shown{int64(fd), int64(level), int64(name), int64(v)}, ret, errno, "")
	}
	return int(v), errno
}

// GetsockoptBytes asks for an option that is a buffer and returns how many bytes of value it took.
//
//go:noinline
func GetsockoptBytes(l *trace.Lane, fd, level, name int, value []byte) (int, Errno) {
	return askBytes(l, trace.CallerPC(), fd, level, name, value, nil)
}

// OriginalDst asks where a connection was going before netfilter sent it here. family is that of its
// local address. An errno (ENOENT, ENOPROTOOPT) means that nobody redirected it.
//
//go:noinline
func OriginalDst(l *trace.Lane, fd, family int) (*network.Address, Errno) {
	pc := trace.CallerPC()
	var raw [unix.SizeofSockaddrInet6]byte
	level, name, value := IPPROTO_IP, SO_ORIGINAL_DST, raw[:unix.SizeofSockaddrInet4]
	if family == AF_INET6 {
		level, name, value = IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST, raw[:]
	}
	if _, errno := askBytes(l, pc, fd, level, name, value, addressText); errno != 0 {
		return nil, errno
	}
	a, err := network.FromSockaddr(value)
	if err != nil {
		return nil, EAFNOSUPPORT
	}
	return a, 0
}

// askBytes asks for an option; text is how its value is shown where that is not just bytes.
func askBytes(l *trace.Lane, pc uintptr, fd, level, name int, value []byte, text func([]byte) string) (int, Errno) {
	size := uint32(len(value))
	a := args{n: [6]uintptr{0: uintptr(fd), 1: uintptr(level), 2: uintptr(name)},
		p: [6]unsafe.Pointer{3: unsafe.Pointer(unsafe.SliceData(value)), 4: unsafe.Pointer(&size)}}
	s := shown{int64(fd), int64(level), int64(name), int64(size)}
	var begin int64
	if l != nil {
		begin = l.Now()
	}
	ret, errno := callGetsockoptBytes.issue(&a, s)
	if l != nil {
		shownAs := ""
		if errno == 0 && text != nil {
			shownAs = text(value)
		}
		s[3] = int64(size)
		tell(l, callGetsockoptBytes, pc, begin, s, ret, errno, shownAs)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(size), 0
}

func addressText(raw []byte) string {
	a, err := network.FromSockaddr(raw)
	if err != nil {
		return "?"
	}
	return a.String()
}
