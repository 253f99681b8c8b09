//go:build linux && (amd64 || arm64)

package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

// Close ends the life of fd. Whatever it returns, the number is free: never close again.
//
//go:noinline
func Close(l *trace.Lane, fd int) Errno {
	_, errno := door(l, callClose, trace.CallerPC(), &args{n: [6]uintptr{uintptr(fd)}}, shown{int64(fd)}, "")
	return errno
}

// Dup makes a second fd for the same open file, close-on-exec. Envoy calls dup(2), which cannot set
// the flag; the kernel's answer is the same.
//
//go:noinline
func Dup(l *trace.Lane, fd int) (int, Errno) {
	return door(l, callDup, trace.CallerPC(),
		&args{n: [6]uintptr{uintptr(fd), unix.F_DUPFD_CLOEXEC}}, shown{int64(fd)}, "")
}

// Shutdown ends one or both directions of a connection.
//
//go:noinline
func Shutdown(l *trace.Lane, fd, how int) Errno {
	_, errno := door(l, callShutdown, trace.CallerPC(),
		&args{n: [6]uintptr{uintptr(fd), uintptr(how)}}, shown{int64(fd), 0, 0, int64(how)}, "")
	return errno
}

const atFDCWD = ^uintptr(99) // AT_FDCWD is -100

// Unlink removes a path.
//
//go:noinline
func Unlink(l *trace.Lane, path string) Errno {
	pc := trace.CallerPC()
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return EINVAL
	}
	_, errno := door(l, callUnlink, pc, &args{n: [6]uintptr{0: atFDCWD},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(p)}}, shown{-1}, path)
	return errno
}

// Chmod sets the mode bits of a path.
//
//go:noinline
func Chmod(l *trace.Lane, path string, mode uint32) Errno {
	pc := trace.CallerPC()
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return EINVAL
	}
	_, errno := door(l, callChmod, pc, &args{n: [6]uintptr{0: atFDCWD, 2: uintptr(mode)},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(p)}}, shown{-1, 0, 0, int64(mode)}, path)
	return errno
}

// NameThread names the calling thread; the kernel keeps 15 bytes.
//
//go:noinline
func NameThread(l *trace.Lane, name string) Errno {
	pc := trace.CallerPC()
	var buf [16]byte
	copy(buf[:15], name)
	_, errno := door(l, callPrctl, pc, &args{n: [6]uintptr{0: unix.PR_SET_NAME},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(&buf)}}, shown{-1}, name)
	return errno
}

// Gettid returns the calling thread's id. It is asked once a thread and is no span.
func Gettid() int { return unix.Gettid() }
