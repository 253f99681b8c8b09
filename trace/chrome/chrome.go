// Package chrome writes a trace as Chrome's trace events in JSON, which Perfetto and speedscope open.
//
// A thread is a track, a connection an asynchronous track, a post an arrow. Slices are written as they
// begin and end, one event a line, so that a program that is killed leaves all it did: the format allows
// that the closing bracket is missing.
package chrome

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/trace/moment"
)

// Head and Tail stand around the events of a file. An event brings its comma along in front.
const (
	Head = `[{"name":"envoywalk","ph":"M","pid":1,"tid":1,"args":{}}` + "\n"
	Tail = "]\n"
)

// Recording is a span processor. One goroutine tells it of spans, in the order of seq; any may reopen.
type Recording struct {
	to    io.Writer
	mu    sync.Mutex
	err   error     // the first that to returned; nothing is written after it
	lines []byte    // of the span that begins or ends: they are one Write, and so stay in one file
	start time.Time // 0 of the time axis

	processes []*process
	open      map[trace.SpanID]*track
	stories   map[trace.SpanID]*story
	posts     map[int64]bool         // posts on their way: the number of the arrow is the post's
	causes    map[trace.SpanID]int64 // arrows of the other kinds on their way
	arrows    int64                  // given so far to those
}

// New returns a span processor that writes to w, behind a Head, whole lines with each Write.
func New(w io.Writer) *Recording {
	return &Recording{to: w, open: map[trace.SpanID]*track{}, stories: map[trace.SpanID]*story{},
		posts: map[int64]bool{}, causes: map[trace.SpanID]int64{}}
}

// OnStart begins a slice, or writes the whole of one that takes no other in.
func (w *Recording) OnStart(_ context.Context, s sdk.ReadWriteSpan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin(s)
	defer w.flush()
	m := moment.Read(s)
	if m.Kind == moment.KindStory {
		w.beginStory(m, s)
		return
	}
	if m.IsInstant() {
		return // its end is not known yet
	}
	t := w.trackOf(m, s)
	at := w.since(s.StartTime())
	t.unwind(w, m, at)
	f := &frame{id: m.ID, name: s.Name(), kind: m.Kind, begin: t.at(at), known: slices.Clone(s.Attributes())}
	t.stack = append(t.stack, f)
	w.open[m.ID] = t
	w.sliceBegins(t, f)
	w.arrowsOf(t, m, f.begin)
}

// OnEnd ends a slice. An instant is written here, for its end is known only now.
func (w *Recording) OnEnd(s sdk.ReadOnlySpan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin(s)
	defer w.flush()
	id := s.SpanContext().SpanID()
	if story := w.stories[id]; story != nil {
		w.endStory(story, s)
		return
	}
	if t := w.open[id]; t != nil {
		t.end(w, id, s)
		return
	}
	if m := moment.Read(s); m.IsInstant() {
		w.instant(w.trackOf(m, s), m, s)
	}
}

// instant writes a slice whole, and the arrow that begins or ends in it.
func (w *Recording) instant(t *track, m *moment.Moment, s sdk.ReadOnlySpan) {
	at := w.since(s.StartTime())
	t.unwind(w, m, at)
	f := &frame{id: m.ID, name: s.Name(), kind: m.Kind, begin: t.at(at), known: s.Attributes()}
	w.sliceBegins(t, f)
	w.arrowsOf(t, m, f.begin)
	w.sliceEnds(t, f.name, t.at(w.since(s.EndTime())), nil)
}

// ForceFlush has nothing to do: nothing waits.
func (w *Recording) ForceFlush(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Shutdown closes the list. What is open stays so: a viewer draws it to the end.
func (w *Recording) Shutdown(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, Tail...)
	w.flush()
	return w.err
}

// Reopen calls reopen, which makes w go to another file, between two spans. Where that is a new one, behind
// a Head of its own, reopen says so, and is told the names and what is open.
func (w *Recording) Reopen(reopen func() (fresh bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !reopen() {
		return
	}
	for _, p := range w.processes {
		w.introduce(p)
	}
	w.flush()
}

func (w *Recording) begin(s sdk.ReadOnlySpan) {
	if w.start.IsZero() {
		w.start = s.StartTime()
	}
}

func (w *Recording) flush() {
	if w.err == nil && len(w.lines) > 0 {
		_, w.err = w.to.Write(w.lines)
	}
	w.lines = w.lines[:0]
}

// since is a moment on the time axis, in ns. It begins with the first span.
func (w *Recording) since(at time.Time) int64 { return max(0, at.Sub(w.start).Nanoseconds()) }
