package stracefile

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// all reads text and returns its events, and the lines that were not understood.
func all(t testing.TB, text string) (events []Event, bad []*LineError) {
	t.Helper()
	r := NewReader(strings.NewReader(text))
	for {
		e, err := r.Next()
		var line *LineError
		switch {
		case errors.Is(err, io.EOF):
			return events, bad
		case errors.As(err, &line):
			bad = append(bad, line)
		case err != nil:
			t.Fatal(err)
		default:
			events = append(events, e)
		}
	}
}

func TestEveryFrontOfALineIsRead(t *testing.T) {
	const at = 1795383878_933203000
	for front, want := range map[string]Event{
		"":                               {},
		"12 ":                            {TID: 12},
		"12  1795383878.933203 ":         {TID: 12, At: at},
		"1795383878.933203 ":             {At: at},
		"[pid    12] 1795383878.933203 ": {TID: 12, At: at},
		"[pid 12] ":                      {TID: 12},
		"12<a b> 1795383878.933203 ":     {TID: 12, Comm: "a b", At: at},
		"12 00:00:02.5 ":                 {TID: 12, At: 2_500_000_000},
		"12 00:00:02 ":                   {TID: 12, At: 2_000_000_000},
	} {
		events, bad := all(t, front+"close(3) = 0\n")
		if len(bad) != 0 || len(events) != 1 {
			t.Errorf("%q: %v", front, bad)
			continue
		}
		e := events[0]
		if e.TID != want.TID || e.Comm != want.Comm || e.At != want.At || e.Call.Began != want.At ||
			e.Call.Name != "close" || e.Kind != Whole {
			t.Errorf("%q: %+v %+v", front, e, e.Call)
		}
	}
}

func TestATimeOfDayGoesOnAfterMidnight(t *testing.T) {
	events, _ := all(t, "1 23:59:59.9 close(3) = 0\n1 00:00:00.1 close(4) = 0\n")
	if d := events[1].At - events[0].At; d != 200_000_000 {
		t.Errorf("%d ns between them", d)
	}
}

func TestDurationsTellTheEnd(t *testing.T) {
	events, _ := all(t, "1 1795383878.5 read(3, \"a <0.5>\", 8) = 7 <0.250000>\n"+
		"1 1795383879.0 poll([{fd=3}], 1, 5 <unfinished ...>\n"+
		"1 1795383880.0 <... poll resumed>) = 0 (Timeout)\n")
	if c := events[0].Call; c.Ended-c.Began != 250_000_000 || c.Ret != 7 || !c.Timed() {
		t.Errorf("%+v", c)
	}
	if c := events[2].Call; c.Ended-c.Began != 1_000_000_000 || c.Result != "(Timeout)" || c.Timed() {
		t.Errorf("%+v", c)
	}
}

func TestAnnotationsAreNoArguments(t *testing.T) {
	for line, want := range map[string]string{
		`accept4(6<TCP:[0.0.0.0:1]>, NULL, 0) = 8<TCP:[127.0.0.1:1->127.0.0.1:2]>`: `6<TCP:[0.0.0.0:1]>|NULL|0`,
		`read(3</a (b, c "d>, "x", 1) = 1`:                                         `3</a (b, c "d>|"x"|1`,
		`ioctl(0</dev/null<char 1:3>>, {c=1, d=2}) = 0`:                            `0</dev/null<char 1:3>>|{c=1, d=2}`,
		`openat(AT_FDCWD</a)>, "b", O_RDONLY) = 3</a)/b>`:                          `AT_FDCWD</a)>|"b"|O_RDONLY`,
		`capset({v=0}, {x=1<<CAP_KILL}) = 0`:                                       `{v=0}|{x=1<<CAP_KILL}`,

		`write(25<C2>echo>, "x", 1) = 1`: `25<C2>echo>|"x"|1`,
	} {
		events, bad := all(t, "1 "+line+"\n")
		if len(bad) > 0 {
			t.Error(bad[0])
			continue
		}
		if got := strings.Join(events[0].Call.Args, "|"); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
	if got := WithoutAnnotations(`[6<socket:[1]>, 7<UNIX:[1->2]>], "8<x>"`); got != `[6, 7], "8<x>"` {
		t.Error(got)
	}
}

func TestAnExecOfAnotherThreadGoesOnUnderTheLeadersId(t *testing.T) {
	events, bad := all(t, "11 execve(\"/bin/true\", [\"true\"], 0x1 /* 0 vars */ <pid changed to 10 ...>\n"+
		"10 +++ superseded by execve in pid 11 +++\n10 <... execve resumed>) = 0\n")
	if len(bad) != 0 || len(events) != 3 {
		t.Fatal(events, bad)
	}
	if e := events[2]; e.Kind != Ends || e.TID != 10 || e.Call.Name != "execve" || e.Call.Ret != 0 || !e.Call.Returned {
		t.Errorf("%+v %+v", e, e.Call)
	}
}

func TestACallThatNeverReturnedKeepsWhatIsKnown(t *testing.T) {
	events, _ := all(t, "10 epoll_wait(5<ep>,  <unfinished ...>\n11 read(3,  <unfinished ...>\n"+
		"11 <... read resumed> <unfinished ...>) = ?\n")
	if c := events[0].Call; c.Name != "epoll_wait" || len(c.Args) != 1 || c.Args[0] != "5<ep>" || c.End != 0 {
		t.Errorf("%+v", c)
	}
	if c := events[2].Call; c.Returned || len(c.Args) != 1 || c.Args[0] != "3" {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsNotUnderstoodNamesItsLineAndReadingGoesOn(t *testing.T) {
	events, bad := all(t, "10 close(3) = 0\nnginx: hello\n10 0.000012 close(3) = 0\n10 25:00:00 close(3) = 0\n"+
		"10 close(3) = 0\n")
	if len(events) != 2 || len(bad) != 3 {
		t.Fatal(events, bad)
	}
	for i, want := range []string{"strace line 2: want a system call", "strace line 3: want a time since 1970",
		"strace line 4: want a time of day"} {
		if !strings.HasPrefix(bad[i].Error(), want) {
			t.Errorf("%s; want %s", bad[i], want)
		}
	}
}

func TestALineWithoutEndIsAnErrorAndNotAllOfMemory(t *testing.T) {
	r := NewReader(strings.NewReader("10 close(3) = 0\n" + strings.Repeat("x", maxLine+1)))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "behind line 1") {
		t.Error(err)
	}
}
