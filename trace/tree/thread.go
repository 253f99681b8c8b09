package tree

import (
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// thread is one OS thread as the tree knows it: its place in the gutter and what is open on it.
type thread struct {
	name, short string
	column      int // in the gutter, -1 until its first line
	glyph       byte
	alive       bool
	stack       []frame
}

// frame is an enclosing span that has not ended.
type frame struct {
	moment *moment
	shown  bool
	waited *moment // a turn's wait: it is shown with the turn, or folded
	warned bool    // a loss of records in it is told already
}

func (t *Tree) thread(name string) *thread {
	th := t.threads[name]
	if th == nil {
		th = &thread{name: name, short: shortName(name), column: -1}
		t.threads[name] = th
	}
	th.alive = true
	return th
}

// shortName is what a line has room for: wrk:worker_0 is worker_0, main_thread is main, and the
// guard dogs are dog:main and dog:workers, whatever the kernel's 15 characters left of their names.
// The dispatchers of main and the workers come out the same.
func shortName(name string) string {
	if dog, ok := strings.CutPrefix(name, "dog:"); ok {
		of, _, _ := strings.Cut(dog, "_")
		return "dog:" + of
	}
	name = strings.TrimPrefix(name, "wrk:")
	name = strings.TrimSuffix(name, "_thread")
	if name == "" {
		return "?"
	}
	return name
}

// runsDispatcher notes on which thread a dispatcher runs: DispatcherImpl::run has its name.
func (t *Tree) runsDispatcher(th *thread, m *moment) {
	if m.step == "dispatcher-run" {
		t.dispatchers[m.object] = th
	}
}

// findThread is the thread that runs the dispatcher. Before it does, only the names can tell.
func (t *Tree) findThread(dispatcher string) *thread {
	if th := t.dispatchers[dispatcher]; th != nil && th.column >= 0 {
		return th
	}
	for _, th := range t.columns {
		if th.short == shortName(dispatcher) {
			return th
		}
	}
	return nil
}

// isWaitOfTurn: m is the wait that the turn on top of the stack began with.
func (th *thread) isWaitOfTurn(m *moment) bool {
	n := len(th.stack)
	return m.kind == kindCall && n > 0 && th.stack[n-1].moment.kind == kindTurn &&
		m.call.name == "epoll_pwait" && th.stack[n-1].waited == nil
}

func (th *thread) push(m *moment) { th.stack = append(th.stack, frame{moment: m}) }

// unwind drops frames that m is not inside of: their ends were lost. The span around m is its
// parent, or, where m begins another story, a link.
func (th *thread) unwind(m *moment, open map[trace.SpanID]*thread) {
	for i := len(th.stack) - 1; i >= 0; i-- {
		if m.isInside(th.stack[i].moment.id) {
			th.cut(i+1, open)
			return
		}
	}
	if m.kind == kindThread {
		th.cut(0, open)
	}
}

func (m *moment) isInside(id trace.SpanID) bool {
	if m.parent == id {
		return true
	}
	for i := range m.links {
		if m.links[i].SpanContext.SpanID() == id {
			return true
		}
	}
	return false
}

func (th *thread) cut(n int, open map[trace.SpanID]*thread) {
	for _, f := range th.stack[n:] {
		delete(open, f.moment.id)
	}
	clear(th.stack[n:])
	th.stack = th.stack[:n]
}

// pop ends the span id and whatever a panic left open above it.
func (th *thread) pop(id trace.SpanID, open map[trace.SpanID]*thread) (f frame, ok bool) {
	for i := len(th.stack) - 1; i >= 0; i-- {
		if th.stack[i].moment.id == id {
			f = th.stack[i]
			th.cut(i, open)
			return f, true
		}
	}
	return frame{}, false
}

// depth counts the visible lines that the frame at i is inside of. The thread itself is in the
// gutter already.
func (th *thread) depth(i int) (n int) {
	for _, f := range th.stack[:i] {
		if f.shown && f.moment.kind != kindThread {
			n++
		}
	}
	return n
}

// appear gives the thread a column.
func (t *Tree) appear(th *thread) {
	th.column, th.glyph = len(t.columns), t.freeGlyph(th)
	t.columns = append(t.columns, th)
	t.nameWide = max(t.nameWide, min(columnsOf(clean(th.short)), 15))
}

func (t *Tree) freeGlyph(th *thread) byte {
	want := "abcdefghijklnopqrstuvxyz"
	switch {
	case strings.HasPrefix(th.name, "main"):
		want = "m" + want
	case strings.HasPrefix(th.name, "wrk:"):
		want = th.name[len(th.name)-1:] + want
	case strings.HasPrefix(th.name, "dog:w"):
		want = "w" + want
	case strings.HasPrefix(th.name, "dog:"):
		want = "g" + want
	}
	for i := range len(want) {
		if want[i] > ' ' && want[i] < 0x7f && !t.glyphTaken(want[i]) {
			return want[i]
		}
	}
	return '?'
}

func (t *Tree) glyphTaken(g byte) bool {
	for _, th := range t.columns {
		if th.glyph == g {
			return true
		}
	}
	return false
}
