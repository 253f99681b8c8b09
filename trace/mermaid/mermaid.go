// Package mermaid draws a trace as a Mermaid sequence diagram: threads are participants, posts and new
// threads are arrows, what matters of the rest is an arrow from a thread to itself, or a note.
//
// A diagram that one can read has about sixty messages. What the chapter adds goes first, then what went
// wrong, then the rest in order; the diagram says what it leaves out. It is written at the end.
package mermaid

import (
	"context"
	"io"
	"strings"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/internal/step"
	"envoywalk/trace/moment"
)

// Options say what a diagram shows.
type Options struct {
	Chapter string // the chapter that is the diagram's subject: 04-threading, or 04
	Most    int    // messages; 0 is 60
}

// diagram is the span processor. One goroutine calls it, in the order of seq. What it keeps is bounded.
type diagram struct {
	to      io.Writer
	o       Options
	service string

	open        map[trace.SpanID]*place
	creators    map[trace.SpanID]string // the threads of functions that create one
	posted      map[int64]string        // the chapters of posts on their way
	dispatchers map[string]string       // the threads that run them
	threads     []string                // in order of appearance

	ranks [lastRank][]message
	total counts
}

// place is where an open span stands.
type place struct{ thread, chapter string }

// message is an event that a diagram may show.
type message struct {
	seq      int64
	from, to string // threads, or a dispatcher that no thread runs yet; to is "" for a note
	post     bool
	text     string
	of       kind
}

// rank is how much a reader misses an event. Within one, the earlier is missed more.
type rank int

const (
	ofChapter rank = iota // what the chapter adds: its posts, its threads, its calls
	wrong                 // what no diagram may hide
	moving                // posts and threads of earlier chapters, bytes of connections
	earlier               // their calls
	answers               // calls that were told: not now
	lastRank
)

const mostMessages = 60

// New returns a span processor that writes a diagram to w when it is shut down.
func New(w io.Writer, o Options) sdk.SpanProcessor {
	if o.Most == 0 {
		o.Most = mostMessages
	}
	return &diagram{to: w, o: o, open: map[trace.SpanID]*place{}, creators: map[trace.SpanID]string{},
		posted: map[int64]string{}, dispatchers: map[string]string{}}
}

// OnStart keeps s if a diagram may show it.
func (d *diagram) OnStart(_ context.Context, s sdk.ReadWriteSpan) {
	if d.service == "" {
		d.service = service(s)
	}
	m := moment.Read(s)
	if m.Kind == moment.KindStory {
		return
	}
	at := &place{m.Thread, d.chapterOf(m)}
	if !m.IsInstant() {
		d.open[m.ID] = at
	}
	if len(d.threads) < mostMessages && !contains(d.threads, m.Thread) {
		d.threads = append(d.threads, m.Thread)
	}
	switch m.Kind {
	case moment.KindFunction:
		d.function(m)
	case moment.KindThread:
		d.thread(m)
	case moment.KindPost:
		d.post(m, at)
	case moment.KindCall:
		d.call(m, at)
	case moment.KindLater, moment.KindHandOver:
		d.keep(d.rankOf(at, wrong), message{m.Seq, m.Thread, "", false, m.Text(), remarks})
	}
}

// OnEnd forgets a place.
func (d *diagram) OnEnd(s sdk.ReadOnlySpan) { delete(d.open, s.SpanContext().SpanID()) }

// ForceFlush has nothing to do: a diagram is written when it is whole.
func (d *diagram) ForceFlush(context.Context) error { return nil }

// Shutdown writes the diagram.
func (d *diagram) Shutdown(context.Context) error {
	_, err := io.WriteString(d.to, d.text())
	return err
}

func service(s sdk.ReadOnlySpan) string {
	if r := s.Resource(); r != nil {
		if v, ok := r.Set().Value("service.name"); ok {
			return v.AsString()
		}
	}
	return ""
}

// chapterOf is the chapter that m is told in: its own, its post's, or that of the span around it.
func (d *diagram) chapterOf(m *moment.Moment) string {
	if m.Chapter != "" {
		return m.Chapter
	}
	if chapter := d.posted[m.PostID]; m.Kind == moment.KindRun {
		delete(d.posted, m.PostID)
		if chapter != "" {
			return chapter
		}
	}
	if p := d.open[m.Parent]; p != nil {
		return p.chapter
	}
	for _, l := range m.Links {
		if p := d.open[l.SpanContext.SpanID()]; p != nil && p.thread == m.Thread {
			return p.chapter
		}
	}
	return ""
}

func (d *diagram) function(m *moment.Moment) {
	switch m.Step {
	case step.DispatcherRun.Info().ID:
		d.dispatchers[m.Object] = m.Thread
	case step.PthreadCreate.Info().ID:
		forget(d.creators)
		d.creators[m.ID] = m.Thread
	}
}

// thread is told as what its creator did.
func (d *diagram) thread(m *moment.Moment) {
	for _, l := range m.Links {
		id := l.SpanContext.SpanID()
		from, r := d.creators[id], ofChapter
		if p := d.open[id]; p != nil {
			from, r = p.thread, d.rankOf(p, moving)
		}
		if from != "" {
			d.keep(r, message{m.Seq, from, m.Thread, true, m.Text(), threads})
			return
		}
	}
}

func (d *diagram) post(m *moment.Moment, at *place) {
	forget(d.posted)
	d.posted[m.PostID] = at.chapter
	number, work, _ := strings.Cut(m.Text(), " -> "+moment.Clean(m.PostTo))
	d.keep(d.rankOf(at, moving), message{m.Seq, m.Thread, m.PostTo, true, number + work, posts})
}

func (d *diagram) call(m *moment.Moment, at *place) {
	r, ok := d.rankOfCall(m, at)
	if !ok {
		d.total[calls]++
		return
	}
	d.keep(r, message{m.Seq, m.Thread, m.Thread, false, m.Text(), calls})
}

// rankOf is ofChapter for what the chapter adds.
func (d *diagram) rankOf(at *place, otherwise rank) rank {
	if d.o.Chapter != "" && strings.HasPrefix(at.chapter, d.o.Chapter) {
		return ofChapter
	}
	return otherwise
}

// keep keeps a message where its rank has room; they come in order.
func (d *diagram) keep(r rank, m message) {
	d.total[m.of]++
	if len(d.ranks[r]) < d.o.Most {
		d.ranks[r] = append(d.ranks[r], m)
	}
}

// forget bounds what waits for something that may never come.
func forget[K comparable, V any](m map[K]V) {
	if len(m) > 1<<14 {
		clear(m)
	}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
