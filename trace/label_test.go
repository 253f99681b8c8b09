package trace

import (
	"testing"
)

func labels(ss spans, name string) (all []string) {
	for _, s := range ss.all(name) {
		all = append(all, attr(s, KeyFDLabel))
	}
	return all
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %q, want %q", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: %q, want %q", what, got, want)
			return
		}
	}
}

func TestANumberUsedAgainHasOnlyItsNewName(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("worker_0")
	for c := uint64(7); c < 10; c++ {
		l.call(acceptCall, 5, 9)
		l.LabelConnection(9, c)
		l.call(readCall, 9, 1)
		l.call(closeCall, 9, 0)
	}
	l.call(readCall, 9, 1)
	l.call(acceptCall, 5, 9) // a life that nobody names
	l.call(readCall, 9, 1)
	ss := b.finish()
	equal(t, "reads", labels(ss, "read"), "C7", "C8", "C9", "", "")
	equal(t, "closes", labels(ss, "close"), "C7", "C8", "C9")
	var made []string
	for _, s := range ss.all("accept4") {
		made = append(made, attr(s, KeyRetLabel))
	}
	equal(t, "made", made, "C7", "C8", "C9", "")
	if got := attr(ss.all("read")[0], KeyArgs); got != "9<C7>" {
		t.Errorf("the arguments are %q", got)
	}
}

func TestAnUpstreamConnectionIsNamedAfterItsCluster(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("worker_0")
	l.call(acceptCall, 5, 9)
	l.LabelUpstream(9, 8, "echo")
	l.call(readCall, 9, 1)
	l.call(closeCall, 9, 0)
	l.call(readCall, 9, 1)
	ss := b.finish()
	equal(t, "reads", labels(ss, "read"), "C8>echo", "")
	if got := attr(ss.all("read")[0], KeyArgs); got != "9<C8>echo>" {
		t.Errorf("the arguments are %q", got)
	}
}

// The close is on the older thread's record when the newer thread already has the number.
func TestACloseKeepsItsNameWhenAnotherThreadIsGivenTheNumberAtOnce(t *testing.T) {
	b := newBench(Config{})
	old, other := b.thread("worker_0"), b.thread("worker_1")
	old.Label(9, "C7")
	closing := old.Now()
	other.call(acceptCall, 5, 9) // the kernel has let go of 9, old has not returned yet
	other.LabelConnection(9, 8)
	old.Call(closeCall, 0, closing, [4]int64{9}, 0, "")
	other.call(readCall, 9, 1)
	ss := b.finish()
	equal(t, "close", labels(ss, "close"), "C7")
	equal(t, "read", labels(ss, "read"), "C8")
}

func TestALabelHoldsOnEveryThread(t *testing.T) {
	b := newBench(Config{})
	main, worker := b.thread("main"), b.thread("worker_0")
	main.Label(6, "echo/w0")
	worker.call(readCall, 6, 1)
	worker.EnterEvent(inner, 6, 3).Exit()
	worker.HandOver(6, "net/http")
	worker.call(readCall, 6, 1)
	ss := b.finish()
	equal(t, "read", labels(ss, "read"), "echo/w0", "")
	equal(t, "event", labels(ss, nameOf(inner)), "echo/w0")
	equal(t, "hand-over", labels(ss, "hand over to net/http"), "echo/w0")
	if got := attr(ss.one(t, nameOf(inner)), KeyEvents); got != "READ|WRITE" {
		t.Errorf("the event's bits are %q", got)
	}
}

// What the thread did with the number meanwhile was taken back.
func TestAfterAGapAThreadsLabelsAreForgottenNotGuessed(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	main, l := b.thread("main"), b.thread("worker_0")
	main.Label(6, "echo")
	l.call(acceptCall, 5, 9)
	l.LabelConnection(9, 7)
	main.Flush()
	l.Flush()
	b.laterOn()
	l.call(closeCall, 9, 0)
	l.call(acceptCall, 5, 9)
	l.LabelConnection(9, 8)
	overflow(l)
	l.call(closeCall, 9, 0)
	l.call(closeCall, 6, 0)
	equal(t, "close", labels(b.finish(), "close"), "?", "echo")
}

// The call is the last record before a gap; the label after it belongs to a later life.
func TestALabelBeyondAGapIsNotTheNewFilesName(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	l := b.thread("worker_0")
	l.call(acceptCall, 5, 9)
	l.Flush()
	b.laterOn() // it waits for the label that would follow
	overflow(l)
	for l.cur.n < blockLen {
		l.call(readCall, 7, 1)
	}
	l.LabelConnection(9, 99)
	for range 2*blockLen - 1 {
		l.call(readCall, 7, 1)
	}
	ss := b.finish()
	if got := attr(ss.one(t, "accept4"), KeyRetLabel); got != "" {
		t.Errorf("the file is called %q", got)
	}
}

func TestNotesAndObjectsStandOnTheirSpan(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	o := l.Enter(outer).Of("listener\xff").On(6)
	l.Enter(inner).Exit()
	l.Note("errno", 11)
	o.Exit()
	l.Enter(inner).Exit()
	ss := b.finish()
	s := ss.one(t, nameOf(outer))
	if attr(s, "note.errno") != "11" || attr(s, KeyObject) != "listener?" || attr(s, KeyFD) != "6" {
		t.Errorf("%v", s.Attributes())
	}
	for _, s := range ss.all(nameOf(inner)) {
		if attr(s, KeyObject)+attr(s, KeyFD)+attr(s, "note.errno") != "" {
			t.Errorf("the other span has %v", s.Attributes())
		}
	}
}

// A record is written over one that was read or taken back: nothing of the old one may show.
func TestARecordShowsNothingOfTheOneItReplaces(t *testing.T) {
	b := newBench(Config{Blocks: 1})
	l := b.thread("main")
	for range 6 * blockLen {
		l.Call(readCall, 1, l.Now(), [4]int64{9, 9, 9, 9}, -11, "old")
	}
	for range blockLen {
		run := l.EnterRun(outer, "worker_0", "", 0)
		l.Enter(inner).Exit()
		run.Exit()
	}
	for _, s := range b.finish() {
		switch s.Name() {
		case nameOf(inner):
			if attr(s, KeyObject)+attr(s, KeyFD)+attr(s, KeyErrorType) != "" || len(s.Links()) > 0 {
				t.Fatalf("%v %v", s.Attributes(), s.Links())
			}
		case "run old":
			t.Fatal("a run whose begin is lost has another record's text")
		case "run ":
			if attr(s, KeyTruncated) != "true" {
				t.Fatalf("%q: %v", s.Name(), s.Attributes())
			}
		}
	}
}
