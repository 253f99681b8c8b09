package live

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"envoywalk/internal/step"
	record "envoywalk/trace"
)

// rig is a recorder with a main thread and a worker, and what is left of their spans.
type rig struct {
	t            *testing.T
	admin        *Admin
	left         *tracetest.SpanRecorder // behind the filter
	all          *tracetest.SpanRecorder
	recorder     *record.Recorder
	main, worker *record.Lane
	connections  uint64
}

// What the kernel's door would tell.
func syscall(name string, c record.Syscall) *record.Syscall {
	c.Name, c.HasFD = name, true
	c.Format = func(fd func(int64) string, r *record.Record) string { return fd(r.Args[0]) }
	c.ErrnoName = func(n int) string { return map[int]string{4: "EINTR", 11: "EAGAIN", 24: "EMFILE"}[n] }
	return &c
}

const adminFD, echoFD, eventfd = 16, 17, 11

func newRig(t *testing.T) *rig {
	g := &rig{t: t, left: tracetest.NewSpanRecorder(), all: tracetest.NewSpanRecorder()}
	g.admin = WithoutAdmin(g.left)
	g.recorder = record.New(record.Config{Processors: []sdk.SpanProcessor{g.admin, g.all}})
	g.main, g.worker = g.recorder.Thread("main_thread", 1, 0), g.recorder.Thread("wrk:worker_0", 2, 0)
	g.main.Label(adminFD, "admin")
	g.worker.Label(echoFD, "admin/w0") // a listener may be called admin too
	return g
}

func ask(l *record.Lane, c *record.Syscall, fd, ret int64) {
	l.Call(c, 0, l.Now(), [4]int64{fd}, ret, "")
}

// turn is a turn of l: the wait, with so many files ready, and what it leads to.
func turn(l *record.Lane, ready int64, during ...func()) {
	defer l.EnterTurn().Exit()
	ask(l, syscall("epoll_pwait", record.Syscall{Waits: true}), 9, ready)
	for _, f := range during {
		f()
	}
}

// accept is a listener's event on l: a connection, then nobody. Its result is errno where that is not 0.
func (g *rig) accept(l *record.Lane, fd int, errno int64) func() {
	return func() {
		defer l.EnterEvent(step.None, fd, 1).Exit()
		defer l.Enter(step.OnSocketEvent).On(fd).Exit()
		accept4 := syscall("accept4", record.Syscall{MakesFD: true})
		if errno != 0 {
			ask(l, accept4, int64(fd), -errno)
			return
		}
		g.connections++
		ask(l, accept4, int64(fd), 24)
		story := l.BeginStory(g.connections, l.LastID())
		l.LabelConnection(24, g.connections)
		l.EnterStory(story, step.OnAcceptWorker).Exit()
		l.EndStory(story, false)
		l.HandOver(24, "net/http")
		ask(l, accept4, int64(fd), -11)
	}
}

func (g *rig) ownAccept() func() { return g.accept(g.main, adminFD, 0) }

func (g *rig) timer(name string, housekeeping bool) func() {
	return func() { g.main.EnterTimer(name, housekeeping).Exit() }
}

// run is a post's run on main.
func (g *rig) run() {
	ask(g.main, syscall("read", record.Syscall{}), eventfd, 8)
	g.main.EnterRun(step.None, "main_thread", "drain", 0).Exit()
}

// closed ends the recording and returns what main did, as far as it is left: its turns with what is in
// them. It sees to it that what is left is whole, and in order.
func (g *rig) closed() string {
	g.t.Helper()
	g.main.End()
	g.worker.End()
	if _, err := g.recorder.Close(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	started, ended := g.left.Started(), g.left.Ended()
	if len(started) != len(ended) || len(ended)+g.admin.Hidden() != len(g.all.Ended()) {
		g.t.Errorf("%d spans began and %d ended, %d are hidden, of %d", len(started), len(ended), g.admin.Hidden(),
			len(g.all.Ended()))
	}
	if len(g.admin.still)+len(g.admin.held)+len(g.admin.ours) != 0 {
		g.t.Errorf("still open %d, still held %d", len(g.admin.still), len(g.admin.held))
	}
	var names []string
	last := int64(0)
	for _, s := range started {
		seq := number(s, string(record.KeySeqStart))
		if seq <= last {
			g.t.Errorf("%q is told at %d, after %d", s.Name(), seq, last)
		}
		last = seq
		if what := read(s); what.thread == "main_thread" && what.kind != "thread" {
			names = append(names, strings.Fields(s.Name())[0])
		}
	}
	return strings.Join(names, " ")
}

func number(s sdk.ReadOnlySpan, key string) int64 {
	for _, kv := range s.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.AsInt64()
		}
	}
	return -1
}

const (
	accepted = "event TcpListenerImpl::onSocketEvent accept4 ActiveTcpListener::onAcceptWorker hand accept4"
	ran      = "read run"
)

func TestATurnInWhichOnlyTheAdminAcceptsIsLeftOut(t *testing.T) {
	again := "turn epoll_pwait "
	for _, c := range []struct {
		name string
		does func(g *rig)
		want string
	}{
		{"an accept", func(g *rig) { turn(g.main, 1, g.ownAccept()) }, ""},
		{"two of them", func(g *rig) { turn(g.main, 2, g.ownAccept(), g.ownAccept()) }, ""},
		{"and the watchdog", func(g *rig) { turn(g.main, 1, g.ownAccept(), g.timer("watchdog touch", true)) }, ""},
		{"an idle turn before it", func(g *rig) { turn(g.main, 0); turn(g.main, 1, g.ownAccept()) }, ""},
		{"an idle turn with a timer", func(g *rig) {
			turn(g.main, 0, g.timer("watchdog touch", true))
			turn(g.main, 1, g.ownAccept())
		}, ""},
		{"a row of idle turns", func(g *rig) {
			for range 5 {
				turn(g.main, 0, g.timer("watchdog touch", true))
			}
			turn(g.main, 1, g.ownAccept())
		}, ""},
		{"idle turns before work", func(g *rig) { turn(g.main, 0); turn(g.main, 1, g.run) }, again + again + ran},
		{"idle turns, an accept, work", func(g *rig) {
			turn(g.main, 0)
			turn(g.main, 1, g.ownAccept())
			turn(g.main, 0, g.timer("watchdog touch", true))
			turn(g.main, 1, g.run)
		}, again + "timer " + again + ran},
		{"an accept and work in one turn", func(g *rig) { turn(g.main, 2, g.ownAccept(), g.run) },
			again + accepted + " " + ran},
		{"work and an accept", func(g *rig) { turn(g.main, 2, g.run, g.ownAccept()) }, again + ran + " " + accepted},
		{"an accept that fails", func(g *rig) { turn(g.main, 1, g.accept(g.main, adminFD, 24)) },
			again + "event TcpListenerImpl::onSocketEvent accept4"},
		{"another socket of main", func(g *rig) { turn(g.main, 1, g.accept(g.main, echoFD, 0)) }, again + accepted},
		{"a signal", func(g *rig) { turn(g.main, -4) }, "turn epoll_pwait"},
		{"a timer that is no housekeeping", func(g *rig) { turn(g.main, 0, g.timer("drain", false)) }, again + "timer"},
		{"nothing after all", func(g *rig) { turn(g.main, 1) }, "turn epoll_pwait"},
		{"no turn", func(g *rig) { g.accept(g.main, adminFD, 0)() }, accepted},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t)
			c.does(g)
			if got := g.closed(); got != c.want {
				t.Errorf("left is %q,\nwant %q", got, c.want)
			}
		})
	}
}

func TestAWorkersAcceptIsShownWhateverItsListenerIsCalled(t *testing.T) {
	g := newRig(t)
	g.worker.Label(echoFD, "admin")
	turn(g.worker, 1, g.accept(g.worker, echoFD, 0))
	g.closed()
	if g.admin.Hidden() != 0 {
		t.Errorf("%d spans are hidden", g.admin.Hidden())
	}
}

// Of a connection of the admin nothing is left, neither its root nor, where that is open still, its end.
func TestThePagesHearHowMuchOfTheAdminsIsNotShown(t *testing.T) {
	h := New()
	g := &rig{t: t}
	g.recorder = record.New(record.Config{Processors: []sdk.SpanProcessor{h.Processor(time.Time{})}})
	g.main = g.recorder.Thread("main_thread", 1, 0)
	g.main.Label(adminFD, "admin")
	turn(g.main, 1, g.ownAccept())
	g.main.End()
	if _, err := g.recorder.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines, _, _ := h.since(0)
	told := regexp.MustCompile(`\{"k":"stats","dropped":0,"admin":[1-9]\d*\}`)
	if !slices.ContainsFunc(lines, told.Match) {
		t.Errorf("%s", bytes.Join(lines, []byte("\n")))
	}
}

func TestTheStoryOfAnAdminsConnectionIsLeftOut(t *testing.T) {
	g := newRig(t)
	var story record.Story
	turn(g.main, 1, func() {
		defer g.main.EnterEvent(step.None, adminFD, 1).Exit()
		ask(g.main, syscall("accept4", record.Syscall{MakesFD: true}), adminFD, 24)
		story = g.main.BeginStory(1, g.main.LastID())
	})
	g.main.EndStory(story, false)
	turn(g.worker, 1, g.accept(g.worker, echoFD, 0))
	if left := g.closed(); left != "" {
		t.Errorf("left is %q", left)
	}
	for _, s := range g.left.Ended() {
		if s.Name() == "connection C1" && number(s, string(record.KeyConnection)) == 1 && len(s.Links()) == 0 {
			t.Error("the root is left")
		}
	}
	if g.admin.Hidden() != 5 {
		t.Errorf("%d spans are hidden, want the turn, the wait, the event, accept4, the root", g.admin.Hidden())
	}
}

// While a turn of main is undecided others go on: their spans wait behind it, and come as they were.
func TestWhatOthersDoMeanwhileComesInOrderAndAsItWas(t *testing.T) {
	for _, shown := range [...]bool{false, true} {
		g := newRig(t)
		turn(g.main, 1, func() {
			g.ownAccept()()
			turn(g.worker, 1, func() {
				defer g.worker.Enter(step.OnAccept).Exit()
				g.worker.Note("n", 1)
			})
			if shown {
				g.run()
			}
		})
		got := g.closed()
		if shown != (got != "") {
			t.Errorf("shown %v: left is %q", shown, got)
		}
		var worker []string
		for _, s := range g.left.Started() {
			if read(s).thread == "wrk:worker_0" {
				worker = append(worker, fmt.Sprint(strings.Fields(s.Name())[0]))
			}
		}
		if want := []string{"thread", "turn", "epoll_pwait", step.OnAccept.Info().Name}; !slices.Equal(worker, want) {
			t.Errorf("shown %v: of the worker there is %q", shown, worker)
		}
	}
}

// A span that is handed on late is read late: it must say what it said when it began.
func TestAHeldSpanIsAsItWasWhenItBegan(t *testing.T) {
	var began []string
	heard := &hearing{start: func(s sdk.ReadWriteSpan) {
		began = append(began, fmt.Sprintf("%s %d %d", strings.Fields(s.Name())[0],
			number(s, string(record.KeySeqEnd)), number(s, "note.n")))
	}}
	g := &rig{t: t, admin: WithoutAdmin(heard)}
	g.recorder = record.New(record.Config{Processors: []sdk.SpanProcessor{g.admin}})
	g.main = g.recorder.Thread("main_thread", 1, 0)
	turn(g.main, 0, func() { g.main.EnterTimer("watchdog touch", true).Exit() })
	turn(g.main, 1, func() {
		g.main.Note("n", 5)
		g.main.Enter(step.OnAccept).Exit()
	})
	g.main.End()
	g.recorder.Close(t.Context())
	if want := "thread -1 -1,turn -1 -1,epoll_pwait -1 -1,timer -1 -1,turn -1 -1,epoll_pwait -1 -1," +
		"ActiveTcpListener::onAccept -1 -1"; strings.Join(began, ",") != want {
		t.Errorf("%q", began)
	}
}

// hearing is a processor that only hears of begins.
type hearing struct {
	sdk.SpanProcessor
	start func(sdk.ReadWriteSpan)
}

func (h *hearing) OnStart(_ context.Context, s sdk.ReadWriteSpan) { h.start(s) }
func (h *hearing) OnEnd(sdk.ReadOnlySpan)                         {}
func (h *hearing) Shutdown(context.Context) error                 { return nil }
func (h *hearing) ForceFlush(context.Context) error               { return nil }

// A turn that goes on and on is shown rather than held.
func TestAHoldIsBounded(t *testing.T) {
	g := newRig(t)
	turn(g.main, 1, func() {
		for range maxHeld / 10 {
			g.ownAccept()()
		}
	})
	if left := g.closed(); !strings.HasPrefix(left, "turn epoll_pwait event") {
		t.Errorf("left is %.60q", left)
	}
}
