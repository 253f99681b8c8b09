//go:build linux && (amd64 || arm64)

package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

var callIoctl = define("ioctl", unix.SYS_IOCTL, hasFD, func(fd func(int64) string, r *trace.Record) string {
	return fd(r.Args[0]) + ", TIOCOUTQ, [...]"
})

// Unsent is how many bytes of what was written the other end has not acknowledged: SIOCOUTQ, which
// strace calls by its older name.
//
//go:noinline
func Unsent(l *trace.Lane, fd int) (int, Errno) {
	var n int32
	_, errno := door(l, callIoctl, trace.CallerPC(), &args{n: [6]uintptr{0: uintptr(fd), 1: unix.SIOCOUTQ},
		p: [6]unsafe.Pointer{2: unsafe.Pointer(&n)}}, shown{int64(fd)}, "")
	return int(n), errno
}
