package browser

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// span is what the plain JSON sink says of a span: the tests' own reading of a run, made without any code of the
// page or of what writes it.
type span struct {
	n                                    int // by seq.start
	seq, end                             int64
	id, parent, name, kind, thread, step string
	links                                []string
	attrs                                map[string]any
	caller                               *span   // the innermost span around it on its thread
	callees                              []*span // of whom it is the caller
}

// oracle answers where a key should lead.
type oracle struct {
	spans    []*span // by seq.start
	byID     map[string]*span
	children map[string][]*span
	runOf    map[string]*span // by the id of the post
}

// written is a span as stdouttrace writes it.
type written struct {
	Name                string
	SpanContext, Parent struct{ TraceID, SpanID string }
	Attributes          []struct {
		Key   string
		Value struct{ Value any }
	}
	Links []struct {
		SpanContext struct{ SpanID string }
	}
}

func readOracle(t testing.TB, file string) *oracle {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o := &oracle{byID: map[string]*span{}, children: map[string][]*span{}, runOf: map[string]*span{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var w written
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		o.add(&w)
	}
	o.arrange()
	return o
}

func (o *oracle) add(w *written) {
	s := &span{id: w.SpanContext.SpanID, parent: w.Parent.SpanID, name: w.Name, attrs: map[string]any{}}
	for _, a := range w.Attributes {
		s.attrs[a.Key] = a.Value.Value
	}
	for _, l := range w.Links {
		s.links = append(s.links, l.SpanContext.SpanID)
	}
	s.seq, s.end = s.number("seq.start"), s.number("seq.end")
	s.kind, s.thread, s.step = s.text("walk.kind"), s.text("thread.name"), s.text("walk.step")
	if strings.Trim(s.parent, "0") == "" {
		s.parent = ""
	}
	o.spans = append(o.spans, s)
	o.byID[s.id] = s
}

func (o *oracle) arrange() {
	slices.SortFunc(o.spans, func(a, b *span) int { return int(a.seq - b.seq) })
	stacks := map[string][]*span{}
	for n, s := range o.spans {
		s.n = n
		s.nest(stacks)
		o.children[s.parent] = append(o.children[s.parent], s)
		if s.kind != "run" {
			continue
		}
		for _, id := range s.links {
			if p := o.byID[id]; p != nil && p.kind == "post" {
				o.runOf[p.id] = s
			}
		}
	}
}

// nest finds what s was called in, by the order alone: what began before it on its thread and ends after it.
func (s *span) nest(stacks map[string][]*span) {
	if s.thread == "" {
		return // a story sits on no stack
	}
	stack := stacks[s.thread]
	for len(stack) > 0 && stack[len(stack)-1].end < s.seq {
		stack = stack[:len(stack)-1]
	}
	if len(stack) > 0 {
		s.caller = stack[len(stack)-1]
		s.caller.callees = append(s.caller.callees, s)
	}
	if !s.instant() {
		stack = append(stack, s)
	}
	stacks[s.thread] = stack
}

func (s *span) text(key string) string { v, _ := s.attrs[key].(string); return v }

func (s *span) number(key string) int64 { v, _ := s.attrs[key].(float64); return int64(v) }

// instant: what has no inside.
func (s *span) instant() bool {
	return s.kind == "syscall" || s.kind == "post" || s.kind == "later" || s.kind == "handover"
}

// The kinds behind the keys 1 to 5.
var kindKeys = map[string][]string{"1": {"function"}, "2": {"syscall"}, "3": {"post", "run"},
	"4": {"turn", "event", "timer", "delete"}, "5": {"thread", "story", "later", "handover"}}

// from returns the first span from n on, in steps of by, that ok likes; nil at the end.
func (o *oracle) from(n, by int, ok func(*span) bool) *span {
	for ; n >= 0 && n < len(o.spans); n += by {
		if ok(o.spans[n]) {
			return o.spans[n]
		}
	}
	return nil
}

// press is where a key leads from s; s itself where there is nowhere to go.
func (o *oracle) press(key string, s *span) *span {
	any := func(*span) bool { return true }
	same := func(x *span) bool { return x.thread == s.thread }
	to := s
	switch key {
	case "j", arrowDown:
		to = o.from(s.n+1, 1, any)
	case "k", arrowUp:
		to = o.from(s.n-1, -1, any)
	case "n":
		to = o.from(s.n+1, 1, same)
	case "N":
		to = o.from(s.n-1, -1, same)
	case "o":
		to = o.from(s.n+1, 1, func(x *span) bool { return same(x) && x.seq > s.end && s.thread != "" })
	case "u", backspace:
		to = cmp.Or(s.caller, o.byID[s.parent])
	case enter:
		if inside := append(slices.Clone(s.callees), o.children[s.id]...); len(inside) > 0 {
			to = inside[0] // children of another thread's or of a story's only where nothing is inside
		}
	case home:
		to = o.spans[0]
	case end:
		to = o.spans[len(o.spans)-1]
	}
	if to == nil {
		return s
	}
	return to
}

// posts are the posts that ran, with their runs.
func (o *oracle) posts() (pairs [][2]*span) {
	for _, s := range o.spans {
		if r := o.runOf[s.id]; r != nil {
			pairs = append(pairs, [2]*span{s, r})
		}
	}
	return pairs
}

// sample is every k-th span so that about n are left, the first and the last among them.
func (o *oracle) sample(n int) (some []*span) {
	by := max(1, len(o.spans)/n)
	for i := 0; i < len(o.spans); i += by {
		some = append(some, o.spans[i])
	}
	return append(some, o.spans[len(o.spans)-1])
}
