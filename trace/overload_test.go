package trace

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// gate is a sink that takes nothing until it is opened.
type gate struct {
	sdk.SpanProcessor
	reached sync.Once
	at      chan struct{} // closed when the first span stands before the gate
	open    chan struct{}
}

func newGate() *gate {
	return &gate{at: make(chan struct{}), open: make(chan struct{})}
}

func (g *gate) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (g *gate) Shutdown(context.Context) error             { return nil }
func (g *gate) OnEnd(sdk.ReadOnlySpan) {
	g.reached.Do(func() { close(g.at) })
	<-g.open
}

func TestEveryRecordIsEitherReadOrCountedAsDropped(t *testing.T) {
	for _, calls := range []int{0, 1, 63, 64, 65, 500, 16 * blockLen, 17 * blockLen, 40_000, 100_001} {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			g := newGate()
			r := New(Config{Blocks: 16, Processors: []sdk.SpanProcessor{g}})
			l := r.Thread("t", 1, 0)
			l.StartupDone()
			l.call(readCall, 7, 1)
			l.Flush()
			<-g.at // the collector holds the first call and no more can pass
			for range calls {
				l.call(readCall, 7, 1)
			}
			l.End()
			close(g.open)
			stats, err := r.Close(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			// The thread's begin and end are two records and one span.
			if wrote := uint64(calls) + 3; l.records != wrote || stats.Spans+1+stats.Dropped != wrote {
				t.Errorf("%d records written: %d calls, %d spans, %d dropped", l.records, calls, stats.Spans, stats.Dropped)
			}
			if most := 15 * blockLen; calls <= most && stats.Dropped != 0 {
				t.Errorf("%d dropped of %d that fitted", stats.Dropped, calls)
			}
		})
	}
}

func TestEveryRecordIsAccountedForWhileTheCollectorReadsAtFullSpeed(t *testing.T) {
	r := New(Config{Blocks: 8})
	var lanes []*Lane
	var wg sync.WaitGroup
	for i := range 3 {
		l := r.Thread(fmt.Sprintf("t%d", i), i+1, 0)
		l.StartupDone()
		lanes = append(lanes, l)
		wg.Go(func() {
			for range 100_000 {
				l.call(readCall, 7, 1)
			}
			l.End()
		})
	}
	wg.Wait()
	stats, _ := r.Close(context.Background())
	written := uint64(0)
	for _, l := range lanes {
		written += l.records
	}
	if written != 3*100_002 || stats.Spans+3+stats.Dropped != written {
		t.Errorf("%d written, %d spans, %d dropped", written, stats.Spans, stats.Dropped)
	}
}

func TestStartupIsNeverTakenBack(t *testing.T) {
	b := newBench(Config{Blocks: 4})
	l := b.Thread("main", 1, 0)
	const startup = 10_000
	for range startup {
		l.call(readCall, 7, 1)
	}
	l.StartupDone()
	for range 20 * blockLen {
		l.call(closeCall, 7, 0)
	}
	ended := b.finish()
	if n := len(ended.all("read")); n != startup {
		t.Errorf("%d calls of the start-up are left of %d", n, startup)
	}
	if n := uint64(len(ended.all("close"))); n+b.Dropped() != 20*blockLen || b.Dropped() == 0 {
		t.Errorf("%d calls and %d dropped", n, b.Dropped())
	}
}

func TestStartupIsNeverTakenBackWhileTheCollectorReads(t *testing.T) {
	for range 8 {
		r := New(Config{Blocks: 2})
		l := r.Thread("main", 1, 0)
		for range 5000 {
			l.call(readCall, 7, 1)
		}
		if stats, _ := r.Close(context.Background()); stats.Spans != 5001 || stats.Dropped != 0 {
			t.Fatalf("%d spans, %d dropped", stats.Spans, stats.Dropped)
		}
	}
}

// The lane goes round the ring between any two steps of the reader.
func TestAReaderThatIsOvertakenFindsEveryBlockThatIsLeft(t *testing.T) {
	for size := 1; size <= 4; size++ {
		for seed := range 200 {
			t.Run(fmt.Sprintf("%d/%d", size, seed), func(t *testing.T) { overtake(t, size, uint64(seed)) })
		}
	}
}

func overtake(t *testing.T, size int, seed uint64) {
	b := newBench(Config{Blocks: size})
	l := b.thread("t")
	l.Flush()
	read := reader{ring: &l.ring, aside: map[uint64]*block{}}
	var got, last uint64
	next := func() bool {
		blk := read.claim()
		if blk == nil {
			return false
		}
		if blk.first < last {
			t.Fatalf("record %d comes after %d", blk.first, last)
		}
		got, last = got+uint64(blk.n), blk.first
		return true
	}
	for range 40 {
		seed = seed*6364136223846793005 + 1442695040888963407
		for range seed >> 33 % 9 { // blocks written at one go
			l.Note("n", 1)
			l.Flush()
		}
		if seed>>60&1 == 0 {
			setAside(&read)
		}
		for range seed >> 50 % 4 {
			next()
		}
	}
	for next() {
	}
	if got+b.Dropped() != l.records {
		t.Fatalf("%d written, %d read, %d dropped", l.records, got, b.Dropped())
	}
}

// setAside is a claim that the lane overtook just before the swap: what it took is ahead of its turn.
func setAside(r *reader) {
	slot := &r.ring.slots[r.seq%uint64(len(r.ring.slots))]
	if blk := slot.Load(); blk != nil && blk.seq != r.seq {
		slot.Store(nil)
		r.aside[blk.seq] = blk
	}
}

func TestASpanWhoseBeginWasTakenBackSaysSo(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	l := b.thread("t")
	story := l.BeginStory(7, 0)
	run := l.EnterRun(outer, "worker_0", "", 0)
	overflow(l)
	run.Exit()
	l.EndStory(story, false)
	ended := b.finish()
	for _, name := range []string{"run ", "connection C7"} {
		if s := ended.one(t, name); attr(s, KeyTruncated) != "true" {
			t.Errorf("%q does not say that records are missing", name)
		}
	}
	if s := ended.one(t, "run "); attr(s, KeyStep) == "" || s.SpanKind().String() != "consumer" {
		t.Errorf("an end knows its step and kind: %v", s.Attributes())
	}
}

func overflow(l *Lane) {
	for range 5 * blockLen {
		l.call(readCall, 7, 1)
	}
}

func TestASpanOpenAcrossAGapSaysSo(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	l := b.thread("t")
	root := l.BeginStory(7, 0)
	whole := l.Enter(inner)
	whole.Exit()
	open := l.Enter(outer)
	l.Flush()
	b.laterOn()
	overflow(l)
	open.Exit()
	l.EndStory(root, false)
	ended := b.finish()
	for name, want := range map[string]string{nameOf(outer): "true", "connection C7": "true", nameOf(inner): ""} {
		if got := attr(ended.one(t, name), KeyTruncated); got != want {
			t.Errorf("%s: story.truncated is %q, want %q", name, got, want)
		}
	}
}

// A reader of the lane must not take for silence what was taken back.
func TestTheFirstSpanAfterAGapSaysHowMuchOfItsThreadIsMissing(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	l, other := b.thread("t"), b.thread("other")
	open := l.Enter(outer)
	l.call(closeCall, 7, 0)
	l.Flush()
	b.laterOn()
	overflow(l)
	l.Flush()
	other.call(closeCall, 8, 0)
	other.Flush()
	b.laterOn()
	l.call(closeCall, 7, 0)
	open.Exit()
	told := int64(0)
	ended := b.finish()
	for i, s := range ended.all("read") {
		if n := number(s, KeyLost); n >= 0 && i == 0 {
			told = n
		} else if n >= 0 {
			t.Errorf("read %d, which follows its like, says that %d are missing", i, n)
		}
	}
	if told == 0 || uint64(told) != b.Dropped() {
		t.Errorf("%d records are told to be missing, %d are", told, b.Dropped())
	}
	for _, s := range append(ended.all("close"), ended.one(t, nameOf(outer))) {
		if number(s, KeyLost) >= 0 {
			t.Errorf("nothing is missing before %v", s.Attributes())
		}
	}
}

// The end is lost; the next record of the thread shows that it was there.
func TestASpanWhoseEndWasTakenBackEndsAtTheNextRecord(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	l := b.thread("t")
	around := l.Enter(outer)
	l.Enter(inner)
	l.Flush()
	b.laterOn()
	l.exit(l.stack[len(l.stack)-1].id)
	overflow(l)
	l.Flush()
	b.laterOn()
	lost := spans(b.sink.Ended()).one(t, nameOf(inner))
	if attr(lost, KeyTruncated) != "true" || attr(lost, KeyUnfinished) != "true" {
		t.Errorf("it does not say that its end is a guess: %v", lost.Attributes())
	}
	around.Exit()
	isChildOf(t, lost, b.finish().one(t, nameOf(outer)))
}

func TestAnOverloadLeavesNothingOpenBehind(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	b.collector.bridge.maxRoots = 100
	l := b.thread("t")
	for i := range 1000 {
		story := l.BeginStory(uint64(i+1), 0)
		turn := l.EnterTurn()
		l.Flush()
		b.laterOn()
		for range 2 * blockLen {
			l.Note("n", 1)
		}
		turn.Exit()
		l.EndStory(story, false)
		for range 2 * blockLen {
			l.Note("n", 1)
		}
	}
	b.laterOn()
	if n := len(b.collector.bridge.open); n > 200 {
		t.Errorf("%d spans are open", n)
	}
	if n := len(b.collector.sources[0].open); n > 8 {
		t.Errorf("%d spans are open on the thread", n)
	}
}

func TestCloseEndsTheCollector(t *testing.T) {
	g := newGate()
	r := New(Config{Blocks: 4, Processors: []sdk.SpanProcessor{g}})
	l := r.Thread("t", 1, 0)
	l.call(readCall, 7, 1)
	l.Flush()
	<-g.at
	before := runtime.NumGoroutine()
	close(g.open)
	r.Close(context.Background())
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() >= before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before Close, %d after", before, runtime.NumGoroutine())
		}
	}
}

// stuck is a sink that takes nothing, for as long as the test lasts.
type stuck struct{ release chan struct{} }

func (s stuck) OnStart(context.Context, sdk.ReadWriteSpan) { <-s.release }
func (stuck) OnEnd(sdk.ReadOnlySpan)                       {}
func (stuck) Shutdown(context.Context) error               { return nil }
func (stuck) ForceFlush(context.Context) error             { return nil }

func TestASinkThatTakesNothingDoesNotHoldUpTheEnd(t *testing.T) {
	s := stuck{make(chan struct{})}
	defer close(s.release)
	r := New(Config{Processors: []sdk.SpanProcessor{s}})
	l := r.Thread("w", 1, 0)
	l.Enter(0).Exit()
	l.End()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Close(ctx); !errors.Is(err, ErrStuck) {
		t.Errorf("it ended with %v, want %v", err, ErrStuck)
	}
}
