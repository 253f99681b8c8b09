package diff

import (
	"fmt"
	"slices"

	"envoywalk/trace/moment"
)

// lineWords are what is said of a difference in one language; web/diff.js has the same.
type lineWords struct{ head, inside, wasAfter, wasBefore string }

var english = lineWords{
	head:      "%d the same, %d missing (-), %d extra (+), %d in another order (~)",
	inside:    "and %d inside",
	wasAfter:  `was after "%s", is before it`,
	wasBefore: `was before "%s", is after it`,
}

var chinese = lineWords{
	head:      "相同 %d，缺少 %d（-），多出 %d（+），次序不同 %d（~）",
	inside:    "连同里面的 %d 个",
	wasAfter:  "原来在“%s”之后，现在在它之前",
	wasBefore: "原来在“%s”之前，现在在它之后",
}

// Lines are the difference in words, in English or, for lang zh, in Chinese: a count, then a line for each
// place. What is inside of a line is only counted.
func (r *Result) Lines(lang string) []string {
	words := &english
	if lang == "zh" {
		words = &chinese
	}
	lines := []string{fmt.Sprintf(words.head, r.Same, len(r.Missing), len(r.Extra), len(r.Reordered))}
	lines = append(lines, oneSided("- ", r.a, r.Missing, words)...)
	lines = append(lines, oneSided("+ ", r.b, r.Extra, words)...)
	moved := map[int]bool{}
	for _, m := range r.Reordered {
		moved[m.A] = true
	}
	for _, m := range r.Reordered {
		if holderIn(r.a, m.A, moved) != none {
			continue
		}
		how := words.wasBefore
		if m.After {
			how = words.wasAfter
		}
		lines = append(lines, fmt.Sprintf("~ %d->%d %s   %s", r.a[m.A].Seq, r.b[m.B].Seq, r.a[m.A].said(),
			fmt.Sprintf(how, r.a[m.By].Text)))
	}
	return lines
}

// oneSided are the lines of what only one of the traces has.
func oneSided(sign string, all []Event, events []int, words *lineWords) (lines []string) {
	inside := countInside(all, events)
	for _, i := range events {
		n, top := inside[i]
		if !top {
			continue
		}
		line := fmt.Sprintf("%s%d %s", sign, all[i].Seq, all[i].said())
		if n > 0 {
			line += "   " + fmt.Sprintf(words.inside, n)
		}
		lines = append(lines, line)
	}
	return lines
}

// said is the event as a line shows it.
func (e *Event) said() string {
	s := "- "
	if e.Thread != "" {
		s = moment.ShortName(e.Thread) + " "
	}
	s += e.Text
	if e.Place != "" {
		s += "   " + e.Place
	}
	return s
}

// countInside maps those that are not inside of another of the events to how many are inside of them.
func countInside(all []Event, events []int) map[int]int {
	among := map[int]bool{}
	for _, i := range events {
		among[i] = true
	}
	top, counts := map[int]int{}, map[int]int{}
	for _, i := range slices.Sorted(slices.Values(events)) { // whom an event is inside of comes before it
		holder := holderIn(all, i, among)
		if holder == none {
			top[i], counts[i] = i, 0
			continue
		}
		top[i] = top[holder]
		counts[top[i]]++
	}
	return counts
}

// holderIn is the nearest of the events that event i is inside of, a run being inside of its post.
func holderIn(all []Event, i int, events map[int]bool) int {
	for i = all[i].holder(); i != none && !events[i]; i = all[i].holder() {
	}
	return i
}

func (e *Event) holder() int {
	switch {
	case e.PostedBy != none:
		return e.PostedBy
	case e.Caller != none:
		return e.Caller
	}
	return e.Parent
}
