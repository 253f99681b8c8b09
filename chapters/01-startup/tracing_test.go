package startup

import (
	"context"
	"errors"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/internal/step"
	"envoywalk/trace"
)

// slow takes a span in its own time, or never.
type slow struct {
	sdk.SpanProcessor
	each  time.Duration
	stuck chan struct{}
}

func (s slow) OnStart(context.Context, sdk.ReadWriteSpan) {}

func (s slow) OnEnd(sdk.ReadOnlySpan) {
	if s.stuck != nil {
		<-s.stuck
	}
	time.Sleep(s.each)
}

func (slow) Shutdown(context.Context) error   { return nil }
func (slow) ForceFlush(context.Context) error { return nil }

// closing closes a trace of 40 spans.
func closing(s slow, patience time.Duration) (trace.Stats, error) {
	tr := &tracing{recorder: trace.New(trace.Config{Processors: []sdk.SpanProcessor{s}})}
	lane := tr.recorder.Thread("main", 1, 0)
	for range 39 {
		lane.Enter(step.Main).Exit()
	}
	lane.End()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go tr.watch(ctx, cancel, patience)
	return tr.recorder.Close(ctx)
}

// Its 40 spans take longer than its patience lasts, but not one of them does.
func TestASlowSinkIsWaitedForAsLongAsItTakesSomething(t *testing.T) {
	stats, err := closing(slow{each: 25 * time.Millisecond}, 500*time.Millisecond)
	if err != nil || stats.Spans != 40 {
		t.Errorf("%d spans were told, %v", stats.Spans, err)
	}
}

func TestAStuckSinkIsGivenUp(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	if _, err := closing(slow{stuck: gate}, 300*time.Millisecond); !errors.Is(err, trace.ErrStuck) {
		t.Error(err)
	}
}
