package mermaid_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/internal/step"
	record "envoywalk/trace"
	"envoywalk/trace/mermaid"
)

var (
	epoll  = call("epoll_pwait", false)
	listen = call("listen", false)
	accept = call("accept4", true)
	read   = call("read", false)
)

func call(name string, makes bool) *record.Syscall {
	return &record.Syscall{Name: name, HasFD: true, MakesFD: makes,
		Format:    func(fd func(int64) string, r *record.Record) string { return fd(r.Args[0]) },
		ErrnoName: func(n int) string { return map[int]string{11: "EAGAIN", 98: "EADDRINUSE"}[n] }}
}

func posted(l *record.Lane, s step.Step, to string) uint64 {
	id, at := l.Posting()
	l.Posted(id, at, s, to, "", record.PostOutcome{Queued: 1})
	return id
}

func diagram(t *testing.T, o mermaid.Options, tell func(main, worker *record.Lane)) string {
	t.Helper()
	var out strings.Builder
	r := record.New(record.Config{Service: "a run", Processors: []sdk.SpanProcessor{mermaid.New(&out, o)}})
	main := r.Thread("main_thread", 100, 0)
	create := main.Enter(step.PthreadCreate)
	worker := r.Thread("wrk:worker_0", 101, main.Current())
	create.Exit()
	tell(main, worker)
	main.End()
	worker.End()
	if _, err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestThreadsArePeopleAndPostsAreArrows(t *testing.T) {
	got := diagram(t, mermaid.Options{}, func(main, worker *record.Lane) {
		loop := worker.Enter(step.DispatcherRun).Of("loop 0")
		post := posted(main, step.AddListenerToWorker, "loop 0")
		main.Flush()
		run := worker.EnterRun(step.AddListenerToWorker, "loop 0", "", post)
		worker.Label(5, "echo/w0")
		worker.Call(listen, 0, worker.Now(), [4]int64{5}, 0, "")
		worker.Call(epoll, 0, worker.Now(), [4]int64{7}, 1, "")
		worker.Call(read, 0, worker.Now(), [4]int64{8}, 8, "")
		posted(worker, step.None, "nobody's")
		run.Exit()
		worker.Later(5, "more; and # <more>")
		loop.Exit()
	})
	want := `sequenceDiagram
    participant t0 as main
    participant t1 as worker_0
    participant t2 as nobody's
    t0-)t1: thread wrk:worker_0 begins, tid 101
    t0-)t1: post #35;1 addListenerToWorker
    t1->>t1: listen(5#60;echo/w0#62;) = 0
    t1-)t2: post #35;2
    Note over t1: later (chapter 05): more#59; and #35; #60;more#62;
    Note over t0: left out: 2 system calls
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestWhatTheChapterAddsGoesFirstAndTheRestIsCounted(t *testing.T) {
	got := diagram(t, mermaid.Options{Chapter: "05-", Most: 6}, func(main, worker *record.Lane) {
		main.Label(5, "echo")
		for range 20 {
			main.Call(listen, 0, main.Now(), [4]int64{5}, 0, "")
			posted(main, step.None, "worker_0")
		}
		main.Call(listen, 0, main.Now(), [4]int64{5}, -98, "")
		own := main.Enter(step.OnReadReady)
		for fd := range int64(3) {
			main.Call(accept, 0, main.Now(), [4]int64{5}, fd+20, "")
		}
		main.Call(accept, 0, main.Now(), [4]int64{5}, -11, "")
		own.Exit()
	})
	if n := strings.Count(got, "accept4("); n != 3 || strings.Count(got, "EADDRINUSE") != 1 || strings.Count(got, "\n") != 10 {
		t.Errorf("%d of the chapter's own\n%s", n, got)
	}
	if want := "Note over t0: left out: 19 posts, 21 system calls"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

func TestADiagramOfManyEventsHasSixtyMessages(t *testing.T) {
	got := diagram(t, mermaid.Options{}, func(main, _ *record.Lane) {
		for i := range 1000 {
			posted(main, step.None, fmt.Sprint("d", i%3))
		}
	})
	if n := len(regexp.MustCompile(`t\d+-\)t\d+:`).FindAllString(got, -1)); n != 60 || !strings.Contains(got, "left out: 941 posts") {
		t.Errorf("%d messages\n%s", n, got)
	}
}

func TestNoTextIsTakenForMermaid(t *testing.T) {
	got := diagram(t, mermaid.Options{}, func(main, _ *record.Lane) {
		main.Later(5, "a;b#c%%{init: {}}%%\nend\nstyle x:y#1; classDef\u2028é漢🙂"+strings.Repeat("z", 200))
		posted(main, step.None, "evil\nparticipant x")
		posted(main, step.None, " ")
	})
	for _, line := range strings.Split(got, "\n")[1:] {
		line = regexp.MustCompile(`#\d+;`).ReplaceAllString(line, "")
		if strings.ContainsAny(line, "#;%{}\"<&") && !strings.Contains(line, "->>") || len([]rune(line)) > 130 ||
			strings.Contains(line, "style") {
			t.Errorf("%q", line)
		}
	}
	if !strings.Contains(got, "é漢#128578;") && !strings.Contains(got, "…") || !strings.Contains(got, " as ?\n") {
		t.Errorf("%s", got)
	}
}

func TestNothingToShowIsSaid(t *testing.T) {
	var out strings.Builder
	if err := mermaid.New(&out, mermaid.Options{}).Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := "sequenceDiagram\n    participant t0 as ?\n    Note over t0: nothing to show\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

type broken struct{}

var errFull = errors.New("no space left on device")

func (broken) Write([]byte) (int, error) { return 0, errFull }

func TestTheWritersErrorComesBack(t *testing.T) {
	d := mermaid.New(broken{}, mermaid.Options{})
	_, s := sdk.NewTracerProvider(sdk.WithSpanProcessor(d)).Tracer("").Start(context.Background(), "x")
	s.SetAttributes(attribute.Bool("b", true))
	s.End()
	if err := d.ForceFlush(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.Shutdown(t.Context()); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
