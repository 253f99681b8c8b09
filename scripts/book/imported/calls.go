package imported

import (
	"strconv"
	"strings"
)

// set makes a set of words.
func set(words string) map[string]bool {
	s := map[string]bool{}
	for _, w := range strings.Fields(words) {
		s[w] = true
	}
	return s
}

var (
	// Calls that wait for several fds: what a loop turns on.
	epollWaits = set("epoll_wait epoll_pwait epoll_pwait2")
	pollWaits  = set("poll ppoll select pselect6 _newselect")
	// Calls that make an fd.
	makers = set(`socket accept accept4 epoll_create epoll_create1 eventfd eventfd2 dup dup2 dup3 open openat
		openat2 creat timerfd_create signalfd signalfd4 inotify_init inotify_init1 memfd_create
		pidfd_open io_uring_setup userfaultfd perf_event_open fanotify_init bpf`)
	// Calls that take what another thread gives: whatever caused them comes before their end.
	takers = set(`read readv pread64 preadv recvfrom recvmsg recvmmsg recv wait4 waitid waitpid futex
		nanosleep clock_nanosleep rt_sigsuspend rt_sigtimedwait pause sigsuspend restart_syscall
		io_uring_enter socketpair pipe pipe2`)
	// Calls whose first argument is an fd.
	onFD = set(`read write readv writev pread64 pwrite64 preadv pwritev close ioctl fcntl fcntl64 fstat
		newfstatat lseek fsync fdatasync ftruncate fallocate flock fadvise64 getdents64 getdents fchmod
		fchown fchdir fstatfs dup dup2 dup3 bind listen accept accept4 connect getsockname getpeername
		getsockopt setsockopt shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg send recv
		epoll_wait epoll_pwait epoll_pwait2 epoll_ctl epoll_ctl_old timerfd_settime timerfd_gettime
		inotify_add_watch inotify_rm_watch sendfile sendfile64 splice tee vmsplice copy_file_range
		sync_file_range readahead fsetxattr fgetxattr flistxattr fremovexattr io_uring_enter
		io_uring_register finit_module syncfs signalfd4 vhangup openat openat2 mkdirat unlinkat
		renameat2 statx readlinkat faccessat faccessat2 fchmodat fchownat utimensat linkat symlinkat`)
	// Calls that have an fd in another place, too.
	secondFD = map[string]int{"epoll_ctl": 2, "dup2": 1, "dup3": 1, "sendfile": 1, "sendfile64": 1,
		"splice": 2, "tee": 1, "copy_file_range": 2, "mmap": 4}
	threadMakers = set("clone clone2 clone3 fork vfork")
)

func waits(name string) bool       { return epollWaits[name] || pollWaits[name] }
func makesThread(name string) bool { return threadMakers[name] }

// takes: c stands in the order where it ended. All other calls stand where they began, because from there
// on others may see what they do.
func takes(c *call) bool {
	return waits(c.Name) || takers[c.Name] || makers[c.Name] || c.duplicates()
}

func (c *call) duplicates() bool {
	return strings.HasPrefix(c.Name, "fcntl") && len(c.Args) > 1 && strings.HasPrefix(c.Args[1], "F_DUPFD")
}

// makesFD: what c returned is a new fd.
func (c *call) makesFD() bool {
	return c.Returned && c.Ret >= 0 && (makers[c.Name] || c.duplicates()) && c.Name != "bpf"
}

// loopOf is what c waits on, as its thread writes it.
func loopOf(c *call) string {
	if pollWaits[c.Name] || len(c.Args) == 0 {
		return ""
	}
	number, _, _ := strings.Cut(c.Args[0], "<")
	return number
}

// arg is the i-th argument, "" if there is none.
func (c *call) arg(i int) string {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return ""
}

// number reads the fd in front of an argument; -1: there is none.
func number(arg string) int64 {
	arg, _, _ = strings.Cut(arg, "<")
	n, err := strconv.ParseInt(arg, 10, 32)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// between is what stands in s between two marks, "" if they do not.
func between(s, open, end string) string {
	_, rest, ok := strings.Cut(s, open)
	if !ok {
		return ""
	}
	inner, _, ok := strings.Cut(rest, end)
	if !ok {
		return ""
	}
	return inner
}

// unquoted is what a string of strace's says, without its quotation marks; its escapes stay.
func unquoted(s string) string {
	return strings.Trim(strings.TrimSuffix(s, "..."), `"`)
}
