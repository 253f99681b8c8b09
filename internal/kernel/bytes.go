//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

// mostPieces is how many pieces of memory one Readv or Writev takes; more are left for the next call.
const mostPieces = 16

// Readv reads from a socket into the pieces, one after the other. 0 is the end of the stream.
//
//go:noinline
func Readv(l *trace.Lane, fd int, into [][]byte) (int, Errno) {
	return vectored(l, callReadv, trace.CallerPC(), fd, into)
}

// Writev writes the pieces to a socket, one after the other. The count may be less than there is.
//
//go:noinline
func Writev(l *trace.Lane, fd int, from [][]byte) (int, Errno) {
	return vectored(l, callWritev, trace.CallerPC(), fd, from)
}

// vectored spells the pieces as the kernel wants them, on the stack: bulk passes here. The span keeps
// how many there were, the first one's bytes and all bytes.
func vectored(l *trace.Lane, c *call, pc uintptr, fd int, pieces [][]byte) (int, Errno) {
	var vectors [mostPieces]unix.Iovec
	pieces = pieces[:min(len(pieces), mostPieces)]
	total := 0
	for i, p := range pieces {
		vectors[i].Base = unsafe.SliceData(p)
		vectors[i].SetLen(len(p))
		total += len(p)
	}
	return door(l, c, pc, &args{n: [6]uintptr{0: uintptr(fd), 2: uintptr(len(pieces))},
		p: [6]unsafe.Pointer{1: unsafe.Pointer(&vectors)}},
		shown{int64(fd), int64(len(pieces)), int64(vectors[0].Len), int64(total)}, "")
}

// Read reads from a socket into p. 0 is the end of the stream.
//
//go:noinline
func Read(l *trace.Lane, fd int, p []byte) (int, Errno) {
	return door(l, callRead, trace.CallerPC(),
		&args{n: [6]uintptr{0: uintptr(fd), 2: uintptr(len(p))},
			p: [6]unsafe.Pointer{1: unsafe.Pointer(unsafe.SliceData(p))}},
		shown{int64(fd), 0, 0, int64(len(p))}, "")
}

// Recv takes bytes out of a socket's queue: what RecvPeek has shown.
//
//go:noinline
func Recv(l *trace.Lane, fd int, p []byte) (int, Errno) {
	return receive(l, trace.CallerPC(), fd, p, 0)
}

// RecvPeek copies the first bytes of a socket's queue to p and leaves them there. 0 is the end of the
// stream.
//
//go:noinline
func RecvPeek(l *trace.Lane, fd int, p []byte) (int, Errno) {
	return receive(l, trace.CallerPC(), fd, p, unix.MSG_PEEK)
}

func receive(l *trace.Lane, pc uintptr, fd int, p []byte, flags int) (int, Errno) {
	return door(l, callRecvfrom, pc,
		&args{n: [6]uintptr{0: uintptr(fd), 2: uintptr(len(p)), 3: uintptr(flags)},
			p: [6]unsafe.Pointer{1: unsafe.Pointer(unsafe.SliceData(p))}},
		shown{int64(fd), int64(flags), 0, int64(len(p))}, "")
}

// limit cuts a call that moves bytes to at most n of them, at least 1, as AtMost asks.
func (c *call) limit(a *args, n int) {
	left := uint64(max(1, n))
	switch c.number {
	case unix.SYS_READ, unix.SYS_WRITE, unix.SYS_RECVFROM:
		a.n[2] = uintptr(min(uint64(a.n[2]), left))
	case unix.SYS_READV, unix.SYS_WRITEV:
		vectors := unsafe.Slice((*unix.Iovec)(a.p[1]), a.n[2])
		for i := range vectors {
			vectors[i].Len = min(vectors[i].Len, left)
			left -= vectors[i].Len
		}
	}
}

func formatVectored(fd func(int64) string, r *trace.Record) string {
	const piece = "{iov_base=..., iov_len=%d}"
	pieces := ""
	switch n := r.Args[1]; {
	case n == 1:
		pieces = fmt.Sprintf(piece, r.Args[3])
	case n == 2:
		pieces = fmt.Sprintf(piece+", "+piece, r.Args[2], r.Args[3]-r.Args[2])
	case n > 2:
		pieces = fmt.Sprintf(piece+", ...", r.Args[2])
	}
	return fmt.Sprintf("%s, [%s], %d", fd(r.Args[0]), pieces, r.Args[1])
}

func formatReceive(fd func(int64) string, r *trace.Record) string {
	flags := "0"
	if r.Args[1] == unix.MSG_PEEK {
		flags = "MSG_PEEK"
	}
	return fmt.Sprintf("%s, [...], %d, %s, NULL, NULL", fd(r.Args[0]), r.Args[3], flags)
}
