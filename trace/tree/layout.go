package tree

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace/moment"
)

const (
	textWide = 74 // where the right column begins when the width is unlimited
	leastRow = 24 // columns that the text needs before anything stands to its right
)

// row is one line before it is laid out. All strings are clean.
type row struct {
	gutter []rune
	thread *thread // nil: none
	name   string  // the thread in words
	seq    string
	depth  int
	text   string
	hint   string
	right  string
	style  style
}

func (t *Tree) headline(s sdk.ReadOnlySpan) {
	t.begun = true
	service := t.o.Service
	if service == "" {
		v, _ := s.Resource().Set().Value(attribute.Key("service.name"))
		service = v.AsString()
	}
	t.put(styleHead, moment.Clean(service))
	t.put(styleDim, "● the thread of the line  │ another thread  ─▶ a post to it")
	t.put(styleDim, "a line is called by the one it is indented under; seq: the order; a gap is where something ended")
	if t.o.Chapter > 0 && !t.o.All {
		t.put(styleDim, "▸ folded: an earlier chapter's  (n) began earlier: why the next line ran")
	}
}

// put prints a line that stands outside the columns.
func (t *Tree) put(s style, text string) {
	if t.o.Width > 0 {
		text = shorten(text, t.o.Width)
	}
	t.write(t.paint(s, text) + "\n")
}

// headOfColumns is repeated whenever a thread gets a column.
func (t *Tree) headOfColumns(th *thread) {
	r := row{gutter: []rune(t.glyphs()), name: "thread", seq: "seq", style: styleDim}
	r.text = fmt.Sprintf("column %c: %s", th.glyph, moment.Clean(th.name))
	if len(t.columns) > maxColumns {
		r.text = fmt.Sprintf("column %d: %s", th.column, moment.Clean(th.name))
	}
	if len(t.columns) == maxColumns+1 {
		for _, other := range t.columns[:maxColumns] {
			r.text += fmt.Sprintf(", %d %s", other.column, moment.Clean(other.short))
		}
	}
	if th.column == 0 {
		r.right = "Go code"
	}
	if th.column == 0 && t.o.Envoy {
		r.right = "Envoy's code"
	}
	t.emit(&r)
}

// print lays out m. An event that is shown only because of what comes next may be out of order.
func (t *Tree) print(th *thread, m *event, depth int) {
	r := row{thread: th, depth: depth, text: m.Text(), hint: m.Hint("en"), right: t.right(m)}
	r.style = styleOf(m)
	r.seq = fmt.Sprint(m.Seq)
	if m.Seq < t.printed {
		r.seq = "(" + r.seq + ")"
	}
	t.printed = max(t.printed, m.Seq)
	t.settle(&r)
	if m.Kind == moment.KindPost {
		t.arrow(r.gutter, th, t.findThread(m.PostTo))
	}
	t.emit(&r)
}

// settle fills in the columns of the row's thread, which may appear with it.
func (t *Tree) settle(r *row) {
	if r.thread == nil {
		r.name, r.gutter = "-", t.gutter(markHere)
		return
	}
	if r.thread.column < 0 {
		t.appear(r.thread)
		t.headOfColumns(r.thread)
	}
	r.name, r.gutter = moment.Clean(r.thread.short), t.gutter(markHere, r.thread)
}

// printEnd tells what was not known when the line of a span was printed.
func (t *Tree) printEnd(th *thread, seq int64, depth int, text string, failed bool) {
	r := row{thread: th, depth: depth, text: moment.Clean(text), seq: fmt.Sprint(seq), style: styleDim}
	if failed {
		r.style = styleFailed
	}
	t.settle(&r)
	t.emit(&r)
}

func (t *Tree) ending(th *thread, f *frame, s sdk.ReadOnlySpan) {
	e, depth := moment.ReadEnd(s), th.depth(len(th.stack))
	if f.event.Kind != moment.KindThread && f.shown {
		depth++
	}
	if e.Truncated && !f.warned {
		for i := range th.stack {
			th.stack[i].warned = true
		}
		t.flushFold()
		t.printEnd(th, e.Seq, depth, "records were lost here: more happened than is shown", true)
	}
	if !f.shown {
		return
	}
	for _, note := range e.Notes {
		t.flushFold()
		t.printEnd(th, e.Seq, depth, "note: "+note, false)
	}
	if f.event.Kind == moment.KindThread && !e.Unfinished {
		t.flushFold()
		t.printEnd(th, e.Seq, 0, "thread "+th.name+" ends", false)
	}
}

func (t *Tree) printFold(f *fold, text string) {
	r := row{depth: f.depth, seq: fmt.Sprint(f.seq), text: text, style: styleDim}
	if f.seq < t.printed {
		r.seq = "(" + r.seq + ")"
	}
	if len(t.columns) == 0 {
		r.thread = f.threads[0]
		t.settle(&r)
	}
	if len(f.threads) == 1 {
		r.thread, r.name = f.threads[0], moment.Clean(f.threads[0].short)
	} else {
		r.name, r.hint = "several", "on "+f.names()
	}
	t.printed = max(t.printed, f.seq)
	if !f.hinted {
		f.hinted, r.hint = true, "--tree=all opens them"
	}
	r.gutter = t.gutter(markFold, f.threads...)
	t.emit(&r)
}

func (t *Tree) right(m *event) string {
	if !t.o.Envoy {
		return moment.Clean(m.Place())
	}
	if m.Symbol == "" || t.o.Width > 0 && len(m.Symbol)+len(m.EnvoyPlace()) > t.o.Width/3 {
		return moment.Clean(m.EnvoyPlace())
	}
	return moment.Clean(m.Symbol + " " + m.EnvoyPlace())
}

// emit is the one place that puts a row together.
func (t *Tree) emit(r *row) {
	left := fmt.Sprintf("%s %6s ", pad(shorten(r.name, t.nameWide), t.nameWide), r.seq)
	text := strings.Repeat("  ", t.indent(r.depth)) + r.text
	wide := textWide
	if t.o.Width > 0 {
		wide = t.o.Width - len(r.gutter) - len(left)
		text, r.hint, r.right = fit(wide, text, r.hint, r.right)
	}
	used := columnsOf(text)
	line := t.paintGutter(r) + t.paintThread(r.thread, left) + t.paint(r.style, text)
	if r.hint != "" {
		line += "   " + t.paint(styleDim, r.hint)
		used += 3 + columnsOf(r.hint)
	}
	if r.right != "" {
		gap := wide - used
		if t.o.Width > 0 {
			gap -= columnsOf(r.right)
		}
		line += strings.Repeat(" ", max(gap, 2)) + t.paint(styleDim, r.right)
	}
	t.write(line + "\n")
}

// indent keeps deep nesting from eating the line.
func (t *Tree) indent(depth int) int {
	if t.o.Width > 0 {
		return min(depth, t.o.Width/16)
	}
	return depth
}

// write is one Write per line. After an error it is silent: a reader who went away is no reason to
// stop the program, and Shutdown tells.
func (t *Tree) write(line string) {
	if t.err == nil {
		t.line = append(t.line[:0], line...)
		_, t.err = t.w.Write(t.line)
	}
}
