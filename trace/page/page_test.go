package page

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"envoywalk/internal/step"
	record "envoywalk/trace"
)

// said is a span as a line, so that two can be compared.
func said(s sdk.ReadOnlySpan) string {
	var attrs []string
	for _, kv := range s.Attributes() {
		attrs = append(attrs, fmt.Sprintf("%s=%s:%s", kv.Key, kv.Value.Type(), kv.Value.Emit()))
	}
	slices.Sort(attrs)
	var links []string
	for _, l := range s.Links() {
		links = append(links, l.SpanContext.TraceID().String()+l.SpanContext.SpanID().String())
	}
	return fmt.Sprintln(s.Name(), s.SpanKind(), s.SpanContext().TraceID(), s.SpanContext().SpanID(),
		s.Parent().SpanID(), s.Parent().TraceID(), s.StartTime().UnixNano(), s.EndTime().UnixNano(), s.Status(), links, attrs)
}

func seqOf(s sdk.ReadOnlySpan) (n int64) {
	for _, kv := range s.Attributes() {
		if kv.Key == record.KeySeqStart {
			n = kv.Value.AsInt64()
		}
	}
	return n
}

// aRun records some of everything.
func aRun(t *testing.T, processors ...sdk.SpanProcessor) record.Stats {
	t.Helper()
	r := record.New(record.Config{Service: "envoywalk 04-threading", Processors: processors})
	main := r.Thread("main_thread", 10, 0)
	run := main.Enter(step.ListenerManagerStartWorkers)
	id, at := main.Posting()
	main.Posted(id, at, step.WorkerAddListener, "worker_0", "echo", record.PostOutcome{Queued: 1})
	main.Note("surprise", 7)
	worker := r.Thread("wrk:worker_0", 11, main.Current())
	run.Exit()
	turn := worker.EnterTurn()
	ran := worker.EnterRun(step.WorkerAddListener, "worker_0", "echo", id)
	worker.Label(12, "echo/w0")
	worker.Enter(step.OnSocketEvent).Of("</script>\x1b\xff").On(12).Exit()
	ran.Exit()
	story := worker.BeginStory(1, worker.LastID())
	worker.EnterStory(story, step.OnAccept).Exit()
	worker.EndStory(story, true)
	turn.Exit()
	worker.End()
	main.End()
	stats, err := r.Close(context.Background())
	if err != nil || stats.Dropped > 0 {
		t.Fatal(stats, err)
	}
	return stats
}

func TestAPageHoldsEverySpanWhole(t *testing.T) {
	var b bytes.Buffer
	p := NewRecording(&b, time.Time{})
	kept := tracetest.NewSpanRecorder()
	p.Stats(aRun(t, p, kept))
	ended := kept.Ended()
	slices.SortStableFunc(ended, func(x, y sdk.ReadOnlySpan) int { return int(seqOf(x) - seqOf(y)) })
	spans, _, err := Read(strings.NewReader(string(Document("")) + b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if len(spans) != len(ended) || len(spans) < 9 {
		t.Fatalf("%d spans of %d", len(spans), len(ended))
	}
	for i := range spans {
		if got, want := said(spans[i]), said(ended[i]); got != want {
			t.Errorf("read\n%s of\n%s", got, want)
		}
	}
}
