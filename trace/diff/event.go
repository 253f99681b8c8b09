package diff

import (
	"cmp"
	"math"
	"slices"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
	"envoywalk/trace/moment"
)

// Event is what a comparison needs of a span. Other events are named by their index, -1 for none.
type Event struct {
	Seq, End   int64  // End is beyond all Seq where it is not known
	Thread     string // "" for a connection's root, which sits on none
	Kind, Name string
	Step       string // its id in the map
	Object     string
	FD         int64 // -1 for none
	FDLabel    string
	Call       moment.Call // of a system call
	Process    int64       // whose fds are meant; ours is one process, 0
	Text       string      // as the terminal shows it
	Place      string      // file.go:line
	Parent     int
	Caller     int // the innermost that is open around it on its own thread
	Story      int // the root of the connection it is part of, or that it began
	PostedBy   int // of a run its post
}

const none = -1

// FromSpans reads events out of finished spans.
func FromSpans(spans []sdk.ReadOnlySpan) []Event {
	type read struct {
		span sdk.ReadOnlySpan
		*moment.Moment
	}
	all := make([]read, len(spans))
	for i, s := range spans {
		all[i] = read{s, moment.Read(s)}
	}
	slices.SortStableFunc(all, func(x, y read) int { return cmp.Compare(x.Seq, y.Seq) })
	j := joiner{events: make([]Event, 0, len(all)), index: make(map[trace.SpanID]int, len(all)),
		posts: map[int64]int{}, stories: map[trace.TraceID]int{}, run: map[int]bool{}}
	for _, r := range all {
		j.index[r.ID] = len(j.events)
		j.events = append(j.events, newEvent(r.span, r.Moment))
		if r.Kind == moment.KindStory {
			j.stories[r.Trace] = len(j.events) - 1
		}
	}
	for i, r := range all {
		j.join(i, r.Moment)
		if post := j.events[i].PostedBy; post != none {
			r.RunOf(all[post].Moment)
			j.events[i].Text = r.Text()
		}
	}
	return j.events
}

func newEvent(s sdk.ReadOnlySpan, m *moment.Moment) Event {
	e := Event{Seq: m.Seq, End: math.MaxInt64, Thread: m.Thread, Kind: m.Kind, Name: m.Name, Step: m.Step,
		Object: m.Object, FD: m.FD, FDLabel: m.FDLabel, Call: m.Call, Text: m.Text(), Place: m.Place(),
		Parent: none, Caller: none, Story: none, PostedBy: none}
	if m.Kind == moment.KindCall && e.Call.Name == "" {
		e.Call.Name = m.Name
	}
	for _, a := range s.Attributes() {
		switch a.Key {
		case record.KeySeqEnd:
			e.End = a.Value.AsInt64()
		case "process.pid":
			e.Process = a.Value.AsInt64()
		}
	}
	return e
}

// joiner finds out how events hang together.
type joiner struct {
	events  []Event
	index   map[trace.SpanID]int
	posts   map[int64]int
	stories map[trace.TraceID]int
	run     map[int]bool // posts whose run is found
}

func (j *joiner) join(i int, m *moment.Moment) {
	e := &j.events[i]
	if parent, ok := j.index[m.Parent]; ok && parent != i {
		e.Parent = parent
		j.enclose(i, parent)
	}
	if story, ok := j.stories[m.Trace]; ok {
		e.Story = story
	}
	for _, l := range m.Links {
		if cause, ok := j.index[l.SpanContext.SpanID()]; ok && cause != i {
			j.link(i, cause)
		}
	}
	switch m.Kind {
	case moment.KindPost:
		j.posts[m.PostID] = i
	case moment.KindRun:
		if post, ok := j.posts[m.PostID]; ok && m.PostID != 0 {
			j.postedBy(i, post)
		}
	}
}

func (j *joiner) link(i, cause int) {
	j.enclose(i, cause)
	e, c := &j.events[i], &j.events[cause]
	switch {
	case e.Kind == moment.KindRun && c.Kind == moment.KindPost:
		j.postedBy(i, cause)
	case e.Kind == moment.KindStory && c.Kind == moment.KindCall && c.Story == none:
		c.Story = i
	}
}

func (j *joiner) postedBy(run, post int) {
	if e := &j.events[run]; e.PostedBy == none && !j.run[post] {
		e.PostedBy, j.run[post] = post, true
	}
}

// enclose makes outer the caller of event i if it is open around it, and the innermost so far.
func (j *joiner) enclose(i, outer int) {
	e, o := &j.events[i], &j.events[outer]
	if o.Thread == "" || o.Thread != e.Thread || o.Seq >= e.Seq || o.End <= e.Seq {
		return
	}
	if e.Caller == none || o.Seq > j.events[e.Caller].Seq {
		e.Caller = outer
	}
}
