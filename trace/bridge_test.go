package trace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Real threads, the real collector, any processor: per thread the numbers follow the program.
func TestSeqIsUniqueAndFollowsEachThreadsProgram(t *testing.T) {
	sink := tracetest.NewSpanRecorder()
	r := New(Config{Processors: []sdk.SpanProcessor{sink}})
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			l := r.Thread(fmt.Sprintf("t%d", i), i+1, 0)
			for range 200 {
				o := l.Enter(outer)
				l.call(readCall, 7, 1)
				l.Enter(inner).Exit()
				l.call(closeCall, 7, 0)
				o.Exit()
			}
			l.End()
		})
	}
	wg.Wait()
	stats, err := r.Close(context.Background())
	if err != nil || stats.Spans != 3*(1+200*4) || stats.Dropped != 0 {
		t.Fatalf("%+v, %v", stats, err)
	}
	ended := spans(sink.Ended())
	if len(sink.Started()) != len(ended) {
		t.Errorf("%d started, %d ended", len(sink.Started()), len(ended))
	}
	isStrictlyIncreasing(t, sink.Started(), KeySeqStart)
	isStrictlyIncreasing(t, ended, KeySeqEnd)
	for i := range 3 {
		isProgram(t, ended, fmt.Sprintf("t%d", i))
	}
}

// isStrictlyIncreasing: the processor was called in the order that the numbers claim.
func isStrictlyIncreasing[S sdk.ReadOnlySpan](t *testing.T, ss []S, key attribute.Key) {
	t.Helper()
	last := int64(0)
	for _, s := range ss {
		if n := number(s, key); n <= last {
			t.Fatalf("%s of %q is %d, after %d", key, s.Name(), n, last)
		} else {
			last = n
		}
	}
}

func isProgram(t *testing.T, ss spans, thread string) {
	t.Helper()
	var names []string
	last := int64(-1)
	mine := slices.DeleteFunc(slices.Clone(ss), func(s sdk.ReadOnlySpan) bool { return attr(s, KeyThreadName) != thread })
	slices.SortFunc(mine, func(a, b sdk.ReadOnlySpan) int { return int(number(a, KeySeqStart) - number(b, KeySeqStart)) })
	for _, s := range mine {
		if number(s, KeySeqStart) <= last || number(s, KeySeqEnd) < number(s, KeySeqStart) {
			t.Fatalf("%q goes from %d to %d, after %d", s.Name(), number(s, KeySeqStart), number(s, KeySeqEnd), last)
		}
		last = number(s, KeySeqStart)
		names = append(names, s.Name())
	}
	want := []string{"thread " + thread}
	for range 200 {
		want = append(want, nameOf(outer), "read", nameOf(inner), "close")
	}
	if !slices.Equal(names, want) {
		t.Errorf("%s did %v", thread, names)
	}
}

func TestTimesAreTheRecordedOnes(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	began := time.Now()
	turn := l.EnterTurn()
	time.Sleep(5 * time.Millisecond) // a callback that works without a system call
	turn.Exit()
	l.call(readCall, 7, 1)
	ended := time.Now()
	l.End()
	ss := b.finish()
	s := ss.one(t, "turn")
	if d := s.EndTime().Sub(s.StartTime()); d < 5*time.Millisecond {
		t.Errorf("a turn of at least 5 ms lasts %v", d)
	}
	if s.StartTime().Before(began) || s.EndTime().After(ended) {
		t.Errorf("it goes from %v to %v", s.StartTime(), s.EndTime())
	}
	for _, s := range ss {
		if s.EndTime().Before(s.StartTime()) {
			t.Errorf("%q ends before it begins", s.Name())
		}
	}
}

func TestOnlyWhatIsNoAnswerIsAnError(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	for _, errno := range []int64{4, 11, 104} {
		l.call(readCall, 7, -errno)
	}
	l.EndStory(l.BeginStory(7, 0), true)
	ss := b.finish()
	for i, want := range []struct {
		errno string
		code  codes.Code
	}{{"EINTR", codes.Unset}, {"EAGAIN", codes.Unset}, {"ECONNRESET", codes.Error}} {
		s := ss.all("read")[i]
		if attr(s, KeyErrorType) != want.errno || s.Status().Code != want.code || attr(s, KeyRet) != "-1" {
			t.Errorf("%v: %v %v", want, s.Status(), s.Attributes())
		}
	}
	if ss.one(t, "connection C7").Status().Code != codes.Error {
		t.Error("a story that failed is an error")
	}
}

func TestTheResourceSaysWhoAndByWhichClock(t *testing.T) {
	b := newBench(Config{Service: "envoywalk 00-event-loop"})
	b.thread("main").End()
	set := b.finish().one(t, "thread main").Resource().Set()
	for key, want := range map[attribute.Key]string{
		"service.name": "envoywalk 00-event-loop", "envoywalk.clock": clockPolicy} {
		if got, _ := set.Value(key); got.AsString() != want {
			t.Errorf("%s is %q, want %q", key, got.AsString(), want)
		}
	}
}

// failing is a processor that cannot shut down.
type failing struct{ *tracetest.SpanRecorder }

func (failing) Shutdown(context.Context) error { return errors.New("disk full") }

func TestCloseReportsWhatTheProcessorsSay(t *testing.T) {
	first, second := failing{tracetest.NewSpanRecorder()}, tracetest.NewSpanRecorder()
	r := New(Config{Processors: []sdk.SpanProcessor{first, second}})
	r.Thread("main", 1, 0).End()
	stats, err := r.Close(context.Background())
	if err == nil || stats.Spans != 1 || len(first.Ended()) != 1 || len(second.Ended()) != 1 {
		t.Errorf("%v, %+v, %d and %d spans", err, stats, len(first.Ended()), len(second.Ended()))
	}
}

func TestWithoutARecorderEverythingIsOff(t *testing.T) {
	var r *Recorder
	l := r.Thread("main", 1, 0)
	if l != nil {
		t.Fatal("a recorder that is not there made a lane")
	}
	l.Enter(outer).Of("x").On(3).Exit()
	l.EnterStory(l.BeginStory(7, l.NextID()), inner).Exit()
	l.EnterTurn().Exit()
	l.EnterEvent(outer, 3, 1).Exit()
	l.EnterTimer("t", true).Exit()
	l.EnterRun(outer, "t", "", l.LastID()).Exit()
	l.EnterDelete(1).Exit()
	id, at := l.Posting()
	l.Posted(id, at, outer, "t", "", PostOutcome{})
	l.Label(3, "x")
	l.LabelConnection(3, 7)
	l.Note("x", 1)
	l.Cause(1)
	l.Later(5, "x")
	l.HandOver(3, "x")
	l.EndStory(7, true)
	l.ReadClock()
	l.Adopt(3)
	l.StartupDone()
	l.Flush()
	l.End()
	if stats, err := r.Close(context.Background()); err != nil || stats != (Stats{}) || r.Dropped() != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}
