package tree

import (
	"strings"

	"go.opentelemetry.io/otel/trace"

	"envoywalk/trace/moment"
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
	event  *event
	shown  bool
	waited *event // a turn's wait: it is shown with the turn, or folded
	warned bool   // a loss of records in it is told already
}

func (t *Tree) thread(name string) *thread {
	th := t.threads[name]
	if th == nil {
		th = &thread{name: name, short: moment.ShortName(name), column: -1}
		t.threads[name] = th
	}
	th.alive = true
	return th
}

// runsDispatcher notes on which thread a dispatcher runs: DispatcherImpl::run has its name.
func (t *Tree) runsDispatcher(th *thread, m *event) {
	if m.Step == "dispatcher-run" {
		t.dispatchers[m.Object] = th
	}
}

// findThread is the thread that runs the dispatcher. Before it does, only the names can tell.
func (t *Tree) findThread(dispatcher string) *thread {
	if th := t.dispatchers[dispatcher]; th != nil && th.column >= 0 {
		return th
	}
	for _, th := range t.columns {
		if th.short == moment.ShortName(dispatcher) {
			return th
		}
	}
	return nil
}

// isWaitOfTurn: m is the wait that the turn on top of the stack began with.
func (th *thread) isWaitOfTurn(m *event) bool {
	n := len(th.stack)
	return m.Kind == moment.KindCall && n > 0 && th.stack[n-1].event.Kind == moment.KindTurn &&
		m.Call.Name == "epoll_pwait" && th.stack[n-1].waited == nil
}

func (th *thread) push(m *event) { th.stack = append(th.stack, frame{event: m}) }

// unwind drops frames that m is not inside of: their ends were lost. The span around m is its
// parent, or, where m begins another story, a link.
func (th *thread) unwind(m *event, open map[trace.SpanID]*thread) {
	for i := len(th.stack) - 1; i >= 0; i-- {
		if m.isInside(th.stack[i].event.ID) {
			th.cut(i+1, open)
			return
		}
	}
	if m.Kind == moment.KindThread {
		th.cut(0, open)
	}
}

func (m *event) isInside(id trace.SpanID) bool {
	if m.Parent == id {
		return true
	}
	for i := range m.Links {
		if m.Links[i].SpanContext.SpanID() == id {
			return true
		}
	}
	return false
}

func (th *thread) cut(n int, open map[trace.SpanID]*thread) {
	for _, f := range th.stack[n:] {
		delete(open, f.event.ID)
	}
	clear(th.stack[n:])
	th.stack = th.stack[:n]
}

// pop ends the span id and whatever a panic left open above it.
func (th *thread) pop(id trace.SpanID, open map[trace.SpanID]*thread) (f frame, ok bool) {
	for i := len(th.stack) - 1; i >= 0; i-- {
		if th.stack[i].event.ID == id {
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
		if f.shown && f.event.Kind != moment.KindThread {
			n++
		}
	}
	return n
}

// appear gives the thread a column.
func (t *Tree) appear(th *thread) {
	th.column, th.glyph = len(t.columns), t.freeGlyph(th)
	t.columns = append(t.columns, th)
	t.nameWide = max(t.nameWide, min(columnsOf(moment.Clean(th.short)), 15))
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
