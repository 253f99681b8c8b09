package imported

import (
	"strings"
	"testing"

	"envoywalk/trace/moment"
)

func TestAnFdIsFollowedOverCopiesForksAndMessages(t *testing.T) {
	tr, _ := fromText(t, `1 socket(AF_INET, SOCK_STREAM, 0) = 3
1 bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("1.2.3.4")}, 16) = 0
1 fcntl(3, F_DUPFD_CLOEXEC, 10) = 10
1 dup2(10, 20) = 20
1 socketpair(AF_UNIX, SOCK_STREAM, 0, [4, 5]) = 0
1 fork() = 2
1 accept(3, {sa_family=AF_INET6, sin6_port=htons(7), inet_pton(AF_INET6, "::1", &sin6_addr)}, [28]) = 6
1 sendmsg(4, {msg_iov=[], msg_control=[{cmsg_len=20, cmsg_type=SCM_RIGHTS, cmsg_data=[6]}]}, 0) = 1
1 close(6) = 0
2 recvmsg(5, {msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[9]}]}, 0) = 1
2 read(9, "x", 1) = 1
2 listen(20, 5) = 0
2 execve("/bin/other", ["other"], 0x1 /* 0 vars */) = 0
2 listen(10, 5) = -1 EBADF (Bad file descriptor)
2 close(9) = 0
2 +++ exited with 0 +++
1 +++ killed by SIGKILL +++
`)
	checkSound(t, tr)
	for _, want := range []string{`other: read(9<C1>, "x", 1) = 1`, "other: listen(20<tcp 1.2.3.4:80>, 5) = 0",
		"other: listen(10, 5) = -1 EBADF", "thread: accept(3<tcp 1.2.3.4:80>, [::1]:7, [28]) = 6<C1>"} {
		find(t, tr, want)
	}
	story := find(t, tr, "connection C1 begins")
	if _, end := seqs(story); end < must(seqs(find(t, tr, "other: close(9<C1>)"))) {
		t.Errorf("C1 ended at %d, before its last close", end)
	}
}

func must(start, _ int64) int64 { return start }

// woken returns whether a turn or a wait is linked to a write, in a program of two threads: 1 waits, 2
// and 3 write as the lines say.
func woken(t *testing.T, lines string) (links int) {
	t.Helper()
	tr, _ := fromText(t, `1 eventfd2(0, 0) = 3
1 epoll_create1(0) = 4
1 clone(flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 2
1 clone(flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 3
1 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=9, u64=9}}) = 0
`+lines)
	checkSound(t, tr)
	for _, s := range tr.Spans {
		if m := moment.Read(s); m.Kind == moment.KindTurn || m.Call.Name == "epoll_wait" {
			links += len(s.Links())
		}
	}
	return links
}

const (
	begins  = "1 epoll_wait(4,  <unfinished ...>\n"
	reports = "1 <... epoll_wait resumed>[{events=EPOLLIN, data={u32=9, u64=9}}], 8, -1) = 1\n"
	drains  = "1 read(3, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8) = 8\n"
)

func TestAWakeIsLinkedOnlyWhereNobodyElseCanHaveDoneIt(t *testing.T) {
	one, two := "2 write(3, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8) = 8\n", "3 write(3, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8) = 8\n"
	half := "2 write(3, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8 <unfinished ...>\n"
	other := "2 <... write resumed>) = 8\n"
	for _, c := range []struct {
		name, lines string
		links       int
	}{
		{"the one writer", begins + one + reports, 1},
		{"a write before the wait", one + begins + reports, 1},
		{"a write that is still going on", begins + half + reports + other, 1},
		{"the first of two, one after the other", begins + one + two + reports, 1},
		{"two at once", begins + half + two + reports + other, 0},
		{"somebody who was not seen", begins + reports, 0},
		{"a write that was read away", one + drains + begins + reports, 0},
		{"a report of what was not read away", begins + one + reports + begins + two + reports, 1},
		{"once and again", begins + one + reports + drains + begins + two + reports, 2},
		{"a write that failed", begins + "2 write(3, \"\", 8) = -1 EAGAIN (x)\n" + reports, 0},
	} {
		if got := woken(t, c.lines); got != c.links {
			t.Errorf("%s: %d links, want %d", c.name, got, c.links)
		}
	}
}

func TestIdleWaitsAreOneTurn(t *testing.T) {
	text := "1 epoll_wait(3, [], 8, 5) = 0\n"
	tr, _ := fromText(t, strings.Repeat(text, 5)+"1 close(9) = 0\n"+text)
	turn := find(t, tr, "turn (derived) x 4 (idle")
	if wait := find(t, tr, "x 4"); moment.Read(turn).Repeat != 4 || wait == nil {
		t.Error(line(turn))
	}
	if n := len(tr.Spans); n != 1+2+2+1+2 {
		t.Errorf("%d spans: the thread, an idle row, a turn with a close, and an idle one", n)
	}
}

func TestALoneWaitIsNoLoop(t *testing.T) {
	tr, _ := fromText(t, "1 poll([{fd=3, events=POLLIN}], 1, 5) = 0 (Timeout)\n1 close(3) = 0\n")
	for _, s := range tr.Spans {
		if strings.Contains(line(s), "turn") {
			t.Error(line(s))
		}
	}
}

func TestWorkersOfAnEnvoyTellWhichThreadIsItsMain(t *testing.T) {
	tr, _ := fromText(t, `1 execve("/usr/bin/envoy", ["envoy"], 0x1 /* 0 vars */) = 0
1 clone(flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 2
2 prctl(PR_SET_NAME, "wrk:worker_0") = 0
1 clone(flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 3
3 close(9) = -1 EBADF (x)
`)
	for _, want := range []string{"main_thread: clone(", "thread wrk:worker_0 begins, tid 2",
		"thread envoy begins, tid 3"} {
		find(t, tr, want)
	}
	if tr.Service != "envoy (strace)" {
		t.Error(tr.Service)
	}
}

func TestLinesOfATerminalAreOneThreadsUntilTheyAreNamed(t *testing.T) {
	tr, r := fromText(t, `execve("/bin/a", ["a"], 0x1 /* 0 vars */) = 0
clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
strace: Process 8 attached
[pid     7] <... clone resumed>) = 8
[pid     8] close(3) = 0
[pid     8] +++ exited with 0 +++
close(4) = 0
`)
	checkSound(t, tr)
	if r.NotUnderstood != 0 || r.Threads != 3 {
		t.Errorf("%+v", r) // the last line's thread is not told: it is one more
	}
	find(t, tr, "thread a begins, tid 7")
	find(t, tr, "a_1: close(3) = 0")
}

func TestHostileBytesStayText(t *testing.T) {
	tr, _ := fromText(t, "1 prctl(PR_SET_NAME, \"\xff</script>\x1b\") = 0\n"+
		"1 openat(AT_FDCWD, \"/\xfe\u2028\", 0) = 3\n"+
		"1 read(3, \"\xff\", 1) = 1\n")
	for _, s := range tr.Spans {
		for _, a := range s.Attributes() {
			if v := a.Value.Emit(); strings.ToValidUTF8(v, "") != v {
				t.Errorf("%s is %q", a.Key, v)
			}
		}
	}
}

func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"1 1795383878.1 epoll_wait(4, [{events=EPOLLIN, data={u32=9, u64=9}}], 8, -1) = 1 <0.5>\n",
		begins + reports + drains, "[pid 3] accept4(3<TCP:[a->b]>, {sa_family=AF_INET}, [1], 0) = 4<x>\n",
		"1 sendmsg(4, {cmsg_type=SCM_RIGHTS, cmsg_data=[6]}]}, 0) = 1\n",
		"1 pipe2([3, 4], 0) = 0\n1 fork() = 2\n2 exit(0) = ?\n",
		"1 dup2(3, 3) = 3\n1 close_range(3, 4294967295, 0) = 0\n",
		"1 execve(\"/a\" <pid changed to 2 ...>\n2 +++ superseded",
		"1 poll([{fd=3<a>, events=POLLIN}], 1, 5) = 1 ([{fd=3, revents=POLLIN}])\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tr, _, err := Read([]Source{{Name: "x", From: strings.NewReader(text)}}, Options{})
		if err == nil {
			checkSound(t, tr)
		}
	})
}
