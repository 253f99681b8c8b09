package saved

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
)

// placed is a span and its place in the order.
type placed struct {
	span       sdk.ReadOnlySpan
	start, end int64 // seq.start and seq.end; 0: the span has none
}

// inOrder sorts spans by seq.start. Where a span has no place, because another program made it, or two
// have the same, because the file holds two runs, all of them get one by time.
func inOrder(spans []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	all := once(spans)
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.start, b.start) })
	for i := range all {
		if all[i].start == 0 || i > 0 && all[i].start == all[i-1].start {
			all = byTime(all)
			break
		}
	}
	out := make([]sdk.ReadOnlySpan, len(all))
	for i := range all {
		out[i] = all[i].span
	}
	return out
}

// once leaves out the earlier copies of a span that was delivered twice.
func once(spans []sdk.ReadOnlySpan) (all []placed) {
	type id struct {
		trace trace.TraceID
		span  trace.SpanID
	}
	at := map[id]int{}
	for _, s := range spans {
		c := s.SpanContext()
		i, known := at[id{c.TraceID(), c.SpanID()}]
		if !known {
			i = len(all)
			at[id{c.TraceID(), c.SpanID()}] = i
			all = append(all, placed{})
		}
		all[i] = place(s)
	}
	return all
}

func place(s sdk.ReadOnlySpan) placed {
	p := placed{span: s}
	for _, a := range s.Attributes() {
		switch a.Key {
		case record.KeySeqStart:
			p.start = a.Value.AsInt64()
		case record.KeySeqEnd:
			p.end = a.Value.AsInt64()
		}
	}
	return p
}

// byTime numbers the beginnings and ends of all spans as they followed each other. The numbers of one run
// keep their order, whatever the clock said.
func byTime(all []placed) []placed {
	var moments []instant
	for _, run := range runs(all) {
		moments = append(moments, run...)
	}
	slices.SortStableFunc(moments, func(a, b instant) int { return a.at.Compare(b.at) })
	for i, m := range moments {
		if m.ends {
			m.of.end = int64(i + 1)
		} else {
			m.of.start = int64(i + 1)
		}
	}
	for i := range all {
		all[i].span = stamped(&all[i])
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Compare(a.start, b.start) })
	return all
}

// instant is the beginning or the end of a span.
type instant struct {
	of   *placed
	ends bool
	at   time.Time
	seq  int64
}

// runs parts the spans by the process that numbered them; those without a number are together. Each part
// is in its order, and its clock never goes back.
func runs(all []placed) (parts [][]instant) {
	byRun := map[string][]instant{}
	var names []string
	for i := range all {
		p := &all[i]
		name := ""
		if id := p.span.SpanContext().TraceID(); p.start > 0 {
			name = string(id[:8]) // the recorder's part of the id
		}
		if byRun[name] == nil {
			names = append(names, name)
		}
		byRun[name] = append(byRun[name], instant{p, false, p.span.StartTime(), p.start},
			instant{p, true, later(p.span), max(p.start, p.end)})
	}
	for _, name := range names {
		part := byRun[name]
		if name == "" {
			sortUnnumbered(part)
		} else {
			slices.SortStableFunc(part, func(a, b instant) int { return cmp.Compare(a.seq, b.seq) })
		}
		for i := 1; i < len(part); i++ {
			part[i].at = latest(part[i-1].at, part[i].at)
		}
		parts = append(parts, part)
	}
	return parts
}

// sortUnnumbered sorts by time. In one instant what ends comes first, the inner before the outer; then
// what begins, the outer before the inner; then what took no time at all.
func sortUnnumbered(part []instant) {
	depth := depths(part)
	key := func(m instant) (class int, inside time.Duration, level int) {
		took := later(m.of.span).Sub(m.of.span.StartTime())
		level = depth[m.of.span.SpanContext().SpanID()]
		switch {
		case took == 0:
			return 2, 0, level
		case m.ends:
			return 0, took, -level
		}
		return 1, -took, level
	}
	slices.SortStableFunc(part, func(a, b instant) int {
		ac, ai, al := key(a)
		bc, bi, bl := key(b)
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(ac, bc), cmp.Compare(ai, bi), cmp.Compare(al, bl))
	})
}

// depths counts how many spans each is inside of.
func depths(part []instant) map[trace.SpanID]int {
	parent := map[trace.SpanID]trace.SpanID{}
	for _, m := range part {
		parent[m.of.span.SpanContext().SpanID()] = m.of.span.Parent().SpanID()
	}
	depth := map[trace.SpanID]int{}
	for id := range parent {
		n := 0
		for up, known := parent[id]; known && n < len(parent); up, known = parent[up] {
			n++
		}
		depth[id] = n
	}
	return depth
}

// later is when a span ended; one that did not, or before it began, takes no time.
func later(s sdk.ReadOnlySpan) time.Time { return latest(s.StartTime(), s.EndTime()) }

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// stamped is a span with its place. What another program made says no kind and maybe no thread: it is a
// function, on a lane that has its service's name.
func stamped(p *placed) sdk.ReadOnlySpan {
	s := tracetest.SpanStubFromReadOnlySpan(p.span)
	attributes := []attribute.KeyValue{record.KeySeqStart.Int64(p.start)}
	kind, thread := false, false
	for _, a := range s.Attributes {
		kind = kind || a.Key == record.KeyKind
		thread = thread || a.Key == record.KeyThreadName
		if a.Key != record.KeySeqStart && a.Key != record.KeySeqEnd {
			attributes = append(attributes, a)
		}
	}
	if !kind {
		attributes = append(attributes, record.KeyKind.String("function"))
		if !thread {
			attributes = append(attributes, record.KeyThreadName.String(serviceOf(p.span)))
		}
	}
	s.Attributes = append(attributes, record.KeySeqEnd.Int64(p.end))
	return s.Snapshot()
}

func serviceOf(s sdk.ReadOnlySpan) string {
	if r := s.Resource(); r != nil {
		if v, ok := r.Set().Value("service.name"); ok {
			return v.AsString()
		}
	}
	return "unknown"
}

// services are the names of who made the spans, in order of appearance.
func services(spans []sdk.ReadOnlySpan) string {
	var names []string
	for _, s := range spans {
		if name := serviceOf(s); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
