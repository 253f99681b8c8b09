package mermaid

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"envoywalk/trace/moment"
)

// kind is what the diagram counts.
type kind int

const (
	posts kind = iota
	threads
	calls
	remarks
	lastKind
)

type counts [lastKind]int

// text is the whole diagram.
func (d *diagram) text() string {
	shown := d.chosen()
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	names := d.participants(shown)
	for i, name := range names {
		fmt.Fprintf(&b, "    participant t%d as %s\n", i, escape(short(moment.ShortName(name), mostName)))
	}
	if len(names) == 0 {
		b.WriteString("    participant t0 as " + escape(short(d.service, mostName)) + "\n    Note over t0: nothing to show\n")
		return b.String()
	}
	left := d.total
	for _, m := range shown {
		left[m.of]--
		b.WriteString("    " + m.line(names) + "\n")
	}
	if what := left.String(); what != "" {
		fmt.Fprintf(&b, "    Note over t0: left out: %s\n", escape(what))
	}
	return b.String()
}

// chosen are the messages that are missed most, in order.
func (d *diagram) chosen() (shown []message) {
	for _, of := range d.ranks {
		shown = append(shown, of...)
	}
	shown = shown[:min(len(shown), d.o.Most)]
	for i := range shown {
		if shown[i].of == posts {
			shown[i].to = d.runs(shown[i].to)
		}
	}
	slices.SortStableFunc(shown, func(a, b message) int { return cmp.Compare(a.seq, b.seq) })
	return shown
}

// runs is the thread that runs a dispatcher, or the dispatcher where none is known.
func (d *diagram) runs(dispatcher string) string {
	if thread, ok := d.dispatchers[dispatcher]; ok {
		return thread
	}
	for _, thread := range d.threads {
		if moment.ShortName(thread) == moment.ShortName(dispatcher) {
			return thread
		}
	}
	return dispatcher
}

// participants are the threads of the messages: those that began first, first.
func (d *diagram) participants(shown []message) (names []string) {
	in := map[string]bool{}
	for _, m := range shown {
		in[m.from] = true
		if m.to != "" {
			in[m.to] = true
		}
	}
	for _, thread := range d.threads {
		if in[thread] {
			names = append(names, thread)
			delete(in, thread)
		}
	}
	for _, m := range shown {
		for _, name := range [...]string{m.from, m.to} {
			if in[name] {
				names = append(names, name)
				delete(in, name)
			}
		}
	}
	return names
}

func (m *message) line(names []string) string {
	from := slices.Index(names, m.from)
	text := escape(short(m.text, mostText))
	switch {
	case m.to == "":
		return fmt.Sprintf("Note over t%d: %s", from, text)
	case m.post:
		return fmt.Sprintf("t%d-)t%d: %s", from, slices.Index(names, m.to), text)
	}
	return fmt.Sprintf("t%d->>t%d: %s", from, from, text)
}

func (c counts) String() string {
	var parts []string
	for k, word := range [...]string{posts: "post", threads: "thread", calls: "system call", remarks: "remark"} {
		switch n := c[k]; {
		case n == 1:
			parts = append(parts, "1 "+word)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, word))
		}
	}
	return strings.Join(parts, ", ")
}

// How many characters a text may have: a diagram is read from far, and Mermaid takes no more than 50,000
// for all, of which an escaped one needs nine.
const (
	mostText = 80
	mostName = 24
)

func short(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most/2]) + "…" + string(r[len(r)-(most-most/2-1):])
}

// plain are the characters that Mermaid gives no meaning in a text.
const plain = " _.,:/()[]=|*+?!'-…"

// escape spells s so that Mermaid shows it and does not act on it: everything that is no letter, no digit
// and not plain is an entity of its own.
func escape(s string) string {
	var b strings.Builder
	for _, r := range moment.Clean(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(plain, r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	// Mermaid looks for these words in the whole text, and for a # behind them.
	text := strings.NewReplacer("style", "st#121;le", "classDef", "class#68;ef").Replace(b.String())
	if strings.TrimSpace(text) == "" {
		return "?"
	}
	return text
}
