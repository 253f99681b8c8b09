//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

// call is a system call of the door: its number, and how its span is spelled.
type call struct {
	trace.Syscall
	number uintptr
}

type format = func(fd func(int64) string, r *trace.Record) string

const (
	hasFD = 1 << iota
	makesFD
	closes
	waits
)

func define(name string, number uintptr, flags int, f format) *call {
	return &call{number: number, Syscall: trace.Syscall{Name: name, Format: f,
		HasFD: flags&hasFD != 0, MakesFD: flags&makesFD != 0, Closes: flags&closes != 0,
		Waits: flags&waits != 0, ErrnoName: errnoName}}
}

func errnoName(n int) string { return unix.ErrnoName(unix.Errno(n)) }

// The calls. Each format spells the arguments as strace does, fds with their labels.
var (
	callEpollCreate = define("epoll_create1", unix.SYS_EPOLL_CREATE1, makesFD,
		func(_ func(int64) string, r *trace.Record) string { return "EPOLL_CLOEXEC" })
	callEpollCtl  = define("epoll_ctl", unix.SYS_EPOLL_CTL, hasFD, formatEpollCtl)
	callEpollWait = define("epoll_pwait", unix.SYS_EPOLL_PWAIT, hasFD|waits,
		func(fd func(int64) string, r *trace.Record) string {
			return fmt.Sprintf("%s, [...], %d, %d, NULL, 8", fd(r.Args[0]), r.Args[1], r.Args[3])
		})
	callEventfd = define("eventfd2", unix.SYS_EVENTFD2, makesFD,
		func(_ func(int64) string, r *trace.Record) string { return "0, EFD_CLOEXEC|EFD_NONBLOCK" })
	callRead     = define("read", unix.SYS_READ, hasFD, formatBytes)
	callWrite    = define("write", unix.SYS_WRITE, hasFD, formatBytes)
	callReadv    = define("readv", unix.SYS_READV, hasFD, formatVectored)
	callWritev   = define("writev", unix.SYS_WRITEV, hasFD, formatVectored)
	callRecvfrom = define("recvfrom", unix.SYS_RECVFROM, hasFD, formatReceive)
	callSocket   = define("socket", unix.SYS_SOCKET, makesFD, formatSocket)
	callBind     = define("bind", unix.SYS_BIND, hasFD, formatAddressed)
	callConnect  = define("connect", unix.SYS_CONNECT, hasFD, formatAddressed)
	callListen   = define("listen", unix.SYS_LISTEN, hasFD,
		func(fd func(int64) string, r *trace.Record) string {
			return fmt.Sprintf("%s, %d", fd(r.Args[0]), r.Args[3])
		})
	callAccept          = define("accept4", unix.SYS_ACCEPT4, hasFD|makesFD, formatAccept)
	callGetsockname     = define("getsockname", unix.SYS_GETSOCKNAME, hasFD, formatAddressed)
	callGetpeername     = define("getpeername", unix.SYS_GETPEERNAME, hasFD, formatAddressed)
	callSetsockopt      = define("setsockopt", unix.SYS_SETSOCKOPT, hasFD, formatOption)
	callGetsockopt      = define("getsockopt", unix.SYS_GETSOCKOPT, hasFD, formatAskedOption)
	callGetsockoptBytes = define("getsockopt", unix.SYS_GETSOCKOPT, hasFD, formatAskedBytes)
	callDup             = define("fcntl", unix.SYS_FCNTL, hasFD|makesFD,
		func(fd func(int64) string, r *trace.Record) string {
			return fd(r.Args[0]) + ", F_DUPFD_CLOEXEC, 0"
		})
	callShutdown = define("shutdown", unix.SYS_SHUTDOWN, hasFD,
		func(fd func(int64) string, r *trace.Record) string {
			return fmt.Sprintf("%s, %s", fd(r.Args[0]), shutdownNames[r.Args[3]])
		})
	callClose = define("close", unix.SYS_CLOSE, hasFD|closes,
		func(fd func(int64) string, r *trace.Record) string { return fd(r.Args[0]) })
	callUnlink = define("unlinkat", unix.SYS_UNLINKAT, 0,
		func(_ func(int64) string, r *trace.Record) string { return fmt.Sprintf("AT_FDCWD, %q, 0", r.Text) })
	callChmod = define("fchmodat", unix.SYS_FCHMODAT, 0,
		func(_ func(int64) string, r *trace.Record) string {
			return fmt.Sprintf("AT_FDCWD, %q, %#o", r.Text, r.Args[3])
		})
	callPrctl = define("prctl", unix.SYS_PRCTL, 0,
		func(_ func(int64) string, r *trace.Record) string { return fmt.Sprintf("PR_SET_NAME, %q", r.Text) })
)

var shutdownNames = map[int64]string{0: "SHUT_RD", 1: "SHUT_WR", 2: "SHUT_RDWR"}

func formatBytes(fd func(int64) string, r *trace.Record) string {
	return fmt.Sprintf("%s, [...], %d", fd(r.Args[0]), r.Args[3])
}

func formatAddressed(fd func(int64) string, r *trace.Record) string {
	return fmt.Sprintf("%s, %s", fd(r.Args[0]), r.Text)
}

func formatSocket(_ func(int64) string, r *trace.Record) string {
	domain := map[int64]string{unix.AF_INET: "AF_INET", unix.AF_INET6: "AF_INET6", unix.AF_UNIX: "AF_UNIX"}
	protocol := "IPPROTO_IP"
	if r.Args[1] == unix.AF_UNIX {
		protocol = "0"
	}
	return fmt.Sprintf("%s, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, %s", domain[r.Args[1]], protocol)
}

func formatAccept(fd func(int64) string, r *trace.Record) string {
	peer := "NULL"
	if r.Ret >= 0 {
		peer = peerText(r)
	}
	return fmt.Sprintf("%s, %s, SOCK_CLOEXEC|SOCK_NONBLOCK", fd(r.Args[0]), peer)
}

func formatEpollCtl(fd func(int64) string, r *trace.Record) string {
	op := [...]string{"", "EPOLL_CTL_ADD", "EPOLL_CTL_DEL", "EPOLL_CTL_MOD"}[r.Args[1]]
	s := fmt.Sprintf("%s, %s, %s", fd(r.Args[0]), op, fd(r.Args[2]))
	if r.Args[1] == unix.EPOLL_CTL_DEL {
		return s + ", NULL"
	}
	return s + ", {" + epollNames(uint32(r.Args[3])) + "}"
}

func epollNames(bits uint32) string {
	var names []string
	for _, b := range []struct {
		bit  uint32
		name string
	}{{EPOLLIN, "EPOLLIN"}, {EPOLLOUT, "EPOLLOUT"}, {EPOLLRDHUP, "EPOLLRDHUP"}, {EPOLLERR, "EPOLLERR"},
		{EPOLLHUP, "EPOLLHUP"}, {EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE"}, {EPOLLET, "EPOLLET"}} {
		if bits&b.bit != 0 {
			names = append(names, b.name)
		}
	}
	return strings.Join(names, "|")
}

// formatAskedOption: where the kernel answers, the length is a place too.
func formatAskedOption(fd func(int64) string, r *trace.Record) string {
	level, name := optionNames(int(r.Args[1]), int(r.Args[2]))
	value := strconv.FormatInt(r.Args[3], 10)
	if name == "SO_ERROR" && r.Args[3] != 0 {
		value = unix.ErrnoName(Errno(r.Args[3]))
	}
	return fmt.Sprintf("%s, %s, %s, [%s], [4]", fd(r.Args[0]), level, name, value)
}

// formatAskedBytes shows an address where the answer is one.
func formatAskedBytes(fd func(int64) string, r *trace.Record) string {
	level, name := optionNames(int(r.Args[1]), int(r.Args[2]))
	value := "[...]"
	if r.Text != "" {
		value = r.Text
	}
	return fmt.Sprintf("%s, %s, %s, %s, [%d]", fd(r.Args[0]), level, name, value, r.Args[3])
}

func formatOption(fd func(int64) string, r *trace.Record) string {
	level, name := optionNames(int(r.Args[1]), int(r.Args[2]))
	if r.Text != "" {
		return fmt.Sprintf("%s, %s, %s, %q, %d", fd(r.Args[0]), level, name, r.Text, len(r.Text))
	}
	return fmt.Sprintf("%s, %s, %s, [%d], 4", fd(r.Args[0]), level, name, r.Args[3])
}
