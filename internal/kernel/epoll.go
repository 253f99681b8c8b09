//go:build linux && (amd64 || arm64)

package kernel

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

// EpollEvent is one ready fd. Its data word carries the fd and a generation, never a pointer.
type EpollEvent = unix.EpollEvent

// EventData returns what EpollCtl stored with the fd.
func EventData(e *EpollEvent) (fd int, generation uint32) { return int(e.Fd), uint32(e.Pad) }

// EpollCreate opens an epoll instance, close-on-exec. Envoy: event_base_new, inside libevent.
//
//go:noinline
func EpollCreate(l *trace.Lane) (int, Errno) {
	return door(l, callEpollCreate, trace.CallerPC(),
		&args{n: [6]uintptr{unix.EPOLL_CLOEXEC}}, shown{-1}, "")
}

// EpollCtl adds, changes or deletes the interest of epfd in fd. Generation tells this registration of
// the number fd from the next one.
//
//go:noinline
func EpollCtl(l *trace.Lane, epfd, op, fd int, bits, generation uint32) Errno {
	ev := EpollEvent{Events: bits, Fd: int32(fd), Pad: int32(generation)}
	a := args{n: [6]uintptr{uintptr(epfd), uintptr(op), uintptr(fd)}}
	if op != EPOLL_CTL_DEL {
		a.p[3] = unsafe.Pointer(&ev)
	}
	_, errno := door(l, callEpollCtl, trace.CallerPC(), &a,
		shown{int64(epfd), int64(op), int64(fd), int64(bits)}, "")
	return errno
}

// EpollWait waits up to timeout ms (-1: for ever) and fills events. EINTR is the caller's to handle:
// it looks at the clock again. blocking sends the wait through the Go scheduler, which then lends the
// processor to others; without it the thread keeps the processor, which is cheaper and only fit for
// a few milliseconds. Envoy: epoll_wait, inside libevent's event_base_loop.
//
//go:noinline
func EpollWait(l *trace.Lane, epfd int, events []EpollEvent, timeout int, blocking bool) (int, Errno) {
	pc := trace.CallerPC()
	a := args{n: [6]uintptr{0: uintptr(epfd), 2: uintptr(len(events)), 3: uintptr(timeout), 5: 8},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(&events[0])}}
	s := shown{int64(epfd), int64(len(events)), 0, int64(timeout)}
	if !blocking {
		return door(l, callEpollWait, pc, &a, s, "")
	}
	var begin int64
	if l != nil {
		begin = l.Now()
	}
	n, errno, ok := callEpollWait.scripted(s)
	if !ok {
		n, errno = result(unix.Syscall6(unix.SYS_EPOLL_PWAIT, a.n[0], uintptr(a.p[1]), a.n[2], a.n[3], 0, a.n[5]))
	}
	runtime.KeepAlive(events)
	if l != nil {
		tell(l, callEpollWait, pc, begin, s, n, errno, "")
	}
	return n, errno
}

// Eventfd opens the counter by which another thread wakes a loop.
//
//go:noinline
func Eventfd(l *trace.Lane) (int, Errno) {
	return door(l, callEventfd, trace.CallerPC(),
		&args{n: [6]uintptr{0, unix.EFD_CLOEXEC | unix.EFD_NONBLOCK}}, shown{-1}, "")
}

// EventfdWrite adds 1 to the counter. EAGAIN means it is full, and then it is readable: no wake is lost.
//
//go:noinline
func EventfdWrite(l *trace.Lane, fd int) Errno {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, errno := door(l, callWrite, trace.CallerPC(),
		&args{n: [6]uintptr{0: uintptr(fd), 2: 8}, p: [6]unsafe.Pointer{1: unsafe.Pointer(&one)}},
		shown{int64(fd), 0, 0, 8}, "")
	return errno
}

// EventfdRead takes the counter to 0, so that a level-triggered watch falls silent.
//
//go:noinline
func EventfdRead(l *trace.Lane, fd int) Errno {
	var count [8]byte
	_, errno := door(l, callRead, trace.CallerPC(),
		&args{n: [6]uintptr{0: uintptr(fd), 2: 8}, p: [6]unsafe.Pointer{1: unsafe.Pointer(&count)}},
		shown{int64(fd), 0, 0, 8}, "")
	return errno
}
