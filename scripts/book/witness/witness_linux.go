package witness

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Process is a child that is looked at.
type Process struct {
	PID   int
	pidfd int
}

// Open begins to look at a child. Close it.
func Open(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, cannot("pidfd_open", err)
	}
	return &Process{pid, fd}, nil
}

// Close ends the looking.
func (p *Process) Close() error { return unix.Close(p.pidfd) }

// Sockets are the child's sockets, by fd.
func (p *Process) Sockets() ([]Socket, error) {
	fds, err := p.fds()
	if err != nil {
		return nil, err
	}
	var all []Socket
	for _, fd := range fds {
		target, err := os.Readlink(p.path("fd", strconv.Itoa(fd)))
		inode, isSocket := strings.CutPrefix(target, "socket:[")
		if err != nil || !isSocket {
			continue // it was closed meanwhile, or is something else
		}
		s := Socket{FD: fd}
		s.Inode, _ = strconv.ParseUint(strings.TrimSuffix(inode, "]"), 10, 64)
		if err := p.look(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// look borrows the socket and asks it. The copy is closed again: the child's fd is not touched.
func (p *Process) look(s *Socket) error {
	err := p.borrow(s.FD, func(fd int) {
		listening, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		s.Listening = listening == 1
		local, _ := unix.Getsockname(fd)
		peer, _ := unix.Getpeername(fd)
		if s.Family, s.Local = address(local); s.Local == "@" { // a unix socket that has none
			s.Local = ""
		}
		_, s.Peer = address(peer)
	})
	s.options = func(level, name int) (value int, err error) {
		if lent := p.borrow(s.FD, func(fd int) { value, err = unix.GetsockoptInt(fd, level, name) }); lent != nil {
			return 0, lent
		}
		if err != nil {
			return 0, cannot("getsockopt", err)
		}
		return value, nil
	}
	return err
}

// borrow runs f on a copy of the child's fd.
func (p *Process) borrow(fd int, f func(int)) error {
	mine, err := unix.PidfdGetfd(p.pidfd, fd, 0)
	if err == unix.EBADF {
		return nil // closed meanwhile: what is not there has nothing set
	}
	if err != nil {
		return cannot("pidfd_getfd", err)
	}
	f(mine)
	return unix.Close(mine)
}

func address(a unix.Sockaddr) (family, text string) {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return "inet", netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return "inet6", netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrUnix:
		return "unix", a.Name
	}
	return "", ""
}

// The options that a claim may name.
var options = map[string][2]int{
	"SO_REUSEADDR": {unix.SOL_SOCKET, unix.SO_REUSEADDR}, "SO_REUSEPORT": {unix.SOL_SOCKET, unix.SO_REUSEPORT},
	"SO_KEEPALIVE": {unix.SOL_SOCKET, unix.SO_KEEPALIVE}, "SO_RCVBUF": {unix.SOL_SOCKET, unix.SO_RCVBUF},
	"SO_SNDBUF": {unix.SOL_SOCKET, unix.SO_SNDBUF}, "SO_MARK": {unix.SOL_SOCKET, unix.SO_MARK},
	"SO_PRIORITY": {unix.SOL_SOCKET, unix.SO_PRIORITY}, "SO_INCOMING_CPU": {unix.SOL_SOCKET, unix.SO_INCOMING_CPU},
	"TCP_NODELAY": {unix.IPPROTO_TCP, unix.TCP_NODELAY}, "TCP_FASTOPEN": {unix.IPPROTO_TCP, unix.TCP_FASTOPEN},
	"TCP_KEEPIDLE": {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}, "TCP_KEEPINTVL": {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
	"TCP_KEEPCNT": {unix.IPPROTO_TCP, unix.TCP_KEEPCNT}, "TCP_DEFER_ACCEPT": {unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT},
	"TCP_USER_TIMEOUT": {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
	"IP_FREEBIND":      {unix.SOL_IP, unix.IP_FREEBIND}, "IP_TRANSPARENT": {unix.SOL_IP, unix.IP_TRANSPARENT},
	"IPV6_V6ONLY": {unix.IPPROTO_IPV6, unix.IPV6_V6ONLY}, "IP_TOS": {unix.SOL_IP, unix.IP_TOS},
}

// KnowsOption reports whether Option can be asked for name.
func KnowsOption(name string) bool { _, ok := options[name]; return ok }

// Option is what is set on the socket now.
func (s *Socket) Option(name string) (int, error) {
	o, ok := options[name]
	if !ok {
		return 0, fmt.Errorf("no option %s is known here", name)
	}
	return s.options(o[0], o[1])
}

// EpollSets are the child's epoll sets with what they watch.
func (p *Process) EpollSets() ([]EpollSet, error) {
	fds, err := p.fds()
	if err != nil {
		return nil, err
	}
	var all []EpollSet
	for _, fd := range fds {
		target, _ := os.Readlink(p.path("fd", strconv.Itoa(fd)))
		if target != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := p.fdinfo(fd)
		if err != nil {
			return nil, err
		}
		all = append(all, EpollSet{fd, watched(info)})
	}
	return all, nil
}

// watched reads lines such as `tfd:        8 events:       19 data: ...`.
func watched(info string) map[int]uint32 {
	all := map[int]uint32{}
	for line := range strings.Lines(info) {
		words := strings.Fields(line)
		if len(words) < 4 || words[0] != "tfd:" {
			continue
		}
		target, _ := strconv.Atoi(words[1])
		mask, _ := strconv.ParseUint(words[3], 16, 32)
		all[target] = uint32(mask)
	}
	return all
}

// Threads are the child's threads.
func (p *Process) Threads() ([]Thread, error) {
	entries, err := os.ReadDir(p.path("task"))
	if err != nil {
		return nil, cannot("task", err)
	}
	var all []Thread
	for _, e := range entries {
		tid, _ := strconv.Atoi(e.Name())
		name, err := os.ReadFile(p.path("task", e.Name(), "comm"))
		if err == nil {
			all = append(all, Thread{tid, strings.TrimSuffix(string(name), "\n")})
		}
	}
	return all, nil
}

// Switches is how often the thread gave up the processor by itself: what waits are counted by.
func (p *Process) Switches(tid int) (uint64, error) {
	text, err := os.ReadFile(p.path("task", strconv.Itoa(tid), "status"))
	if err != nil {
		return 0, cannot("status", err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
			return strconv.ParseUint(strings.TrimSpace(n), 10, 64)
		}
	}
	return 0, cannot("status", fmt.Errorf("no voluntary_ctxt_switches"))
}

func (p *Process) fds() ([]int, error) {
	entries, err := os.ReadDir(p.path("fd"))
	if err != nil {
		return nil, cannot("/proc/PID/fd", err)
	}
	var fds []int
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			fds = append(fds, fd)
		}
	}
	slices.Sort(fds)
	return fds, nil
}

func (p *Process) path(parts ...string) string {
	return filepath.Join(append([]string{"/proc", strconv.Itoa(p.PID)}, parts...)...)
}
