package grade

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/scripts/book/exercise"
	"envoywalk/trace/saved"
)

// servedOn is a run in which each of the threads served a connection, in this order.
func servedOn(threads ...string) *Story {
	t := &saved.Trace{}
	for i, name := range threads {
		stub := tracetest.SpanStub{
			SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
				TraceID: trace.TraceID{1}, SpanID: trace.SpanID{byte(i + 1)}}),
			Attributes: []attribute.KeyValue{attribute.String("walk.step", "active-tcp-connection-ctor"),
				attribute.String("thread.name", name)},
		}
		t.Spans = append(t.Spans, sdk.ReadOnlySpan(stub.Snapshot()))
	}
	return newStory(t)
}

func TestTimesCountsOnlyTheValuesThatSoManySpansHave(t *testing.T) {
	story := servedOn("wrk:worker_0", "wrk:worker_1", "wrk:worker_0", "wrk:worker_1", "wrk:worker_2")
	for times, want := range map[int]int{0: 3, 1: 1, 2: 2, 3: 0} {
		q := &exercise.Spans{Step: "active-tcp-connection-ctor", Distinct: "thread.name", Times: times}
		if n, _ := story.count(q); n != want {
			t.Errorf("times %d: %d threads, not %d", times, n, want)
		}
	}
}

func TestACheckThatRejectsTheRightProgramIsToldSo(t *testing.T) {
	say := exercise.Words{En: "nothing was wrong", Zh: "没有错"}
	e := &exercise.Exercise{LooksLike: []exercise.Likely{{Check: "served"}, {Check: "right", Say: say}}}
	if got := tooStrict(e); got != say {
		t.Errorf("told %q", got.En)
	}
	if got := tooStrict(&exercise.Exercise{}); got.En != "" {
		t.Errorf("without an entry: %q", got.En)
	}
}

func TestTheLastWordOfAProgramIsNotWhatItSaysOfItsTrace(t *testing.T) {
	for text, want := range map[string]string{
		"a\n  hint: b\ntrace: wrote 20 spans, 32 kB\n": "hint: b",
		"a\nb\n": "b", "trace: wrote 1 span, 2 kB": "trace: wrote 1 span, 2 kB", "": "",
	} {
		if got := lastLine(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}
