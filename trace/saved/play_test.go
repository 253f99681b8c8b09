package saved_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/internal/step"
	record "envoywalk/trace"
	"envoywalk/trace/otlp"
	"envoywalk/trace/saved"
)

// heard writes down what a processor is told.
type heard struct{ lines []string }

// OnStart implements sdk.SpanProcessor.
func (h *heard) OnStart(_ context.Context, s sdk.ReadWriteSpan) { h.write("begins", s) }

// OnEnd implements sdk.SpanProcessor.
func (h *heard) OnEnd(s sdk.ReadOnlySpan) { h.write("ends", s) }

// ForceFlush implements sdk.SpanProcessor.
func (h *heard) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdk.SpanProcessor.
func (h *heard) Shutdown(context.Context) error { return nil }

func (h *heard) write(what string, s sdk.ReadOnlySpan) {
	var links []string
	for _, l := range s.Links() {
		links = append(links, l.SpanContext.TraceID().String()+" "+l.SpanContext.SpanID().String())
	}
	ended := int64(0)
	if !s.EndTime().IsZero() {
		ended = s.EndTime().UnixNano()
	}
	c, p := s.SpanContext(), s.Parent()
	h.lines = append(h.lines, fmt.Sprint(what, " ", s.Name(), " ", c.TraceID(), c.SpanID(), p.TraceID(), p.SpanID(),
		s.SpanKind(), s.StartTime().UnixNano(), ended, s.Attributes(), links, s.Status(), s.Resource().Attributes(),
		s.InstrumentationScope().Name))
}

// The calls of the run below, as a kernel door would define them.
var (
	writeCall = call("write", record.Syscall{HasFD: true})
	waitCall  = call("epoll_pwait", record.Syscall{HasFD: true, Waits: true})
	acceptCal = call("accept4", record.Syscall{HasFD: true, MakesFD: true})
)

func call(name string, c record.Syscall) *record.Syscall {
	c.Name = name
	c.Format = func(fd func(int64) string, r *record.Record) string { return fd(r.Args[0]) }
	c.ErrnoName = func(n int) string { return map[int]string{11: "EAGAIN", 104: "ECONNRESET"}[n] }
	return &c
}

type address string

func (a address) String() string { return string(a) }

// aRun has what is learnt only while a span is open: a wake, a note, addresses, a failure, no end.
func aRun(r *record.Recorder) {
	main, worker := r.Thread("main_thread", 100, 0), r.Thread("wrk:worker_0", 0, 0)
	defer worker.End()
	worker.Adopt(101)
	loop := worker.Enter(step.DispatcherRun).Of("worker_0")
	turn := worker.EnterTurn()
	post, at := main.Posting()
	main.Posted(post, at, step.AddListenerToWorker, "worker_0", "echo", record.PostOutcome{Queued: 1, Running: true, Woke: true})
	main.Call(writeCall, 0, main.Now(), [4]int64{9}, 8, "")
	worker.Call(waitCall, 0, worker.Now(), [4]int64{7}, 1, "")
	worker.Cause(main.LastID())
	run := worker.EnterRun(step.AddListenerToWorker, "worker_0", "echo", post)
	worker.Note("paused by", 24)
	run.Exit()
	worker.Call(acceptCal, 0, worker.Now(), [4]int64{5}, 26, "")
	worker.LabelConnection(26, 1)
	story := worker.BeginStory(1, worker.LastID())
	worker.Endpoints(story, address("127.0.0.1:7"), address("127.0.0.1:8"))
	read := worker.EnterStory(story, step.OnReadReady).On(26)
	worker.Call(writeCall, 0, worker.Now(), [4]int64{26}, -104, "")
	worker.Later(7, "http")
	read.Exit()
	worker.EndStory(story, true)
	turn.Exit()
	loop.Exit()
	main.Enter(step.RunPostCallbacks) // never left: the program stops in it
}

func TestASavedRunIsPlayedJustAsItWas(t *testing.T) {
	var live heard
	var lines, otlpLines bytes.Buffer
	e, err := stdouttrace.New(stdouttrace.WithWriter(&lines))
	if err != nil {
		t.Fatal(err)
	}
	r := record.New(record.Config{Service: "a run", Processors: []sdk.SpanProcessor{&live,
		sdk.NewSimpleSpanProcessor(e), sdk.NewSimpleSpanProcessor(otlp.New(&otlpLines))}})
	aRun(r)
	if _, err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]*bytes.Buffer{"json": &lines, "otlp": &otlpLines} {
		got, err := saved.Read(text)
		if err != nil {
			t.Fatal(name, err)
		}
		var played heard
		got.Play(&played)
		if !slices.Equal(played.lines, live.lines) {
			t.Errorf("%s:\nplayed\n%s\nlive\n%s", name, strings.Join(played.lines, "\n"), strings.Join(live.lines, "\n"))
		}
		if len(played.lines) < 25 || got.Service != "a run" {
			t.Errorf("%s: %d calls, %q", name, len(played.lines), got.Service)
		}
	}
}

var errWrite = errors.New("a processor writes")

// writer is a processor that writes into the span, as processors may.
type writer struct{ heard }

func (w *writer) OnStart(ctx context.Context, s sdk.ReadWriteSpan) {
	s.SetName("other")
	s.RecordError(errWrite)
	s.End()
	if !s.IsRecording() || len(s.Events()) > 0 {
		w.lines = append(w.lines, "it was taken")
	}
	w.heard.OnStart(ctx, s)
}

func TestWhatAProcessorWritesIsNotKept(t *testing.T) {
	got, err := saved.Read(strings.NewReader(line(1, seq(1))))
	if err != nil {
		t.Fatal(err)
	}
	var w writer
	got.Play(&w)
	if len(w.lines) != 2 || !strings.HasPrefix(w.lines[0], "begins span 1") || !strings.HasPrefix(w.lines[1], "ends span 1") {
		t.Error(w.lines)
	}
}
