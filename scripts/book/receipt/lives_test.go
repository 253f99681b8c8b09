package receipt

import (
	"strings"
	"testing"
)

// script is a small process: strace's lines, and its spans as "tid name(args) = result".
func script(t *testing.T, strace, spans string) *Report {
	t.Helper()
	trace := &Trace{}
	for _, line := range strings.Split(strings.TrimSpace(spans), "\n") {
		repeat, line := int64(1), line
		if rest, row := strings.CutPrefix(line, "x3 "); row {
			repeat, line = 3, rest
		}
		c := parse(t, line+"\n")[0]
		s := Span{Seq: int64(len(trace.Calls) + len(trace.HandOvers)), TID: c.TID,
			Name: c.Name, Args: c.Args,
			FD: c.fd(), Ret: c.Ret, Errno: c.Errno, Repeat: repeat, Place: "a.go:1"}
		if c.Name == "handover" {
			trace.HandOvers = append(trace.HandOvers, s)
		} else {
			trace.Calls = append(trace.Calls, s)
		}
	}
	return Compare(parse(t, strace), trace, 0)
}

func wantAgreed(t *testing.T, r *Report, calls, fds int) {
	t.Helper()
	if !r.Agrees() || r.Calls != calls || r.FDs != fds {
		var b strings.Builder
		r.Write(&b)
		t.Errorf("want %d calls on %d fds to agree:\n%s", calls, fds, b.String())
	}
}

func TestARowOfIdleTurnsAccountsForEachCall(t *testing.T) {
	strace := "1 epoll_create1(EPOLL_CLOEXEC) = 4\n" +
		strings.Repeat("1 epoll_pwait(4, [], 128, 5, NULL, 8) = 0\n", 3)
	spans := "1 epoll_create1(EPOLL_CLOEXEC) = 4\n" +
		"x3 1 epoll_pwait(4<ep>, [...], 128, 5, NULL, 8) = 0\n"
	wantAgreed(t, script(t, strace, spans), 4, 1)
	strace += "1 epoll_pwait(4, [], 128, 5, NULL, 8) = 0\n"
	if r := script(t, strace, spans); r.Agrees() || r.Missing != 1 {
		t.Error("a fourth wait went unnoticed:", r.Summary())
	}
}

// The spellings are strace's own, of a run of the kernel door.
func TestWhatMovesBytesIsHeldToItsSocketAndItsCount(t *testing.T) {
	const strace = `1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 7
1 writev(7, [{iov_base="012", iov_len=3}, {iov_base="3, \"4]56"..., iov_len=7}], 2) = 10
1 recvfrom(7, "0123", 4, MSG_PEEK, NULL, NULL) = 4
1 readv(7, [{iov_base="1", iov_len=1}, {iov_base="2}", iov_len=2}, {iov_base="", iov_len=1}], 3) = 3
1 readv(7, [{iov_base=0xc00012a000, iov_len=16384}], 1) = -1 EAGAIN (Resource temporarily unavailable)
1 getsockopt(7, SOL_IP, 0x50 /* IP_??? */, 0xc000016098, [16]) = -1 ENOENT (No such file or directory)
1 getsockopt(7, SOL_TCP, TCP_NODELAY, [1], [8 => 4]) = 0
`
	const spans = `1 socket(AF_INET, SOCK_STREAM, 0) = 7
1 writev(7<C1>, [{iov_base=..., iov_len=3}, {iov_base=..., iov_len=7}], 2) = 10
1 recvfrom(7<C1>, [...], 4, MSG_PEEK, NULL, NULL) = 4
1 readv(7<C1>, [{iov_base=..., iov_len=1}, ...], 3) = 3
1 readv(7<C1>, [{iov_base=..., iov_len=16384}], 1) = -1 EAGAIN
1 getsockopt(7<C1>, SOL_IP, SO_ORIGINAL_DST, [...], [16]) = -1 ENOENT
1 getsockopt(7<C1>, SOL_TCP, TCP_NODELAY, [...], [4]) = 0
`
	wantAgreed(t, script(t, strace, spans), 7, 1)
	for _, wrong := range [][2]string{{"2) = 10", "2) = 9"}, {"NULL) = 4", "NULL) = 3"}, {"readv(7", "readv(8"},
		{"= -1 EAGAIN", "= 0"}, {"recvfrom", "readv"}, {"-1 ENOENT", "0"}} {
		if r := script(t, strace, strings.Replace(spans, wrong[0], wrong[1], 1)); r.Agrees() {
			t.Errorf("%s instead of %s went unnoticed: %s", wrong[1], wrong[0], r.Summary())
		}
	}
}

func TestANumberClosedOnOneThreadAndReusedOnAnother(t *testing.T) {
	// The close has begun, and not ended, when the number is given out again.
	r := script(t, `1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 7
1 close(7 <unfinished ...>
2 eventfd2(0, EFD_CLOEXEC) = 7
1 <... close resumed>) = 0
2 write(7, "", 8) = 8
2 close(7) = 0
2 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 7
2 read(7, "", 8) = 0
2 close(7) = 0
`, `1 socket(AF_INET, SOCK_STREAM, 0) = 7
1 close(7<echo>) = 0
2 eventfd2(0, EFD_CLOEXEC) = 7
2 write(7<wake>, [...], 8) = 8
2 close(7<wake>) = 0
`)
	wantAgreed(t, r, 5, 2)
}

func TestAHandedOverFDIsOursUntilThen(t *testing.T) {
	strace := `1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 7
1 listen(7, 128) = 0
1 fcntl(7, F_DUPFD_CLOEXEC, 0) = 8
1 eventfd2(0, 0) = 9
2 accept4(8, NULL, NULL, 0) = 10
2 close(7) = 0
1 close(9) = 0
`
	r := script(t, strace, `1 socket(AF_INET, SOCK_STREAM, 0) = 7
1 listen(7, 128) = 0
1 handover(7) = 0
1 eventfd2(0, 0) = 9
1 close(9) = 0
`)
	wantAgreed(t, r, 4, 2)
	if r.HandedOver != 1 {
		t.Errorf("%d were handed over, want 1", r.HandedOver)
	}
	r = script(t, strace, "1 socket(AF_INET, SOCK_STREAM, 0) = 7\n1 listen(7, 128) = 0\n"+
		"1 eventfd2(0, 0) = 9\n1 close(9) = 0\n")
	if r.Agrees() || r.Missing != 2 {
		t.Error("without its hand-over, the duplicate and the close are missing:", r.Summary())
	}
}

func TestTheRuntimesOwnCallsOnOurThreadAreNotOurs(t *testing.T) {
	r := script(t, `1 prctl(PR_SET_NAME, "main_thread") = 0
1 epoll_create1(EPOLL_CLOEXEC) = 4
1 eventfd2(0, EFD_CLOEXEC|EFD_NONBLOCK) = 5
1 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN}) = 0
1 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_TCP) = 6
1 close(6) = 0
1 epoll_create1(EPOLL_CLOEXEC) = 6
1 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 7
1 epoll_ctl(4, EPOLL_CTL_ADD, 7, {events=EPOLLIN}) = 0
2 write(7, "GET", 3) = 3
1 epoll_pwait(4, [], 128, 0, NULL, 0) = 0
1 unlinkat(AT_FDCWD, "/tmp/x", 0) = 0
1 close(6) = 0
`, `1 prctl(PR_SET_NAME, "main_thread") = 0
1 epoll_create1(EPOLL_CLOEXEC) = 6
1 close(6<ep>) = 0
`)
	wantAgreed(t, r, 3, 1)
}

func TestAnUntoldSocketOnALoopsThreadIsMissing(t *testing.T) {
	r := script(t, `1 prctl(PR_SET_NAME, "main_thread") = 0
1 eventfd2(0, 0) = 6
1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 7
1 close(7) = 0
1 close(6) = 0
1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 7
`, `1 prctl(PR_SET_NAME, "main_thread") = 0
1 eventfd2(0, 0) = 6
1 close(6<e>) = 0
`)
	if r.Agrees() || r.Missing != 1 || r.Extra != 0 {
		t.Error("one socket was made behind the trace's back, one after its end:", r.Summary())
	}
}

func TestAThreadThatTellsNothingMayNotTouchOurs(t *testing.T) {
	r := script(t, "1 eventfd2(0, 0) = 6\n2 write(6, \"\", 8) = 8\n1 close(6) = 0\n",
		"1 eventfd2(0, 0) = 6\n1 close(6) = 0\n")
	if r.Agrees() || r.Missing != 1 || !strings.Contains(r.Differences[0].Why, "tells nothing") {
		t.Errorf("%s %+v", r.Summary(), r.Differences)
	}
}

func TestPathsCountWhereASpanNamesThem(t *testing.T) {
	strace := `1 eventfd2(0, 0) = 6
1 unlinkat(AT_FDCWD, "/tmp/a.sock", 0) = -1 ENOENT (No such file or directory)
1 unlinkat(AT_FDCWD, "/tmp/other", 0) = 0
1 fchmodat(AT_FDCWD, "/tmp/a.sock", 0777) = 0
`
	spans := `1 eventfd2(0, 0) = 6
1 unlinkat(AT_FDCWD, "/tmp/a.sock", 0) = -1 ENOENT
1 fchmodat(AT_FDCWD, "/tmp/a.sock", 0777) = 0
`
	wantAgreed(t, script(t, strace, spans), 3, 1)
	again := "1 unlinkat(AT_FDCWD, \"/tmp/a.sock\", 0) = 0\n"
	if r := script(t, strace+again, spans); r.Agrees() {
		t.Error("the same path was removed a second time, untold:", r.Summary())
	}
}

func TestACloseOfANumberThatIsNotOursIsToldAsExtra(t *testing.T) {
	r := script(t, "1 eventfd2(0, 0) = 6\n1 close(6) = 0\n1 close(6) = -1 EBADF (Bad)\n",
		"1 eventfd2(0, 0) = 6\n1 close(6) = 0\n1 close(6) = -1 EBADF\n")
	if r.Agrees() || r.Extra != 1 {
		t.Error("a number was closed twice:", r.Summary())
	}
}
