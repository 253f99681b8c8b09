package trace

import (
	"fmt"
	"testing"
)

// connection is a story as a proxy tells it: it ends inside of the callback that closed it, whose
// spans end after it.
func connection(l *Lane, n int, result int64, failed bool) {
	turn := l.EnterTurn()
	story := l.BeginStory(uint64(n), 0)
	part := l.EnterStory(story, inner)
	l.call(readCall, 7, result)
	l.EndStory(story, failed)
	l.call(closeCall, 7, 0)
	part.Exit()
	turn.Exit()
}

func toldConnections(ss spans) (numbers []int) {
	for n := range 100 {
		if len(ss.all(fmt.Sprintf("connection C%d", n))) == 1 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func TestSamplingKeepsTheFirstAndThenOneInSoMany(t *testing.T) {
	for _, c := range []struct {
		sample Sample
		want   string
	}{
		{Sample{}, "[1 2 3 4 5 6 7 8 9 10 11 12]"},
		{Sample{First: 2, Every: 5}, "[1 2 7 12]"},
		{Sample{First: 0, Every: 4}, "[4 8 12]"},
		{Sample{First: 3, Every: 1}, "[1 2 3 4 5 6 7 8 9 10 11 12]"},
		{Sample{First: 5, Every: 1000}, "[1 2 3 4 5]"},
	} {
		b := newBench(Config{Sample: c.sample})
		l := b.thread("worker_0")
		for n := 1; n <= 12; n++ {
			connection(l, n, 1, false)
		}
		l.End()
		ss := b.finish()
		kept := toldConnections(ss)
		if fmt.Sprint(kept) != c.want {
			t.Errorf("%+v keeps %v, want %s", c.sample, kept, c.want)
		}
		// A story is a root, a function and two calls; of what is left out nothing is told.
		if out := uint64(12-len(kept)) * 4; b.collector.sampledOut != out {
			t.Errorf("%+v: %d spans are counted as left out, want %d", c.sample, b.collector.sampledOut, out)
		}
		if n, want := len(ss), 1+12+4*len(kept); n != want {
			t.Errorf("%+v: %d spans, want %d", c.sample, n, want)
		}
		isWhole(t, ss)
	}
}

func isWhole(t *testing.T, ss spans) {
	t.Helper()
	for _, s := range ss {
		if attr(s, KeyUnfinished)+attr(s, KeyTruncated) != "" {
			t.Errorf("%q is not whole: %v", s.Name(), s.Attributes())
		}
	}
}

func TestWhatFailsIsKept(t *testing.T) {
	const reset, again, interrupted = -104, -11, -4
	for _, c := range []struct {
		name   string
		result int64
		failed bool
		kept   int
	}{
		{"the story says so", 1, true, 1},
		{"a call failed", reset, false, 1},
		{"EAGAIN is an answer", again, false, 0},
		{"EINTR is an answer", interrupted, false, 0},
		{"all is well", 1, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(Config{Sample: Sample{Every: 1000}})
			l := b.thread("worker_0")
			connection(l, 7, c.result, c.failed)
			l.End()
			l.Flush()
			b.laterOn()
			// Without waiting for the end of the process.
			ss := spans(b.sink.Ended())
			if n := len(ss.all("connection C7")); n != c.kept {
				t.Fatalf("%d stories told, want %d", n, c.kept)
			}
			if n := len(ss.all(nameOf(inner))); n != c.kept {
				t.Errorf("the function that was still open is told %d times, want %d", n, c.kept)
			}
			isWhole(t, b.finish())
		})
	}
}

func TestAStoryNotEndedIsToldWhenTheProcessStops(t *testing.T) {
	b := newBench(Config{Sample: Sample{Every: 1000}})
	l := b.thread("worker_0")
	story := l.BeginStory(7, 0)
	l.EnterStory(story, inner).Exit()
	ss := b.finish()
	isChildOf(t, ss.one(t, nameOf(inner)), ss.one(t, "connection C7"))
	if attr(ss.one(t, "connection C7"), KeyUnfinished) != "true" {
		t.Error("nobody ended it")
	}
}

func TestALongStoryThatMayYetFailKeepsItsRootAndItsLatest(t *testing.T) {
	b := newBench(Config{Sample: Sample{Every: 1000}, Blocks: 1024})
	l := b.thread("worker_0")
	story := l.BeginStory(7, 0)
	part := l.EnterStory(story, inner)
	const calls = 5 * maxWaiting
	for range calls {
		l.call(readCall, 7, 1)
	}
	part.Exit()
	l.EndStory(story, true)
	ss := b.finish()
	ss.one(t, "connection C7")
	if n := uint64(len(ss.all("read"))); n == 0 || n > maxWaiting || n+b.collector.sampledOut < calls {
		t.Errorf("%d of %d calls are kept and %d spans counted as left out", n, calls, b.collector.sampledOut)
	}
	if attr(ss.one(t, nameOf(inner)), KeyTruncated) != "true" {
		t.Error("the function whose begin was let go does not say so")
	}
}

func TestANumberThatComesRoundAgainIsAnotherConnection(t *testing.T) {
	b := newBench(Config{Sample: Sample{Every: 1000}})
	l := b.thread("worker_0")
	connection(l, 7, 1, false)
	connection(l, 7, 1, true)
	ss := b.finish()
	ss.one(t, "connection C7")
}

func TestSamplingForgetsWhatItDecidedLongAgo(t *testing.T) {
	b := newBench(Config{Sample: Sample{Every: 1 << 40}, Blocks: 64})
	s := &b.collector.bridge.sample
	s.order = make([]Story, 100)
	l := b.thread("worker_0")
	for n := range 1000 {
		connection(l, n+1, 1, false)
		if n%100 == 0 {
			l.Flush()
			b.laterOn()
		}
	}
	b.finish()
	if len(s.decided) > 100 || len(s.waiting) > 0 || b.Dropped() > 0 {
		t.Errorf("%d decisions, %d stories waiting, %d dropped", len(s.decided), len(s.waiting), b.Dropped())
	}
}

// A story that waited for its end to be kept was lived in turns that have ended meanwhile.
func TestAStoryThatIsToldLateLinksToTheTurnsItWasIn(t *testing.T) {
	b := newBench(Config{Sample: Sample{First: 0, Every: 1000}})
	l := b.thread("worker_0")
	story := l.BeginStory(1, 0)
	for range 2 {
		turn := l.EnterTurn()
		around := l.Enter(outer)
		l.EnterStory(story, inner).Exit()
		around.Exit()
		turn.Exit()
	}
	l.EndStory(story, true)
	ss := b.finish()
	for n, part := range ss.all(nameOf(inner)) {
		isLinkedTo(t, part, ss.all(nameOf(outer))[n])
		isLinkedTo(t, part, ss.all("turn")[n])
	}
	if n := len(ss.all(nameOf(inner))); n != 2 {
		t.Errorf("%d parts are told, want 2", n)
	}
}
