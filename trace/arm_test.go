package trace

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// armedBench is a bench that writes down what is heard of the arming.
func armedBench(c Config) (*bench, *[]int64) {
	heard := &[]int64{}
	c.Armed = func(left int64) { *heard = append(*heard, left) }
	return newBench(c), heard
}

// someConnections are connections first to last, one after the other.
func (b *bench) someConnections(l *Lane, first, last int) {
	for n := first; n <= last; n++ {
		connection(l, n, 1, false)
	}
	l.Flush()
	b.laterOn()
}

func TestArmingTellsTheNextConnectionsAndNoOther(t *testing.T) {
	b, heard := armedBench(Config{})
	l := b.thread("worker_0")
	b.someConnections(l, 1, 2)
	b.Arm(3)
	b.someConnections(l, 3, 9)
	b.Arm(0)
	b.someConnections(l, 10, 11)
	b.Arm(-7)
	b.someConnections(l, 12, 13)
	l.End()
	ss := b.finish()
	if kept := fmt.Sprint(toldConnections(ss)); kept != "[1 2 3 4 5 12 13]" {
		t.Errorf("told are %s", kept)
	}
	if got := fmt.Sprint(*heard); got != "[3 2 1 0 0 -1]" {
		t.Errorf("heard was %s", got)
	}
	// A story is a root, a function and two calls.
	if out := b.collector.sampledOut; out != 6*4 {
		t.Errorf("%d spans are counted as left out, want %d", out, 6*4)
	}
	isWhole(t, ss)
}

func TestArmingIsHeardThoughNobodyConnects(t *testing.T) {
	b, heard := armedBench(Config{})
	b.Arm(2)
	b.laterOn()
	if got := fmt.Sprint(*heard); got != "[2]" {
		t.Errorf("heard was %s", got)
	}
	b.finish()
}

// The collector may come to it late: what counts is when Arm was called.
func TestArmingGoesByItsTime(t *testing.T) {
	b, heard := armedBench(Config{})
	l := b.thread("worker_0")
	connection(l, 1, 1, false)
	b.Arm(1)
	connection(l, 2, 1, false)
	connection(l, 3, 1, false)
	l.Flush()
	b.laterOn()
	if kept := fmt.Sprint(toldConnections(b.finish())); kept != "[1 2]" {
		t.Errorf("told are %s", kept)
	}
	if got := fmt.Sprint(*heard); got != "[1 0]" {
		t.Errorf("heard was %s", got)
	}
}

func TestArmingCutsNoStory(t *testing.T) {
	b, _ := armedBench(Config{})
	l := b.thread("worker_0")
	old := l.BeginStory(1, 0)
	part := l.EnterStory(old, inner)
	l.Flush()
	b.laterOn()
	b.Arm(1)
	chosen := l.BeginStory(2, 0)
	left := l.BeginStory(3, 0)
	b.laterOn()
	b.Arm(-1)
	for _, story := range [...]Story{old, chosen, left} {
		l.EnterStory(story, outer).Exit()
		l.EndStory(story, false)
	}
	l.call(closeCall, 7, 0) // in part, whose story has ended
	part.Exit()
	l.End()
	ss := b.finish()
	if kept := fmt.Sprint(toldConnections(ss)); kept != "[1 2]" {
		t.Errorf("told are %s", kept)
	}
	if n := len(ss.all(nameOf(outer))); n != 2 {
		t.Errorf("%d functions are told, want one for each story that is told", n)
	}
	isChildOf(t, ss.one(t, "close"), ss.one(t, nameOf(inner)))
	isWhole(t, ss)
}

func TestWhatFailsIsToldThoughItWasNotArmed(t *testing.T) {
	b, heard := armedBench(Config{})
	l := b.thread("worker_0")
	b.Arm(0)
	connection(l, 1, 1, false)
	connection(l, 2, -104, false)
	connection(l, 3, 1, true)
	l.End()
	ss := b.finish()
	if kept := fmt.Sprint(toldConnections(ss), *heard); kept != "[2 3] [0]" {
		t.Errorf("told and heard are %s", kept)
	}
	isWhole(t, ss)
}

func TestArmingGoesBackToWhatSamplingKeeps(t *testing.T) {
	b, _ := armedBench(Config{Sample: Sample{First: 1, Every: 4}})
	l := b.thread("worker_0")
	b.someConnections(l, 1, 6)
	b.Arm(1)
	b.someConnections(l, 7, 10)
	b.Arm(-1)
	b.someConnections(l, 11, 14)
	l.End()
	if kept := fmt.Sprint(toldConnections(b.finish())); kept != "[1 5 7 13]" {
		t.Errorf("told are %s", kept)
	}
}

func TestTheProgramsOwnConnectionsAreNotCounted(t *testing.T) {
	b, heard := armedBench(Config{})
	main, l := b.thread("main_thread"), b.thread("worker_0")
	main.OwnStories()
	b.Arm(1)
	b.someConnections(main, 1, 2)
	b.someConnections(l, 3, 4)
	b.someConnections(main, 5, 5)
	main.End()
	l.End()
	if kept := fmt.Sprint(toldConnections(b.finish()), *heard); kept != "[1 2 3 5] [1 0]" {
		t.Errorf("told and heard are %s", kept)
	}
}

// Its begin was taken back: nobody knows whether it was armed, and all are told again.
func TestAStoryWhoseBeginWasLostIsToldOnceAllAre(t *testing.T) {
	b, _ := armedBench(Config{})
	l := b.thread("worker_0")
	b.Arm(0)
	b.laterOn()
	l.EnterStory(Story(1), inner).Exit()
	l.Flush()
	b.laterOn()
	if n := len(spans(b.sink.Ended()).all(nameOf(inner))); n != 0 {
		t.Errorf("%d parts are told, and nobody is armed", n)
	}
	b.Arm(-1)
	b.laterOn()
	l.EnterStory(Story(2), outer).Exit()
	l.Flush()
	b.laterOn()
	spans(b.sink.Ended()).one(t, nameOf(outer))
	l.End()
	b.finish()
}

func TestArmingForgetsWhatItLeftOut(t *testing.T) {
	b, _ := armedBench(Config{Blocks: 64})
	s := &b.collector.bridge.sample
	s.order = make([]Story, 100)
	l := b.thread("worker_0")
	b.Arm(500)
	for n := range 10 {
		b.someConnections(l, n*100+1, n*100+100)
	}
	l.End()
	b.finish()
	if len(s.decided) > 100 || len(s.waiting) > 0 || b.Dropped() > 0 || s.out != 500*4 {
		t.Errorf("%d decisions, %d stories waiting, %d dropped, %d spans left out", len(s.decided), len(s.waiting),
			b.Dropped(), s.out)
	}
}

// With the collector's own goroutine, armed from many others.
func TestArmingFromAnyGoroutine(t *testing.T) {
	heard := make(chan int64, 1000)
	r := New(Config{Armed: func(left int64) { heard <- left }})
	l := r.Thread("worker_0", 1, 0)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 100 {
				r.Arm(int64(n))
			}
		})
	}
	for n := range 100 {
		connection(l, n, 1, false)
		l.Flush()
	}
	all.Wait()
	r.Arm(42)
	for deadline := time.After(10 * time.Second); ; {
		select {
		case left := <-heard:
			if left != 42 {
				continue
			}
			l.End()
			r.Close(t.Context())
			return
		case <-deadline:
			t.Fatal("never heard")
		}
	}
}

func TestANilRecorderIsArmedInVain(t *testing.T) {
	var r *Recorder
	r.Arm(3)
	var l *Lane
	l.OwnStories()
}
