//go:build linux && (amd64 || arm64)

// Package kernel is the one door through which envoywalk asks the kernel for anything that matters to
// the walk. One call here is one system call and, where the lane records, one span made in one place.
//
// No call is retried inside the door: EINTR goes back to the caller, because a wait that is retried
// with its old timeout keeps the garbage collector waiting for as long as signals arrive.
package kernel

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

// Errno is the kernel's answer to a call that failed; 0 is success.
type Errno = unix.Errno

// args are the arguments of a call. A pointer stays a pointer until the call itself, so that a stack
// that moves takes it along; position i of the call is n[i], or p[i] where that is set.
type args struct {
	n [6]uintptr
	p [6]unsafe.Pointer
}

// shown is what the span keeps of the arguments. The first is the fd where the call has one.
type shown = [4]int64

// Script answers calls in the kernel's place, for tests. ok false lets the call go through; errno AtMost
// lets it go through cut short. n is the count the call was made with (bytes, backlog, timeout), 0 where
// there is none.
type Script func(call string, fd int, n int) (ret int, errno Errno, ok bool)

// AtMost is a Script's answer to a call that reads or writes: the kernel makes it, with at most ret bytes.
// An invented short count would lose bytes or send them twice. No kernel answers with this number.
const AtMost Errno = 4096

var script atomic.Pointer[Script]

// SetScript installs s for the whole process and returns what takes it away again. Tests only.
func SetScript(s Script) (restore func()) {
	old := script.Swap(&s)
	return func() { script.Store(old) }
}

// door makes one call that cannot block: the raw system call, which the Go scheduler does not see. That
// saves 6 to 37 % of a proxy's CPU against the scheduler's own way.
func door(l *trace.Lane, c *call, pc uintptr, a *args, s shown, text string) (int, Errno) {
	if l == nil {
		return c.issue(a, s)
	}
	begin := l.Now()
	ret, errno := c.issue(a, s)
	tell(l, c, pc, begin, s, ret, errno, text)
	return ret, errno
}

func tell(l *trace.Lane, c *call, pc uintptr, begin int64, s shown, ret int, errno Errno, text string) {
	r := int64(ret)
	if errno != 0 {
		r = -int64(errno)
	}
	l.Call(&c.Syscall, pc, begin, s, r, text)
}

// issue is the call, or the script's answer.
func (c *call) issue(a *args, s shown) (int, Errno) {
	if ret, errno, ok := c.scripted(s); ok && errno == AtMost {
		c.limit(a, ret)
	} else if ok {
		return ret, errno
	}
	r, _, e := unix.RawSyscall6(c.number,
		a.n[0]|uintptr(a.p[0]), a.n[1]|uintptr(a.p[1]), a.n[2]|uintptr(a.p[2]),
		a.n[3]|uintptr(a.p[3]), a.n[4]|uintptr(a.p[4]), a.n[5]|uintptr(a.p[5]))
	runtime.KeepAlive(a)
	return result(r, 0, e)
}

func (c *call) scripted(s shown) (ret int, errno Errno, ok bool) {
	f := script.Load()
	if f == nil || *f == nil {
		return 0, 0, false
	}
	return (*f)(c.Name, int(s[0]), int(s[3]))
}

func result(r, _ uintptr, e Errno) (int, Errno) {
	if e != 0 {
		return -1, e
	}
	return int(r), 0
}
