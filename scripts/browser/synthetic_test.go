package browser

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"envoywalk/internal/step"
	"envoywalk/trace"
	"envoywalk/trace/sink"
)

// synthetic is a long run that never was: two workers, told through real lanes, the real collector and the real
// sinks, so that only the kernel is missing.
type synthetic struct {
	t        testing.TB
	recorder *trace.Recorder
	sinks    *sink.Sinks
	main     *trace.Lane
	workers  []*trace.Lane
	spans    int
}

var (
	listenCall = call("listen", trace.Syscall{HasFD: true})
	waitCall   = call("epoll_pwait", trace.Syscall{HasFD: true, Waits: true})
	acceptCall = call("accept4", trace.Syscall{HasFD: true, MakesFD: true})
	readCall   = call("readv", trace.Syscall{HasFD: true})
	writeCall  = call("writev", trace.Syscall{HasFD: true})
	wakeCall   = call("write", trace.Syscall{HasFD: true})
	socketCall = call("socket", trace.Syscall{MakesFD: true})
	createCall = call("epoll_create1", trace.Syscall{MakesFD: true})
	closeCall  = call("close", trace.Syscall{HasFD: true, Closes: true})
)

// call is a system call as the kernel door would describe it.
func call(name string, c trace.Syscall) *trace.Syscall {
	c.Name = name
	c.Format = func(fd func(int64) string, r *trace.Record) string {
		if !c.HasFD {
			return ""
		}
		if r.Text != "" {
			return fd(r.Args[0]) + ", " + r.Text
		}
		return fd(r.Args[0])
	}
	c.ErrnoName = func(errno int) string { return map[int]string{11: "EAGAIN", 104: "ECONNRESET"}[errno] }
	return &c
}

func newSynthetic(t testing.TB, files ...string) *synthetic {
	t.Helper()
	s, err := sink.Open(files, sink.Options{Stdout: io.Discard, Chapter: 6, All: true})
	if err != nil {
		t.Fatal(err)
	}
	y := &synthetic{t: t, sinks: s, recorder: trace.New(trace.Config{Service: "envoywalk 06-filter-chain",
		Processors: s.Processors, Blocks: 4096})}
	y.main = y.recorder.Thread("main_thread", 1000, 0)
	return y
}

// begin is a start-up of two workers.
func (y *synthetic) begin() {
	m := y.main
	start := m.Enter(step.Main)
	for w := range 2 {
		name := fmt.Sprintf("worker_%d", w)
		create := m.Enter(step.PthreadCreate).Of(name)
		lane := y.recorder.Thread("wrk:"+name, 1001+w, m.Current())
		y.workers = append(y.workers, lane)
		create.Exit()
		tell(m, createCall, 0, int64(20+w), "")
		m.Label(20+w, "ep:"+name)
		id, at := m.Posting()
		m.Posted(id, at, step.WorkerAddListener, name, "echo", trace.PostOutcome{Queued: 1})
		lane.Enter(step.WorkerThreadRoutine)
		run := lane.EnterRun(step.WorkerAddListener, name, "echo", id)
		tell(lane, socketCall, 0, int64(10+w), "")
		lane.Label(10+w, "echo/w"+name[7:])
		tell(lane, listenCall, 10+w, 0, "128")
		run.Exit()
		lane.StartupDone()
	}
	start.Exit()
	m.StartupDone()
}

func tell(l *trace.Lane, c *trace.Syscall, fd int, ret int64, text string) {
	l.Call(c, trace.CallerPC(), l.Now(), [4]int64{int64(fd)}, ret, text)
}

// connection is 25 spans: an accept on one worker, bytes, a word to main, and the end.
func (y *synthetic) connection(n int) {
	w := y.workers[n%2]
	fd := 100 + n%500
	turn := w.EnterTurn()
	tell(w, waitCall, 20+n%2, 1, "[{EPOLLIN}]")
	event := w.EnterEvent(step.FileEventCallbackWrapper, 10+n%2, 1)
	socket := w.Enter(step.OnSocketEvent).On(10 + n%2)
	tell(w, acceptCall, 10+n%2, int64(fd), "")
	story := w.BeginStory(uint64(n+1), w.LastID())
	w.LabelConnection(fd, uint64(n+1))
	accept := w.EnterStory(story, step.OnAccept)
	w.Enter(step.ActiveTcpListenerNewConnection).Exit()
	accept.Exit()
	tell(w, acceptCall, 10+n%2, -11, "")
	socket.Exit()
	event.Exit()
	turn.Exit()
	y.bytes(w, story, fd, n)
	y.post(w, n)
	w.EndStory(story, n%50 == 0)
	y.spans += 25
}

func (y *synthetic) bytes(w *trace.Lane, story trace.Story, fd, n int) {
	turn := w.EnterTurn()
	defer turn.Exit()
	tell(w, waitCall, 20+n%2, 1, "[{EPOLLIN}]")
	event := w.EnterEvent(step.FileEventCallbackWrapper, fd, 1)
	defer event.Exit()
	file := w.EnterStory(story, step.OnFileEvent)
	defer file.Exit()
	ready := w.Enter(step.OnReadReady)
	tell(w, readCall, fd, 64, "")
	w.Enter(step.ConnectionOnRead).Exit()
	tell(w, readCall, fd, -11, "")
	ready.Exit()
	write := w.Enter(step.OnWriteReady)
	tell(w, writeCall, fd, 64, "")
	write.Exit()
	tell(w, closeCall, fd, 0, "")
}

// post tells main of it, which wakes main.
func (y *synthetic) post(w *trace.Lane, n int) {
	id, at := w.Posting()
	w.Posted(id, at, step.AddListenerCompletion, "main_thread", "", trace.PostOutcome{Queued: 1, Running: true, Woke: true})
	tell(w, wakeCall, 9, 8, "")
	cause := w.LastID()
	turn := y.main.EnterTurn()
	tell(y.main, waitCall, 8, 1, "[{EPOLLIN}]")
	y.main.Cause(cause)
	y.main.EnterRun(step.AddListenerCompletion, "main_thread", "", id).Exit()
	turn.Exit()
}

// end closes all and returns how many spans the sinks were given.
func (y *synthetic) end() uint64 {
	y.t.Helper()
	for _, w := range y.workers {
		w.End()
	}
	y.main.End()
	stats, err := y.recorder.Close(context.Background())
	if err != nil || stats.Dropped > 0 {
		y.t.Fatalf("%+v, %v", stats, err)
	}
	if _, err := y.sinks.Close(); err != nil {
		y.t.Fatal(err)
	}
	return stats.Spans
}

// long is a run of about spans spans, made once.
func long(t testing.TB, spans int) *ran {
	t.Helper()
	runs.Lock()
	defer runs.Unlock()
	name := fmt.Sprintf("long-%d", spans)
	if r := runs.of[name]; r != nil {
		return r
	}
	base := filepath.Join(runsDir(t), name)
	y := newSynthetic(t, "html="+base+".html", "json="+base+".json")
	y.begin()
	for n := 0; y.spans < spans; n++ {
		y.connection(n)
	}
	y.end()
	r := &ran{url: "file://" + base + ".html", page: base + ".html", oracle: readOracle(t, base+".json")}
	runs.of[name] = r
	return r
}
