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

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options say what the tree opens and how wide it may be. The zero value is chapter 00, unlimited.
type Options struct {
	Chapter int    // the chapter this binary adds: it is opened, earlier ones are folded
	All     bool   // open every chapter
	Width   int    // columns; 0 is unlimited
	Color   bool   // the writer is a terminal that wants colours
	Envoy   bool   // the right column is Envoy's symbol and line instead of the Go line
	Service string // the headline; empty takes service.name from the first span
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
	stories  map[trace.TraceID]*moment // of connections: a root sits on no thread, and in no stack
	posts    map[int64]post
	printed  int64 // the highest seq so far
	fold     fold

	dispatchers map[string]*thread
	chapters    []string // names by number
}

// post is what the line of a run wants to know of its post.
type post struct {
	number  int
	seq     int64
	from    string
	chapter string
	shown   bool
}

// New returns a span processor that prints to w, one Write per line.
func New(w io.Writer, o Options) sdk.SpanProcessor {
	return &Tree{w: w, o: o, threads: map[string]*thread{}, nameWide: 8,
		open: map[trace.SpanID]*thread{}, stories: map[trace.TraceID]*moment{},
		posts: map[int64]post{}, chapters: chapterNames(), dispatchers: map[string]*thread{}}
}

// OnStart prints or folds s. Calls, posts and instants are complete now; the rest is open.
func (t *Tree) OnStart(_ context.Context, s sdk.ReadWriteSpan) {
	if !t.begun {
		t.headline(s)
	}
	m := read(s)
	if m.kind == kindStory {
		t.beginStory(m)
		return
	}
	th := t.thread(m.thread)
	th.unwind(m, t.open)
	m.inherited = t.chapterOf(th, m)
	shown := t.isOpen(m) || alarming(m) || m.kind == kindCall && (t.askedByOpen(th) || t.isOfStory(m))
	switch m.kind {
	case kindFunction:
		t.runsDispatcher(th, m)
	case kindPost:
		t.countPost(th, m, shown)
	case kindRun:
		shown = t.matchPost(m) || shown
	}
	if m.encloses() {
		th.push(m)
		t.open[m.id] = th
	}
	switch {
	case shown:
		t.show(th, m)
	case th.isWaitOfTurn(m):
		t.keepWait(th, m)
	case !m.isEvent():
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
	if f.waited != nil {
		t.fold.add(th, f.waited, t.number(f.waited.inherited))
	}
	if f.moment.kind == kindTurn && f.shown {
		t.flushFold() // it was in this turn, not in the next
	}
	if f.moment.kind == kindThread {
		th.alive = false
	}
}

// ForceFlush has nothing to do: every line is one Write.
func (t *Tree) ForceFlush(context.Context) error { return t.err }

// Shutdown prints what is still folded and returns the first error of the writer.
func (t *Tree) Shutdown(context.Context) error {
	t.flushFold()
	return t.err
}

// chapterOf is the chapter m belongs to: its own, its post's, or that of the innermost span around
// it that has one. Calls at the bottom of a stack belong to the event loop.
func (t *Tree) chapterOf(th *thread, m *moment) string {
	if m.chapter != "" {
		return m.chapter
	}
	if p, ok := t.posts[m.postID]; ok && m.kind == kindRun && p.chapter != "" {
		return p.chapter
	}
	if n := len(th.stack); n > 0 {
		return th.stack[n-1].moment.inherited
	}
	return t.chapters[0]
}

func (t *Tree) isOpen(m *moment) bool {
	return t.o.All || t.number(m.inherited) >= t.o.Chapter
}

// askedByOpen: a function that is open asked the kernel, if through folded ones. What a chapter does to
// the kernel is what its reader came for.
func (t *Tree) askedByOpen(th *thread) bool {
	for i := range th.stack {
		if f := th.stack[i].moment; f.kind == kindFunction && t.isOpen(f) {
			return true
		}
	}
	return false
}

// isOfStory: m is part of what a connection lived through, from the accept4 that made it on. What was read
// and written for it is what a reader of a proxy came for, whichever chapter taught the function that asked.
func (t *Tree) isOfStory(m *moment) bool {
	return t.stories[m.trace] != nil || m.call.name == "accept4" && m.call.ret >= 0
}

// amidFold: m is a call of a connection's story in the midst of folded functions. The fold goes on around
// it, so that what a callback did is not chopped into folds of one step.
func (t *Tree) amidFold(th *thread, m *moment) bool {
	return m.kind == kindCall && t.isOfStory(m) && !t.askedByOpen(th) && t.fold.isOnly(th)
}

// keepWait keeps a turn's wait until it is known whether the turn is shown.
func (t *Tree) keepWait(th *thread, m *moment) {
	f := &th.stack[len(th.stack)-1]
	if f.shown {
		t.show(th, m)
		return
	}
	f.waited = m
}

// show prints m, and before it what it needs to be understood: the events around it, and what was folded,
// where that stood.
func (t *Tree) show(th *thread, m *moment) {
	if len(th.stack) > 0 && th.stack[0].moment.kind == kindThread {
		t.showFrame(th, 0) // before what is folded of it
	}
	for i := range th.stack {
		f := &th.stack[i]
		switch {
		case f.shown || f.moment != m && !f.moment.isEvent():
		case t.fold.seq > f.moment.seq && t.fold.isOnly(th):
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
		t.print(th, f.moment, th.depth(i))
		f.shown = true
		if f.waited != nil {
			t.print(th, f.waited, th.depth(i+1))
			f.waited = nil
		}
	}
}

func (t *Tree) countPost(th *thread, m *moment, shown bool) {
	if len(t.posts) > 1<<16 {
		clear(t.posts) // their runs were lost, or sampling left them out
	}
	m.number = int(m.postID)
	t.posts[m.postID] = post{m.number, m.seq, th.short, m.inherited, shown}
}

// matchPost gives the run the number of its post, and reports whether the post was shown.
func (t *Tree) matchPost(m *moment) (shown bool) {
	p, ok := t.posts[m.postID]
	if !ok {
		return false
	}
	delete(t.posts, m.postID)
	m.number, m.postedAt, m.postedBy = p.number, p.seq, p.from
	return p.shown
}

// beginStory is never folded, nor is the accept4 before it: what a connection lives through is shown.
func (t *Tree) beginStory(m *moment) {
	t.stories[m.trace] = m
	t.flushFold()
	t.print(nil, m, 0)
}

func (t *Tree) endStory(s sdk.ReadOnlySpan) {
	id := s.SpanContext().TraceID()
	st := t.stories[id]
	if st == nil || st.id != s.SpanContext().SpanID() {
		return
	}
	delete(t.stories, id)
	e := readEnd(s)
	t.flushFold()
	t.printEnd(nil, e.seq, 0, storyEnd(st, e), e.failed)
}
