package chrome_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/internal/step"
	record "envoywalk/trace"
	"envoywalk/trace/chrome"
	"envoywalk/trace/saved"
)

var accept = &record.Syscall{Name: "accept4", HasFD: true, MakesFD: true, ErrnoName: func(int) string { return "EAGAIN" },
	Format: func(fd func(int64) string, r *record.Record) string { return fd(r.Args[0]) }}

// aRun has a post that runs and one that does not, a thread that is created, a connection and a note.
func aRun(r *record.Recorder) {
	main := r.Thread("main_thread", 100, 0)
	defer main.End()
	create := main.Enter(step.PthreadCreate)
	worker := r.Thread("wrk:worker_0", 101, main.Current())
	defer worker.End()
	create.Exit()
	post := posted(main, "worker_0")
	posted(main, "worker_0")
	main.Flush()
	turn := worker.EnterTurn()
	run := worker.EnterRun(step.AddListenerToWorker, "worker_0", "echo", post)
	worker.Note("paused", 24)
	run.Exit()
	worker.Call(accept, 0, worker.Now(), [4]int64{5}, 26, "")
	worker.LabelConnection(26, 1)
	story := worker.BeginStory(1, worker.LastID())
	for range 2 {
		worker.EnterStory(story, step.OnReadReady).On(26).Exit()
	}
	worker.EndStory(story, false)
	turn.Exit()
}

func posted(l *record.Lane, to string) uint64 {
	id, at := l.Posting()
	l.Posted(id, at, step.AddListenerToWorker, to, "echo", record.PostOutcome{Queued: 1})
	return id
}

func chromeOf(t *testing.T, tell func(*record.Recorder)) (string, *drawn) {
	t.Helper()
	out := bytes.NewBufferString(chrome.Head)
	r := record.New(record.Config{Service: "a run", Processors: []sdk.SpanProcessor{chrome.New(out)}})
	tell(r)
	if _, err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String(), draw(t, out.String())
}

func TestThreadsAreTracksAndCausesAreArrows(t *testing.T) {
	_, d := chromeOf(t, aRun)
	d.allEnded(t)
	if d.threads["main_thread"] != (row{100, 100}) || d.threads["wrk:worker_0"] != (row{100, 101}) || len(d.threads) != 2 {
		t.Errorf("threads %v", d.threads)
	}
	for category, want := range map[string][2]flow{
		"post 1":               {{slice: "post worker_0"}, {slice: "run worker_0"}},
		"thread 1099511627777": {{slice: "ThreadFactoryImplPosix::createThread"}, {slice: "thread wrk:worker_0"}},
		"accept 1099511627778": {{slice: "accept4"}, {slice: "ConnectionImpl::onReadReady"}},
	} {
		if d.starts[category].slice != want[0].slice || d.ends[category].slice != want[1].slice {
			t.Errorf("%s: from %v to %v", category, d.starts[category], d.ends[category])
		}
	}
	if _, halves := d.flows("post"); halves != 1 || len(d.ends) != 3 || len(d.starts) != 4 {
		t.Errorf("from %v to %v", d.starts, d.ends)
	}
	if n, ok := d.stories["1"]; n != 0 || !ok {
		t.Errorf("connections %v", d.stories)
	}
	if a := d.args["post worker_0"]; a["dispatcher.post.id"] != 2.0 || a["walk.kind"] != "post" || a["dispatcher.running"] != false {
		t.Errorf("args %v", a)
	}
}

func TestWhatIsLearntAtTheEndStandsAtTheEnd(t *testing.T) {
	text, _ := chromeOf(t, aRun)
	for line := range strings.Lines(text) {
		if strings.Contains(line, "run worker_0") && strings.Contains(line, `"note.paused":24`) != strings.Contains(line, `"ph":"E"`) {
			t.Error(line)
		}
	}
}

// Whoever kills the program leaves a list without its bracket, which viewers accept; all that was written
// before is there.
func TestAFileThatWasCutOffIsStillAList(t *testing.T) {
	text, whole := chromeOf(t, aRun)
	at := 0
	for line := range strings.Lines(text) {
		at += len(line)
		if line != "]\n" {
			if d := draw(t, text[:at]+"]"); d.slices > whole.slices {
				t.Error("more than the whole")
			}
		}
	}
	if !strings.HasSuffix(text, "}\n]\n") {
		t.Error("the list is not closed")
	}
	if text, _ := chromeOf(t, func(*record.Recorder) {}); text != chrome.Head+chrome.Tail {
		t.Errorf("an empty trace: %q", text)
	}
}

func TestANewFileKnowsTheNamesAndWhatIsOpen(t *testing.T) {
	_, whole := chromeOf(t, aRun)
	for _, fresh := range []bool{true, false} {
		files := []*bytes.Buffer{bytes.NewBufferString(chrome.Head)}
		var w last = func() *bytes.Buffer { return files[len(files)-1] }
		c := chrome.New(w)
		moved := &at{9, func() {
			c.Reopen(func() bool {
				if fresh {
					w().WriteString(chrome.Tail)
					files = append(files, bytes.NewBufferString(chrome.Head))
				}
				return fresh
			})
		}}
		r := record.New(record.Config{Service: "a run", Processors: []sdk.SpanProcessor{c, moved}})
		aRun(r)
		if _, err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		slices, open := 0, 0
		for _, f := range files {
			d := draw(t, f.String())
			slices += d.slices
			if f != w() {
				for _, stack := range d.open {
					open += len(stack)
				}
				continue
			}
			if d.allEnded(t); len(d.threads) != 2 {
				t.Errorf("threads %v", d.threads)
			}
		}
		if slices-open != whole.slices || fresh != (open > 0) {
			t.Errorf("%d slices, %d of them open at the change, of %d", slices, open, whole.slices)
		}
	}
}

// last is a writer into the last of some files.
type last func() *bytes.Buffer

func (l last) Write(p []byte) (int, error) { return l().Write(p) }

// at does something when the n-th span ends.
type at struct {
	n  int
	do func()
}

func (a *at) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (a *at) ForceFlush(context.Context) error           { return nil }
func (a *at) Shutdown(context.Context) error             { return nil }
func (a *at) OnEnd(sdk.ReadOnlySpan) {
	if a.n--; a.n == 0 {
		a.do()
	}
}

// Another program's spans overlap as they like. A row holds only what nests.
func TestSpansThatOverlapStandOnRowsOfTheirOwn(t *testing.T) {
	span := func(id, parent int, from, to int) string {
		return fmt.Sprintf(`{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"%016x","parentSpanId":"%016x","name":"s%d",`+
			`"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}`, id, parent, id, from, to)
	}
	s, err := saved.Read(strings.NewReader(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":` +
		`{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[` + strings.Join([]string{span(1, 0, 100, 200), span(2, 1, 100, 150),
		span(3, 1, 120, 190), span(4, 3, 150, 160), span(5, 9, 199, 300), span(6, 0, 200, 200)}, ",") + `]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.NewBufferString(chrome.Head)
	p := chrome.New(out)
	s.Play(p)
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := draw(t, out.String())
	d.allEnded(t)
	if d.slices != 6 || len(d.threads) != 2 || d.threads["shop (2)"] == d.threads["shop"] {
		t.Errorf("%d slices on %v", d.slices, d.threads)
	}
}

// Records may be lost: ends that never come, and begins.
func TestLostEndsLeaveNoSliceAcrossAnother(t *testing.T) {
	out := bytes.NewBufferString(chrome.Head)
	p := chrome.New(out)
	tracer := sdk.NewTracerProvider(sdk.WithSpanProcessor(p)).Tracer("test")
	zero := time.Unix(1, 0)
	begin := func(parent context.Context, name string, ns int, kvs ...attribute.KeyValue) (context.Context, trace.Span) {
		return tracer.Start(parent, name, trace.WithTimestamp(zero.Add(time.Duration(ns))), trace.WithAttributes(append(kvs,
			record.KeyKind.String("function"), record.KeyThreadName.String("main"), record.KeyThreadID.Int(7))...))
	}
	outer, outerSpan := begin(t.Context(), "outer", 0)
	lost, lostSpan := begin(outer, "its end comes late", 10)
	begin(lost, "its end never comes", 20)
	_, next := begin(outer, "next", 30, attribute.Float64("nan", math.NaN()), attribute.Float64("half", 0.5),
		attribute.StringSlice("list", []string{"\xff"}))
	next.End(trace.WithTimestamp(zero.Add(25))) // the clock went back
	begin(t.Context(), "its parent is not known", 40)
	lostSpan.End(trace.WithTimestamp(zero.Add(50)))
	outerSpan.End(trace.WithTimestamp(zero.Add(60)))
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := draw(t, out.String())
	d.allEnded(t)
	if a := d.args["next"]; d.slices != 5 || a["nan"] != "NaN" || a["half"] != 0.5 || a["list"] != `["\ufffd"]` {
		t.Errorf("%d slices, %v", d.slices, a)
	}
}

type broken struct{ writes int }

var errFull = errors.New("no space left on device")

func (b *broken) Write([]byte) (int, error) { b.writes++; return 0, errFull }

func TestTheWritersErrorComesBack(t *testing.T) {
	var b broken
	p := chrome.New(&b)
	_, s := sdk.NewTracerProvider(sdk.WithSpanProcessor(p)).Tracer("").Start(t.Context(), "x")
	s.End()
	if err := p.Shutdown(t.Context()); !errors.Is(err, errFull) || !errors.Is(p.ForceFlush(t.Context()), errFull) || b.writes != 1 {
		t.Error(err, b.writes)
	}
}
