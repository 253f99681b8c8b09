// Package tree shows a trace on a terminal while the program runs: one line per event, in order,
// indented by who called whom on its thread.
//
// It opens what one chapter adds and folds what earlier chapters explained, because a reader of
// chapter 04 has seen the start-up. What a folded part must not hide is shown all the same: why a
// visible line ran (thread, turn, event, post), and what went wrong.
package tree

import (
	"context"
	"io"
	"strings"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/trace/moment"
)

// Options say what the tree opens and how wide it may be. The zero value is chapter 00, unlimited.
type Options struct {
	Chapter int      // the chapter this binary adds: it is opened, earlier ones are folded
	All     bool     // open every chapter
	Width   int      // columns; 0 is unlimited
	Color   bool     // the writer is a terminal that wants colours
	Envoy   bool     // the right column is Envoy's symbol and line instead of the Go line
	Kinds   Kinds    // what is shown at all; the zero value is everything
	Threads []string // whose lines are shown, by their full or short names; none: everybody's
	Service string   // the headline; empty takes service.name from the first span
}

// Tree is the span processor. OnStart and OnEnd are called by one goroutine, in the order of seq.
type Tree struct {
	w        io.Writer
	o        Options
	err      error // the first that w returned; nothing is written after it
	line     []byte
	begun    bool // the headline is out
	threads  map[string]*thread
	columns  []*thread // in the order in which they appeared
	nameWide int       // the column of thread names
	open     map[trace.SpanID]*thread
	stories  map[trace.TraceID]*event // of connections: a root sits on no thread, and in no stack
	posts    map[int64]*event
	accepts  map[trace.SpanID]*thread // who called them, until their stories begin
	printed  int64                    // the highest seq so far
	fold     fold
	filter   filter

	dispatchers map[string]*thread
	chapters    []string // names by number
}

// event is a moment and what the tree makes of it.
type event struct {
	*moment.Moment
	inherited string // the chapter it is told in
	shown     bool   // of a post: its line was printed
	hidden    bool   // the reader did not ask for it
}

// encloses: an OnEnd will follow that closes more than itself.
func (m *event) encloses() bool { return m.Kind == moment.KindFunction || m.IsEvent() }

// New returns a span processor that prints to w, one Write per line.
func New(w io.Writer, o Options) sdk.SpanProcessor {
	return &Tree{w: w, o: o, filter: newFilter(o), threads: map[string]*thread{}, nameWide: 8,
		open: map[trace.SpanID]*thread{}, stories: map[trace.TraceID]*event{},
		posts: map[int64]*event{}, accepts: map[trace.SpanID]*thread{}, chapters: chapterNames(), dispatchers: map[string]*thread{}}
}

// OnStart prints or folds s. Calls, posts and instants are complete now; the rest is open.
func (t *Tree) OnStart(_ context.Context, s sdk.ReadWriteSpan) {
	if !t.begun {
		t.headline(s)
	}
	m := &event{Moment: moment.Read(s)}
	if m.Kind == moment.KindStory {
		t.beginStory(m)
		return
	}
	th := t.thread(m.Thread)
	th.unwind(m, t.open)
	m.inherited = t.chapterOf(th, m)
	m.hidden = t.filter.hides(th, m)
	shown := t.isOpen(m) || m.IsAlarming() || m.Kind == moment.KindCall && (t.askedByOpen(th) || t.isOfStory(m))
	switch m.Kind {
	case moment.KindCall:
		t.countAccept(th, m)
	case moment.KindFunction:
		t.runsDispatcher(th, m)
	case moment.KindPost:
		t.countPost(m, shown)
	case moment.KindRun:
		shown = t.matchPost(m) || shown
	}
	if m.encloses() {
		th.push(m)
		t.open[m.ID] = th
	}
	switch {
	case m.hidden:
	case shown:
		t.show(th, m)
	case th.isWaitOfTurn(m):
		t.keepWait(th, m)
	case !m.IsEvent():
		t.fold.add(th, m, t.number(m.inherited))
	}
}

// OnEnd forgets a frame. A line is printed only for what was not known when it began.
func (t *Tree) OnEnd(s sdk.ReadOnlySpan) {
	id := s.SpanContext().SpanID()
	th := t.open[id]
	if th == nil {
		t.endStory(s)
		return
	}
	f, ok := th.pop(id, t.open)
	if !ok {
		return
	}
	t.ending(th, &f, s)
	if f.waited != nil && !f.waited.hidden {
		t.fold.add(th, f.waited, t.number(f.waited.inherited))
	}
	if f.event.Kind == moment.KindTurn && f.shown {
		t.flushFold() // it was in this turn, not in the next
	}
	if f.event.Kind == moment.KindThread {
		th.alive = false
	}
}

// ForceFlush has nothing to do: every line is one Write.
func (t *Tree) ForceFlush(context.Context) error { return t.err }

// Shutdown prints what is still folded and returns the first error of the writer.
func (t *Tree) Shutdown(context.Context) error {
	t.flushFold()
	t.tellFiltered()
	return t.err
}

// chapterOf is the chapter m belongs to: its own, its post's, or that of the innermost span around
// it that has one. Calls at the bottom of a stack belong to the event loop.
func (t *Tree) chapterOf(th *thread, m *event) string {
	if m.Chapter != "" {
		return m.Chapter
	}
	if p, ok := t.posts[m.PostID]; ok && m.Kind == moment.KindRun && p.inherited != "" {
		return p.inherited
	}
	if n := len(th.stack); n > 0 {
		return th.stack[n-1].event.inherited
	}
	return t.chapters[0]
}

func (t *Tree) isOpen(m *event) bool {
	return t.o.All || t.number(m.inherited) >= t.o.Chapter
}

// askedByOpen: a function that is open asked the kernel, if through folded ones. What a chapter does to
// the kernel is what its reader came for.
func (t *Tree) askedByOpen(th *thread) bool {
	for i := range th.stack {
		if f := th.stack[i].event; f.Kind == moment.KindFunction && t.isOpen(f) {
			return true
		}
	}
	return false
}

// isOfStory: m is part of what a connection lived through, from the accept4 that made it on. What was read
// and written for it is what a reader of a proxy came for, whichever chapter taught the function that asked.
func (t *Tree) isOfStory(m *event) bool {
	return t.stories[m.Trace] != nil || m.Call.Name == "accept4" && m.Call.Ret >= 0
}

// amidFold: m is a call of a connection's story in the midst of folded functions. The fold goes on around
// it, so that what a callback did is not chopped into folds of one step.
func (t *Tree) amidFold(th *thread, m *event) bool {
	return m.Kind == moment.KindCall && t.isOfStory(m) && !t.askedByOpen(th) && t.fold.isOnly(th)
}

// keepWait keeps a turn's wait until it is known whether the turn is shown.
func (t *Tree) keepWait(th *thread, m *event) {
	f := &th.stack[len(th.stack)-1]
	if f.shown {
		t.show(th, m)
		return
	}
	f.waited = m
}

// show prints m, and before it what it needs to be understood: the events around it, and what was folded,
// where that stood.
func (t *Tree) show(th *thread, m *event) {
	if len(th.stack) > 0 && th.stack[0].event.Kind == moment.KindThread {
		t.showFrame(th, 0) // before what is folded of it
	}
	for i := range th.stack {
		f := &th.stack[i]
		switch {
		case f.shown || f.event.hidden && f.waited == nil || f.event != m && !f.event.IsEvent():
		case t.fold.seq > f.event.Seq && t.fold.isOnly(th):
			t.showFrame(th, i) // what is folded is inside of it
			t.fold.depth++
		default:
			t.flushFold()
			t.showFrame(th, i)
		}
	}
	if !m.encloses() {
		if !t.amidFold(th, m) {
			t.flushFold()
		}
		t.print(th, m, th.depth(len(th.stack)))
	}
}

func (t *Tree) showFrame(th *thread, i int) {
	if f := &th.stack[i]; !f.shown {
		if !f.event.hidden {
			t.print(th, f.event, th.depth(i))
			f.shown = true
		}
		if f.waited != nil {
			t.print(th, f.waited, th.depth(i+1))
			f.waited = nil
		}
	}
}

func (t *Tree) countPost(m *event, shown bool) {
	if len(t.posts) > 1<<16 {
		clear(t.posts) // their runs were lost, or sampling left them out
	}
	m.shown = shown
	t.posts[m.PostID] = m
}

// matchPost tells the run which post it runs, and reports whether the post was shown.
func (t *Tree) matchPost(m *event) (shown bool) {
	p, ok := t.posts[m.PostID]
	if !ok {
		return false
	}
	delete(t.posts, m.PostID)
	m.RunOf(p.Moment)
	return p.shown
}

// beginStory is never folded, nor is the accept4 before it: what a connection lives through is shown.
func (t *Tree) beginStory(m *event) {
	t.stories[m.Trace] = m
	if m.hidden = t.filter.hides(t.beginnerOf(m), m); m.hidden {
		return
	}
	t.flushFold()
	t.print(nil, m, 0)
}

// countAccept keeps whose story is about to begin.
func (t *Tree) countAccept(th *thread, m *event) {
	if !strings.HasPrefix(m.Call.Name, "accept") || m.Call.Ret < 0 {
		return
	}
	if len(t.accepts) > 1<<16 {
		clear(t.accepts) // their stories were lost, or sampling left them out
	}
	t.accepts[m.ID] = th
}

// beginnerOf is the thread that accepted the connection whose story m is, nil where that was not told.
func (t *Tree) beginnerOf(m *event) *thread {
	for _, l := range m.Links {
		id := l.SpanContext.SpanID()
		if th := t.accepts[id]; th != nil {
			delete(t.accepts, id)
			return th
		}
		if th := t.open[id]; th != nil {
			return th
		}
	}
	return nil
}

func (t *Tree) endStory(s sdk.ReadOnlySpan) {
	id := s.SpanContext().TraceID()
	st := t.stories[id]
	if st == nil || st.ID != s.SpanContext().SpanID() {
		return
	}
	delete(t.stories, id)
	if st.hidden {
		return
	}
	e := moment.ReadEnd(s)
	t.flushFold()
	t.printEnd(nil, e.Seq, 0, st.StoryEnd(e), e.Failed)
}
