package chrome

import (
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/trace/moment"
)

// process is a program: all spans of one service.
type process struct {
	service string
	pid     int64
	threads map[string][]*track // by thread name; one, where slices nest
	tracks  []*track            // in order of appearance
}

// track is what a viewer draws as one row: slices on it only nest.
type track struct {
	process *process
	name    string
	tid     int64
	last    int64 // when its last event was: time never goes back
	stack   []*frame
}

// frame is a slice that has begun and not ended.
type frame struct {
	id         trace.SpanID
	name, kind string
	begin      int64
	known      []attribute.KeyValue // when it began
}

// at is a moment no earlier than what stands on the track already.
func (t *track) at(ns int64) int64 {
	t.last = max(t.last, ns)
	return t.last
}

// trackOf is the row of m's thread. Spans of programs without threads may overlap: those that are in
// nobody take another row.
func (w *Recording) trackOf(m *moment.Moment, s sdk.ReadOnlySpan) *track {
	p := w.processOf(m, s)
	rows := p.threads[m.Thread]
	for _, t := range rows {
		if m.TID != 0 || len(t.stack) == 0 || t.holder(m) == len(t.stack) {
			return t
		}
	}
	name := m.Thread
	if len(rows) > 0 {
		name = fmt.Sprintf("%s (%d)", name, len(rows)+1)
	}
	t := &track{process: p, name: name, tid: p.freeTID(m.TID)}
	p.threads[m.Thread] = append(rows, t)
	p.tracks = append(p.tracks, t)
	w.name(t)
	return t
}

func (w *Recording) processOf(m *moment.Moment, s sdk.ReadOnlySpan) *process {
	service := "unknown"
	if r := s.Resource(); r != nil {
		if v, ok := r.Set().Value("service.name"); ok {
			service = v.AsString()
		}
	}
	for _, p := range w.processes {
		if p.service == service {
			return p
		}
	}
	p := &process{service: service, pid: m.TID, threads: map[string][]*track{}} // the first thread has the process's number
	if p.pid == 0 || w.taken(p.pid) {
		p.pid = int64(1 + len(w.processes))
	}
	w.processes = append(w.processes, p)
	w.nameProcess(p)
	return p
}

func (w *Recording) taken(pid int64) bool {
	for _, p := range w.processes {
		if p.pid == pid {
			return true
		}
	}
	return false
}

// noTID is above every number that Linux gives a thread: rows from here on have none.
const noTID = 1 << 22

func (p *process) freeTID(want int64) int64 {
	free := want
	for _, t := range p.tracks {
		if t.tid == want {
			free = 0
		}
	}
	if free == 0 {
		return noTID + int64(len(p.tracks))
	}
	return free
}

// holder is how many frames, from the outermost on, m may be inside of: up to the innermost one that is its
// parent or, where it begins a part of a story, its link; 0 if it is in none.
func (t *track) holder(m *moment.Moment) int {
	for i := len(t.stack) - 1; i >= 0; i-- {
		id := t.stack[i].id
		if m.Parent == id {
			return i + 1
		}
		for _, l := range m.Links {
			if l.SpanContext.SpanID() == id {
				return i + 1
			}
		}
	}
	return 0
}

// unwind ends the slices that m shows to be over although their ends were lost.
func (t *track) unwind(w *Recording, m *moment.Moment, at int64) {
	keep := t.holder(m)
	if keep == 0 && m.Kind != moment.KindThread {
		return // its own begin may be what was lost
	}
	t.cut(w, keep, at)
}

func (t *track) cut(w *Recording, keep int, at int64) {
	for n := len(t.stack); n > keep; n-- {
		f := t.stack[n-1]
		delete(w.open, f.id)
		t.stack = t.stack[:n-1]
		w.sliceEnds(t, f.name, t.at(at), nil)
	}
}

// end ends the slice of id, and before it those that a lost end has left open inside of it.
func (t *track) end(w *Recording, id trace.SpanID, s sdk.ReadOnlySpan) {
	n := len(t.stack) - 1
	for n >= 0 && t.stack[n].id != id {
		n--
	}
	end := w.since(s.EndTime())
	t.cut(w, n+1, end)
	f := t.stack[n]
	t.stack = t.stack[:n]
	delete(w.open, id)
	w.sliceEnds(t, f.name, t.at(end), learnt(f.known, s))
}
