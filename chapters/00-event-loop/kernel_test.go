package eventloop

import (
	"math"
	"testing"

	"golang.org/x/sys/unix"
)

// What the loop leans on, asked of the kernel itself. Nothing here is ours.

// poll looks once and returns the bits of each ready fd.
func poll(t *testing.T, epfd int) map[int]uint32 {
	t.Helper()
	events := make([]unix.EpollEvent, 8)
	n, err := unix.EpollWait(epfd, events, 0)
	if err != nil {
		t.Fatal(err)
	}
	ready := map[int]uint32{}
	for _, e := range events[:n] {
		ready[int(e.Fd)] = e.Events
	}
	return ready
}

func openEpoll(t *testing.T) int {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(epfd) })
	return epfd
}

func control(t *testing.T, epfd, op, fd int, bits uint32) {
	t.Helper()
	if err := unix.EpollCtl(epfd, op, fd, &unix.EpollEvent{Events: bits, Fd: int32(fd)}); err != nil {
		t.Fatal(err)
	}
}

func TestLearnALevelRepeatsAndAnEdgeDoesNot(t *testing.T) {
	epfd, level, edge := openEpoll(t), eventfd(t), eventfd(t)
	control(t, epfd, unix.EPOLL_CTL_ADD, level, unix.EPOLLIN)
	control(t, epfd, unix.EPOLL_CTL_ADD, edge, unix.EPOLLIN|unix.EPOLLET)
	ring(level)
	ring(edge)
	same(t, "first look", len(poll(t, epfd)), 2)
	same(t, "second look", poll(t, epfd), map[int]uint32{level: unix.EPOLLIN})
	ring(edge) // more of the same is a new edge
	same(t, "after one more", len(poll(t, epfd)), 2)
	control(t, epfd, unix.EPOLL_CTL_MOD, edge, unix.EPOLLIN|unix.EPOLLET)
	same(t, "after the same interest again", len(poll(t, epfd)), 2)
	same(t, "and then", len(poll(t, epfd)), 1)
}

func TestLearnAFullEventfdRefusesAndStaysReadable(t *testing.T) {
	epfd, fd := openEpoll(t), eventfd(t)
	control(t, epfd, unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN|unix.EPOLLOUT)
	full := make([]byte, 8)
	for i := range full {
		full[i] = 0xff
	}
	full[0]-- // one less than the most: math.MaxUint64 itself is no value
	if _, err := unix.Write(fd, full); err != nil {
		t.Fatal(err)
	}
	same(t, "ready", poll(t, epfd), map[int]uint32{fd: unix.EPOLLIN})
	_, err := unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	same(t, "one more", err, unix.EAGAIN)
	same(t, "still ready", poll(t, epfd), map[int]uint32{fd: unix.EPOLLIN})
	count := make([]byte, 8)
	unix.Read(fd, count)
	same(t, "read", count, full)
	_, err = unix.Read(fd, count)
	same(t, "read again", err, unix.EAGAIN)
	_, err = unix.Read(fd, count[:4])
	same(t, "four bytes", err, unix.EINVAL)
	_, err = unix.Write(fd, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	same(t, "the greatest number", err, unix.EINVAL)
}

func TestLearnAHangUpCannotBeMasked(t *testing.T) {
	epfd := openEpoll(t)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	control(t, epfd, unix.EPOLL_CTL_ADD, pair[0], 0)
	same(t, "an open pair", len(poll(t, epfd)), 0)
	unix.Close(pair[1])
	for range 3 {
		same(t, "the other end closed", poll(t, epfd), map[int]uint32{pair[0]: unix.EPOLLHUP})
	}
}

// The reason why an interest is deleted before its fd is closed.
func TestLearnADuplicateKeepsAClosedFDReporting(t *testing.T) {
	epfd := openEpoll(t)
	fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	control(t, epfd, unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN)
	twin, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	same(t, "closed, and its twin open", poll(t, epfd), map[int]uint32{fd: unix.EPOLLIN})
	same(t, "deleting it now", unix.EpollCtl(epfd, unix.EPOLL_CTL_DEL, fd, nil), unix.EBADF)
	unix.Close(twin)
	same(t, "both closed", len(poll(t, epfd)), 0)
}

// More than an int of milliseconds is read as a negative number: for ever.
func TestLearnTheLongestWaitIsAnInt(t *testing.T) {
	if ms := uint64(longestWait); ms > math.MaxInt32 {
		t.Errorf("%d ms do not fit", ms)
	}
}

func TestAWakeOnAFullEventfdIsNotLost(t *testing.T) {
	d := quiet(t)
	full := []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	if _, err := unix.Write(d.scheduler.eventfd, full); err != nil {
		t.Fatal(err)
	}
	d.posts.start()
	ran := false
	d.Post(nil, 0, func() { ran = true })
	turns(d, 1)
	same(t, "ran", ran, true)
}
