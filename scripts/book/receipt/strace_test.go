package receipt

import (
	"strings"
	"testing"
)

func parse(t *testing.T, text string) []Syscall {
	t.Helper()
	calls, err := ParseStrace(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

func TestHalvesOfACallAreJoinedAndStandWhereItBegan(t *testing.T) {
	calls := parse(t, `10 epoll_pwait(5,  <unfinished ...>
11 write(8, "\1\0\0\0\0\0\0\0", 8)   = 8
10 <... epoll_pwait resumed>[{events=EPOLLIN, data={u32=8, u64=8}}], 128, -1, NULL, 8) = 1
`)
	if len(calls) != 2 {
		t.Fatalf("%d calls, want 2", len(calls))
	}
	wait := calls[0]
	if wait.TID != 10 || wait.Start != 1 || wait.End != 3 || wait.Ret != 1 || len(wait.Args) != 6 {
		t.Errorf("the wait is %+v", wait)
	}
	if got, want := wait.Args[1], "[{events=EPOLLIN, data={u32=8, u64=8}}]"; got != want {
		t.Errorf("its events are %q, want %q", got, want)
	}
	if calls[1].key() != "write(8) = 8" {
		t.Errorf("the write is %q", calls[1].key())
	}
}

func TestResultsAreReadInEverySpelling(t *testing.T) {
	for _, c := range [][2]string{
		{`1 close(12)                         = 0`,
			"close(12) = 0"},
		{`1 read(12, 0x29ea3dd56c18, 8) = -1 EAGAIN (Resource temporarily unavailable)`,
			"read(12) = -1 EAGAIN"},
		{`1 fcntl(1, F_GETFL)              = 0x8001 (flags O_WRONLY|O_LARGEFILE)`,
			"fcntl(1, F_GETFL) = 32769"},
		{`1 epoll_pwait(5, 0xc0000, 128, -1, NULL, 8) = -1 EINTR (Interrupted system call)`,
			"epoll_pwait(5) = -1 EINTR"},
		{`1 accept4(7, NULL, NULL, 0) = -1 EMFILE (Too many open files) (INJECTED)`,
			"accept4(7) = -1 EMFILE"},
		{`1 write(3, "a) = 7, \"b\" {", 11)    = 11`,
			"write(3) = 11"},
		{`1 mmap(NULL, 4096, 0x3, 0x8 /* MAP_??? */, -1, 0) = 0x7f26adde6000`,
			"mmap(NULL) = 139804102516736"},
		{`1 mmap(NULL, 4096, 0x3, 0x8, -1, 0) = 0xffff8a26adde6000`,
			"mmap(NULL) = 9223372036854775807"},
		{`1 unlinkat(AT_FDCWD, "/tmp/\345\220\215.sock", 0) = -1 ENOENT (No such file)`,
			"unlinkat(AT_FDCWD, text /tmp/名.sock) = -1 ENOENT"},
		{`1 prctl(PR_SET_NAME, "dog:main_thread"...) = 0`,
			"prctl(PR_SET_NAME, text dog:main_thread) = 0"},
		{`1 accept4(7, 0xc0, [112], 0) = ? ERESTARTNOHAND (To be restarted if no handler)`,
			"accept4(7) = -1 EINTR"},
		{`1 epoll_ctl(5, EPOLL_CTL_ADD, 8, {events=EPOLLIN, data={u32=8, u64=8}}) = 0 (DELAYED)`,
			"epoll_ctl(5, EPOLL_CTL_ADD, 8) = 0"},
	} {
		line, want := c[0], c[1]

		calls := parse(t, line+"\n")
		if len(calls) != 1 || calls[0].key() != want {
			t.Errorf("%s\n got %q\nwant %q", line, calls[0].key(), want)
		}
	}
}

func TestBothSpellingsOfAPathAreOne(t *testing.T) {
	for _, spelled := range []string{
		`"/t/\345\220\215\n\1"`, `"/t/名\n\x01"`, `"/t/\u540d\n\001"`,
	} {
		if got := plainArg(spelled); got != "text /t/名\n\x01" {
			t.Errorf("%s is %q", spelled, got)
		}
	}
}

func TestSignalsAndExitsAreNoCalls(t *testing.T) {
	calls := parse(t, `10 --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=10, si_uid=0} ---
10 epoll_pwait(5,  <unfinished ...>
11 close(5)                          = 0
11 +++ exited with 0 +++
10 <... epoll_pwait resumed> <unfinished ...>) = ?
10 +++ killed by SIGTERM +++
`)
	if len(calls) != 2 || calls[0].Returned || !calls[1].Returned {
		t.Errorf("got %+v: the wait never returned, the close did", calls)
	}
}

// A thread that dies while strace lets go of it.
func TestWhatStraceDoesNotKnowIsNoCall(t *testing.T) {
	calls := parse(t, "10 close(5) = 0\n10 ???( <detached ...>\n11 read(5,  <detached ...>\n")
	if len(calls) != 2 || calls[0].Name != "close" || calls[1].Name != "read" || calls[1].End != 0 {
		t.Errorf("%+v", calls)
	}
}

func TestACallCutOffByItsThreadsEndNeverReturned(t *testing.T) {
	calls := parse(t, "10 read(5,  <unfinished ...>\n10 +++ exited with 0 +++\n")
	if len(calls) != 1 || calls[0].Returned || calls[0].Name != "read" {
		t.Errorf("got %+v", calls)
	}
}

func TestARestartedCallCountsOnce(t *testing.T) {
	calls := parse(t, `10 accept4(7, 0xc0, [112], 0) = ? ERESTARTSYS (To be restarted)
10 --- SIGURG {si_signo=SIGURG} ---
10 accept4(7, NULL, NULL, 0) = 9
`)
	if len(calls) != 1 || calls[0].key() != "accept4(7) = 9" {
		t.Errorf("got %+v", calls)
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	for _, text := range []string{
		"close(3) = 0\n",
		"10 <... read resumed>) = 0\n",
		"10 nonsense\n",
		"10 close(3)\n",
		"10 close(3) = what\n",
		`10 write(3, "no end, 3) = 3` + "\n",
	} {
		if calls, err := ParseStrace(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read as %+v", text, calls)
		}
	}
}

func FuzzParseStrace(f *testing.F) {
	f.Add("10 epoll_pwait(5,  <unfinished ...>\n" +
		"10 <... epoll_pwait resumed>[], 1, 0, NULL, 8) = 0\n")
	f.Add("10 write(3, \"\\\n")
	f.Add("10 read(3) = ? ERESTARTSYS (x)\n10 --- SIGURG ---\n")
	f.Fuzz(func(t *testing.T, text string) {
		calls, err := ParseStrace(strings.NewReader(text))
		if err != nil {
			return
		}
		Compare(calls, &Trace{}, 0)
	})
}
