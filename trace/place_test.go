package trace_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"envoywalk/internal/step"
	"envoywalk/trace"
)

// These functions stand for chapters: package trace itself is left out of every place.

func deferred(l *trace.Lane) { // line: deferred

	defer l.Enter(step.DispatcherRun).Exit()
}

// inlinedAway is small enough for the compiler to put it into its caller.
func inlinedAway(l *trace.Lane) {

	l.Enter(step.RunPostCallbacks) // line: inlinedAway
}

func named(l *trace.Lane) { // line: named
	defer l.Enter(step.DispatcherCtor).Of("x").On(3).Exit()
}

func everyDoor(l *trace.Lane) {
	story := l.BeginStory(7, 0)                               // line: story
	l.EnterStory(story, step.LibeventSchedulerRun).Exit()     // line: part
	l.EnterTurn().Exit()                                      // line: turn
	l.EnterEvent(step.FileEventLibeventCallback, 7, 1).Exit() // line: event
	l.EnterTimer("t", false).Exit()                           // line: timer
	l.EnterRun(step.None, "r", "", 0).Exit()                  // line: run
	l.EnterDelete(1).Exit()                                   // line: delete
	id, at := l.Posting()
	l.Posted(id, at, step.None, "p", "", trace.PostOutcome{}) // line: post
	l.Later(5, "accept")                                      // line: later
	l.HandOver(7, "net/http")                                 // line: handover
	door(l)                                                   // line: door
	l.EndStory(story, false)
}

// door stands for the kernel door.
//
//go:noinline
func door(l *trace.Lane) {
	l.Call(&doorCall, trace.CallerPC(), l.Now(), [4]int64{7}, 0, "")
}

var doorCall = trace.Syscall{Name: "door",
	Format:    func(func(int64) string, *trace.Record) string { return "" },
	ErrnoName: func(int) string { return "" }}

// A function points at its declaration, a door at the line that went through it.
func TestEverySpanPointsAtItsOwnFunctionAndLine(t *testing.T) {
	spans := record(func(l *trace.Lane) {
		deferred(l)
		inlinedAway(l)
		named(l)
		everyDoor(l)
	})
	source, err := os.ReadFile("place_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ span, function, marker string }{
		{step.DispatcherRun.String(), "deferred", "deferred"},
		{step.RunPostCallbacks.String(), "inlinedAway", "inlinedAway"},
		{step.DispatcherCtor.String(), "named", "named"},
		{"connection C7", "everyDoor", "story"},
		{step.LibeventSchedulerRun.String(), "everyDoor", "part"},
		{"turn", "everyDoor", "turn"},
		{step.FileEventLibeventCallback.String(), "everyDoor", "event"},
		{"timer t", "everyDoor", "timer"},
		{"run r", "everyDoor", "run"},
		{"deferred delete", "everyDoor", "delete"},
		{"post p", "everyDoor", "post"},
		{"later: accept", "everyDoor", "later"},
		{"hand over to net/http", "everyDoor", "handover"},
		{"door", "everyDoor", "door"},
	} {
		s := find(t, spans, want.span)
		line := lineOf(t, source, want.marker)
		if got := value(s, trace.KeyFunction).AsString(); got != "envoywalk/trace_test."+want.function {
			t.Errorf("%s: function is %q, want %q", want.span, got, want.function)
		}
		if got := value(s, trace.KeyLine).AsInt64(); got != line {
			t.Errorf("%s: line is %d, want %d", want.span, got, line)
		}
		if got := value(s, trace.KeyFile).AsString(); got != "trace/place_test.go" {
			t.Errorf("%s: file is %q", want.span, got)
		}
	}
}

func record(walk func(*trace.Lane)) []sdk.ReadOnlySpan {
	sink := tracetest.NewSpanRecorder()
	r := trace.New(trace.Config{Processors: []sdk.SpanProcessor{sink}})
	l := r.Thread("main", 1, 0)
	walk(l)
	l.End()
	r.Close(context.Background())
	return sink.Ended()
}

func find(t *testing.T, spans []sdk.ReadOnlySpan, name string) sdk.ReadOnlySpan {
	t.Helper()
	for _, s := range spans {
		if s.Name() == name {
			return s
		}
	}
	t.Fatalf("no span is called %q", name)
	return nil
}

func value(s sdk.ReadOnlySpan, key attribute.Key) attribute.Value {
	for _, kv := range s.Attributes() {
		if kv.Key == key {
			return kv.Value
		}
	}
	return attribute.Value{}
}

// lineOf is the line of this file that ends in the marker.
func lineOf(t *testing.T, source []byte, marker string) int64 {
	t.Helper()
	for i, line := range bytes.Split(source, []byte("\n")) {
		if strings.HasSuffix(string(line), "// line: "+marker) {
			return int64(i + 1)
		}
	}
	t.Fatalf("no line is marked %q", marker)
	return 0
}
