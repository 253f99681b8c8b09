package trace

import "testing"

// BenchmarkSyscallSpan is what a traced call costs beside the call itself: two clock readings, one record.
func BenchmarkSyscallSpan(b *testing.B) {
	benchLane(b, func(l *Lane) { l.call(readCall, 7, 1) })
}

// BenchmarkFunctionSpan is Enter and Exit of a walked function.
func BenchmarkFunctionSpan(b *testing.B) {
	benchLane(b, func(l *Lane) { l.Enter(outer).Exit() })
}

// BenchmarkOff is Enter and Exit where nothing is recorded.
func BenchmarkOff(b *testing.B) {
	var l *Lane
	for b.Loop() {
		walked(l)
	}
}

//go:noinline
func walked(l *Lane) { defer l.Enter(outer).Exit() }

// BenchmarkOn is the same function with a lane.
func BenchmarkOn(b *testing.B) { benchLane(b, walked) }

// benchLane runs f on a ring that is overwritten all the time: a collector's own work is not the lane's.
func benchLane(b *testing.B, f func(*Lane)) {
	l := newBench(Config{Blocks: 64}).thread("t")
	b.ReportAllocs()
	for b.Loop() {
		f(l)
	}
}

// Every way of writing allocates nothing while the ring is overwritten: nobody reads.
func TestWritingAllocatesNothing(t *testing.T) {
	l := newBench(Config{Blocks: 4}).thread("t")
	posted := PostOutcome{Queued: 1}
	for name, write := range map[string]func(){
		"function": func() { l.Enter(outer).Of("x").On(3).Exit() },
		"call":     func() { l.call(readCall, 7, 1) },
		"story":    func() { s := l.BeginStory(1, 0); l.EnterStory(s, outer).Exit(); l.EndStory(s, false) },
		"turn":     func() { l.EnterTurn().Exit() },
		"event":    func() { l.EnterEvent(outer, 7, 1).Exit() },
		"timer":    func() { l.EnterTimer("idle", true).Exit() },
		"delete":   func() { l.EnterDelete(3).Exit() },
		"post":     func() { id, at := l.Posting(); l.Posted(id, at, outer, "worker_0", "", posted) },
		"run":      func() { l.EnterRun(outer, "worker_0", "", 0).Exit() },
		"label":    func() { l.Label(7, "echo"); l.LabelConnection(7, 1) },
		"note":     func() { l.Note("errno", 11); l.Cause(1) },
		"later":    func() { l.Later(5, "accept"); l.HandOver(7, "net/http") },
		"flush":    func() { l.ReadClock(); l.Flush() },
	} {
		if n := testing.AllocsPerRun(1000, write); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestWritingAllocatesNothingWhileBlocksAreReadAndGivenBack(t *testing.T) {
	b := newBench(Config{Blocks: 4})
	l := b.thread("t")
	read := reader{ring: &l.ring, aside: map[uint64]*block{}}
	n := testing.AllocsPerRun(1000, func() {
		for range blockLen + 1 {
			l.Enter(outer).Exit()
		}
		for blk := read.claim(); blk != nil; blk = read.claim() {
			read.release(blk)
		}
	})
	if n != 0 || b.Dropped() != 0 {
		t.Errorf("%v allocations, %d records dropped", n, b.Dropped())
	}
}
