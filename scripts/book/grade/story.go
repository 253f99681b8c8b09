package grade

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/scripts/book/exercise"
	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

// Story is what the spans of a run say.
type Story struct {
	Trace  *saved.Trace
	events []*event // in the order in which they began
	byID   map[trace.SpanID]*event
}

// event is a span and its place in the order.
type event struct {
	*moment.Moment
	span sdk.ReadOnlySpan
	ends int64
}

func newStory(t *saved.Trace) *Story {
	s := &Story{Trace: t, byID: map[trace.SpanID]*event{}}
	posts := map[int64]*moment.Moment{}
	for _, span := range t.Spans {
		e := &event{moment.Read(span), span, moment.ReadEnd(span).Seq}
		s.events = append(s.events, e)
		s.byID[e.ID] = e
		switch e.Kind {
		case moment.KindPost:
			posts[e.PostID] = e.Moment
		case moment.KindRun:
			if post := posts[e.PostID]; post != nil {
				e.RunOf(post)
			}
		}
	}
	return s
}

// find returns the spans that are so.
func (s *Story) find(q *exercise.Spans) (found []*event) {
	if s == nil {
		return nil
	}
	m := s.matcher(q)
	for _, e := range s.events {
		if m(e) {
			found = append(found, e)
		}
	}
	return found
}

// count is how many there are, or how many different values they have.
func (s *Story) count(q *exercise.Spans) (n int, found []*event) {
	if s == nil {
		return 0, nil
	}
	found = s.find(q)
	if q.Distinct == "" {
		return len(found), found
	}
	for _, times := range valuesOf(found, q) {
		if q.Times == 0 || times == q.Times {
			n++
		}
	}
	return n, found
}

// valuesOf are the different values of the attribute that q counts, with how many spans have each.
func valuesOf(found []*event, q *exercise.Spans) map[string]int {
	values := map[string]int{}
	for _, e := range found {
		for _, kv := range e.span.Attributes() {
			if string(kv.Key) == q.Distinct {
				values[kv.Value.Emit()]++
			}
		}
	}
	return values
}

// tally is how many spans have each value, without the values.
func tally(found []*event, q *exercise.Spans) string {
	values := valuesOf(found, q)
	var times []string
	for _, value := range slices.Sorted(maps.Keys(values)) {
		times = append(times, fmt.Sprint(values[value]))
	}
	return strings.Join(times, " ")
}

// told is the span in one line, as the tree has it.
func (e *event) told() string { return fmt.Sprintf("%s  %s  #%d", e.Place(), e.Text(), e.Seq) }

// Amiss is what is wrong about the spans of something that works.
type Amiss int

// What may be amiss; the zero is that nothing tells of it at all.
const (
	Untold    Amiss = iota
	TooFew          // some tell of it, too few
	TooMany         // it was done more often than was asked
	Order           // not before, or not after, what was asked
	OnThread        // on another thread
	Elsewhere       // not inside of, or not caused by, what was asked
)

// amiss says why the spans that q wants are not there although it works, and which come nearest.
func (s *Story) amiss(q *exercise.Spans) (Amiss, *event) {
	n, found := s.count(q)
	switch {
	case len(found) > 0 && q.Count.Set && n > q.Count.Max:
		return TooMany, found[len(found)-1]
	case len(found) > 0:
		return TooFew, found[len(found)-1]
	}
	for _, x := range []struct {
		amiss Amiss
		asked bool
		loose exercise.Spans
	}{
		{Order, q.Before != nil || q.After != nil,
			without(q, func(q *exercise.Spans) { q.Before, q.After = nil, nil })},
		{OnThread, q.Thread != "", without(q, func(q *exercise.Spans) { q.Thread = "" })},
		{Elsewhere, q.Inside != nil || q.Caused != nil,
			without(q, func(q *exercise.Spans) { q.Inside, q.Caused = nil, nil })},
	} {
		if near := s.find(&x.loose); x.asked && len(near) > 0 {
			return x.amiss, near[len(near)-1]
		}
	}
	return Untold, nil
}

// without is q but for one of its conditions.
func without(q *exercise.Spans, drop func(*exercise.Spans)) exercise.Spans {
	loose := *q
	drop(&loose)
	return loose
}

// matcher is q as a function. What q does not name may be anything.
func (s *Story) matcher(q *exercise.Spans) func(*event) bool {
	args, text := regexp.MustCompile(q.Args), regexp.MustCompile(q.Text)
	call := q.Call != "" || q.Args != "" || q.Ret != nil || q.Errno != "" || q.OK || q.Made != ""
	related := s.relations(q)
	return func(e *event) bool {
		switch {
		case q.Kind != "" && e.Kind != q.Kind, q.Step != "" && e.Step != q.Step,
			call && e.Kind != moment.KindCall, q.Call != "" && e.Call.Name != q.Call,
			!args.MatchString(e.Call.Args), q.Ret != nil && e.Call.Ret != *q.Ret,
			q.Errno != "" && e.Call.Errno != q.Errno, q.OK && e.Call.Errno != "",
			!glob(q.FD, e.FDLabel), !glob(q.Made, e.Call.Label), !glob(q.Thread, e.Thread),
			!glob(q.Object, e.Object), q.Events != "" && e.Events != q.Events:
			return false
		case q.Text != "" && !text.MatchString(e.Text()):
			return false
		}
		return related(e)
	}
}

func glob(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(text, "/", "\x00"))
	return err == nil && ok
}

// relations are what q wants of other spans.
func (s *Story) relations(q *exercise.Spans) func(*event) bool {
	var all []func(*event) bool
	if q.Inside != nil {
		in := s.matcher(q.Inside)
		all = append(all, func(e *event) bool { return slices.ContainsFunc(s.around(e), in) })
	}
	if q.After != nil {
		other := s.find(q.After)
		all = append(all, func(e *event) bool {
			return slices.ContainsFunc(other, func(o *event) bool { return o.Thread == e.Thread && o.Seq < e.Seq })
		})
	}
	if q.Before != nil {
		other := s.find(q.Before)
		all = append(all, func(e *event) bool {
			return slices.ContainsFunc(other, func(o *event) bool { return o.Thread == e.Thread && o.Seq > e.Seq })
		})
	}
	if q.Caused != nil {
		cause := s.matcher(q.Caused)
		all = append(all, func(e *event) bool {
			return slices.ContainsFunc(e.span.Links(), func(l sdk.Link) bool {
				o := s.byID[l.SpanContext.SpanID()]
				return o != nil && cause(o)
			})
		})
	}
	return func(e *event) bool {
		return !slices.ContainsFunc(all, func(holds func(*event) bool) bool { return !holds(e) })
	}
}

// around are the spans that e stands in: its parents, and where a story begins, what it was called in.
func (s *Story) around(e *event) (all []*event) {
	for queue, seen := []*event{e}, map[*event]bool{e: true}; len(queue) > 0; {
		e, queue = queue[0], queue[1:]
		next := []*event{s.byID[e.Parent]}
		if p := next[0]; p != nil && p.Kind == moment.KindStory {
			for _, l := range e.span.Links() {
				next = append(next, s.byID[l.SpanContext.SpanID()])
			}
		}
		for _, o := range next {
			if o != nil && !seen[o] {
				seen[o] = true
				all, queue = append(all, o), append(queue, o)
			}
		}
	}
	return all
}

// labels are what the fds are called at the end of what is told so far.
func (s *Story) labels() map[int]string {
	labels := map[int]string{}
	for _, e := range s.events {
		if e.Kind == moment.KindCall && e.Call.Label != "" {
			labels[int(e.Call.Ret)] = e.Call.Label
		}
		if e.FD >= 0 && e.FDLabel != "" {
			labels[int(e.FD)] = e.FDLabel
		}
		if e.Call.Name == "close" {
			delete(labels, int(e.FD))
		}
	}
	return labels
}
