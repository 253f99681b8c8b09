package imported

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

func fromText(t testing.TB, text string) (*saved.Trace, *Report) {
	t.Helper()
	tr, report, err := Read([]Source{{Name: "x", From: strings.NewReader(text)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr, report
}

func fromFile(t testing.TB, name string) (*saved.Trace, *Report) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tr, report, err := Read([]Source{{Name: name, From: f}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tr, report
}

// line is what a span says, with its thread.
func line(s sdk.ReadOnlySpan) string {
	m := moment.Read(s)
	return fmt.Sprintf("%s: %s", m.Thread, m.Text())
}

func find(t testing.TB, tr *saved.Trace, part string) sdk.ReadOnlySpan {
	t.Helper()
	for _, s := range tr.Spans {
		if strings.Contains(line(s), part) {
			return s
		}
	}
	t.Fatalf("no span says %q", part)
	return nil
}

func id(s sdk.ReadOnlySpan) trace.SpanID { return s.SpanContext().SpanID() }

func isLinked(s, cause sdk.ReadOnlySpan) bool {
	return slices.ContainsFunc(s.Links(), func(l sdk.Link) bool { return l.SpanContext.SpanID() == id(cause) })
}

func parentOf(t testing.TB, tr *saved.Trace, s sdk.ReadOnlySpan) sdk.ReadOnlySpan {
	t.Helper()
	for _, p := range tr.Spans {
		if id(p) == s.Parent().SpanID() {
			return p
		}
	}
	t.Fatalf("%s has no parent", line(s))
	return nil
}

// checkSound is what every import keeps, whatever was imported.
func checkSound(t testing.TB, tr *saved.Trace) {
	t.Helper()
	known := map[trace.SpanID]bool{}
	for _, s := range tr.Spans {
		known[id(s)] = true
	}
	var last int64
	ends := map[int64]bool{}
	for _, s := range tr.Spans {
		start, end := seqs(s)
		if start <= last || end < start || ends[end] || s.EndTime().Before(s.StartTime()) {
			t.Fatalf("%s: seq %d to %d, after %d; %v to %v", line(s), start, end, last, s.StartTime(), s.EndTime())
		}
		last, ends[end] = start, true
		if s.Parent().IsValid() && !known[s.Parent().SpanID()] {
			t.Fatalf("%s: its parent is not there", line(s))
		}
		for _, l := range s.Links() {
			if !known[l.SpanContext.SpanID()] {
				t.Fatalf("%s: a link leads nowhere", line(s))
			}
		}
	}
}

func seqs(s sdk.ReadOnlySpan) (start, end int64) {
	for _, a := range s.Attributes() {
		switch a.Key {
		case record.KeySeqStart:
			start = a.Value.AsInt64()
		case record.KeySeqEnd:
			end = a.Value.AsInt64()
		}
	}
	return start, end
}

func TestRealProgramsAreImportedWhole(t *testing.T) {
	for name, want := range map[string]Report{
		"redis.strace":   {Lines: 185, Calls: 176, Threads: 5, Connections: 2},
		"nginx.strace":   {Lines: 385, Calls: 280, Threads: 3, Connections: 4, Signals: 4},
		"python.strace":  {Lines: 362, Calls: 355, Threads: 3, Connections: 2, Signals: 1, NoDurations: true},
		"haproxy.strace": {Lines: 609, Calls: 594, Threads: 3, Connections: 1, Signals: 1},
	} {
		tr, r := fromFile(t, name)
		r.Unfinished = 0 // told below
		if fmt.Sprint(*r) != fmt.Sprint(want) {
			t.Errorf("%s: %+v", name, *r)
		}
		checkSound(t, tr)
		calls := 0
		for _, s := range tr.Spans {
			if m := moment.Read(s); m.Kind == moment.KindCall {
				calls += int(m.Repeat)
			}
		}
		if calls != r.Calls {
			t.Errorf("%s: %d of %d calls have a span", name, calls, r.Calls)
		}
	}
}

func TestNginxIsALanePerProcessAndAStoryPerConnection(t *testing.T) {
	tr, _ := fromFile(t, "nginx.strace")
	for _, name := range []string{"nginx_1", "nginx_2"} {
		worker := find(t, tr, "thread "+name+" begins")
		clone := find(t, tr, fmt.Sprintf("= %d", moment.Read(worker).TID))
		if !strings.HasPrefix(line(clone), "nginx: clone(") || !isLinked(worker, clone) {
			t.Errorf("%s is linked to %s", name, line(clone))
		}
		find(t, tr, name+": epoll_wait(")
	}
	story := find(t, tr, "connection C1 begins")
	accept := find(t, tr, "<C1>")
	if !strings.Contains(line(accept), "accept4(") || !isLinked(story, accept) {
		t.Errorf("C1 is linked to %s", line(accept))
	}
	read := find(t, tr, "recvfrom(")
	turn := find(t, tr, "turn (derived)")
	if id(parentOf(t, tr, read)) != id(story) || read.SpanContext().TraceID() != story.SpanContext().TraceID() {
		t.Errorf("%s is part of %s", line(read), line(parentOf(t, tr, read)))
	}
	if len(read.Links()) != 1 || turn.Name() != "turn (derived)" {
		t.Errorf("%s hangs on its turn by %v", line(read), read.Links())
	}
	find(t, tr, "<tcp >127.0.0.1:17004>, 127.0.0.1:17004, 16) = -1 EINPROGRESS") // an upstream, by where it leads
	woken := parentOf(t, tr, find(t, tr, "[EPOLLIN 7<pair 1>]"))
	if send := find(t, tr, "sendmsg(6<pair 1>"); !isLinked(woken, send) {
		t.Errorf("%s was woken by %s, and %v is said", line(woken), line(send), woken.Links())
	}
}

func TestAThreadPerConnectionIsSeenToTakeIt(t *testing.T) {
	tr, _ := fromFile(t, "python.strace")
	read := find(t, tr, "recvfrom(4<C1>")
	if th := moment.Read(read).Thread; !strings.HasPrefix(th, "python3_") {
		t.Errorf("%s read it", th)
	}
	find(t, tr, "poll([{fd=3<tcp 127.0.0.1:17002>, events=POLLIN}]")
}

func TestRedisIsReadWithEveryAnnotation(t *testing.T) {
	tr, _ := fromFile(t, "redis.strace")
	for _, want := range []string{
		"redis-server: accept4(6<tcp 0.0.0.0:17001>, 127.0.0.1:",
		"redis-server: epoll_wait(5<ep:redis-server>, [EPOLLIN 8<C1>]",
		`redis-server: read(8<C1>, "PING\r\n"`,
		"thread bio_close_file begins",
	} {
		find(t, tr, want)
	}
}

func TestHaproxyIsReadWithoutAnyAnnotation(t *testing.T) {
	tr, _ := fromFile(t, "haproxy.strace")
	for _, want := range []string{
		"haproxy: accept4(4<tcp 127.0.0.1:17005>",
		"haproxy: connect(12<tcp >127.0.0.1:17001>, 127.0.0.1:17001, 16) = -1 EINPROGRESS",
		"haproxy_2: epoll_ctl(9<ep:haproxy_2>, EPOLL_CTL_ADD, 7<wake:haproxy_2>",
		"haproxy_2: epoll_wait(9<ep:haproxy_2>) = -1 unfinished",
	} {
		find(t, tr, want)
	}
}

func TestWhatHasNoCallIsAnErrorThatShowsWhatIsWanted(t *testing.T) {
	for _, text := range []string{"", "hello\n", "\x00\xff\n"} {
		_, _, err := Read([]Source{{Name: "x", From: strings.NewReader(text)}}, Options{})
		if !errors.Is(err, ErrNoCalls) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLinesThatAreNotUnderstoodAreCountedAndTheFirstAreShown(t *testing.T) {
	_, r := fromText(t, "1 close(3) = 0\na\nb\nc\nd\n")
	if r.NotUnderstood != 4 || len(r.Examples) != fewExamples || !strings.HasPrefix(r.Examples[0], "line 2: want") {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsShownOfABadLineDoesNothingToATerminal(t *testing.T) {
	_, r := fromText(t, "1 close(3) = 0\n\x7fELF\x1b[2J\x00\u2028\xff\n")
	if want := `\x7fELF\x1b[2J\x00\u2028\xff`; len(r.Examples) != 1 || !strings.HasSuffix(r.Examples[0], want) {
		t.Errorf("%q", r.Examples)
	}
}

func TestSeveralFilesNeedTimes(t *testing.T) {
	_, _, err := Read([]Source{{Name: "x.1", TID: 1, From: strings.NewReader("close(3) = 0\n")},
		{Name: "x.2", TID: 2, From: strings.NewReader("close(3) = 0\n")}}, Options{})
	if err == nil || !strings.Contains(err.Error(), "-ttt") {
		t.Error(err)
	}
}

func TestFilesOfThreadsAreMergedByTime(t *testing.T) {
	one := "1795383878.1 eventfd2(0, 0) = 3 <0.01>\n" +
		"1795383878.2 epoll_create1(0) = 4 <0.01>\n" +
		"1795383878.3 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0 <0.01>\n" +
		"1795383878.35 clone(child_stack=0x1, flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 12 <0.01>\n" +
		"1795383878.4 epoll_wait(4, [{events=EPOLLIN, data={u32=3, u64=3}}], 8, -1) = 1 <0.5>\n" +
		"1795383878.95 epoll_wait(4, [], 8, 0) = 0 <0.01>\n"
	two := "1795383878.6 write(3, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8) = 8 <0.01>\n1795383878.7 +++ exited with 0 +++\n"
	tr, _, err := Read([]Source{{Name: "x.12", TID: 12, From: strings.NewReader(two)},
		{Name: "x.11", TID: 11, From: strings.NewReader(one)}}, Options{Name: "two"})
	if err != nil {
		t.Fatal(err)
	}
	checkSound(t, tr)
	write := find(t, tr, "thread_1: write(3<wake:thread>")
	turn := parentOf(t, tr, find(t, tr, "[EPOLLIN 3<wake:thread>]"))
	if !isLinked(turn, write) || tr.Service != "two" {
		t.Errorf("%s: %v", line(turn), turn.Links())
	}
}

// Whose signal it was, strace does not say; ours is a Go program, others need not be.
func TestASignalIsNotTakenForTheGoRuntimes(t *testing.T) {
	tr, _ := fromFile(t, "haproxy.strace")
	m := moment.Read(find(t, tr, "= -1 EINTR"))
	if got := m.Hint("en") + m.Hint("zh"); got != "a signal一个信号" {
		t.Error(got)
	}
}
