package main

import (
	"fmt"
	"slices"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/lab"
)

// The columns of a table: a label, and a cell for each arrangement.
const (
	labLabel = 18
	labCell  = 16
	labBar   = 6
)

// labTables prints the report: the answer to the question, then the tables that it comes from.
func (b *book) labTables(r *lab.Report) {
	fmt.Fprint(b.out, b.screen.paint(bold, b.text.labTitle)+"   "+
		r.Setup().In(b.text.lang)+"   "+r.Hardware().In(b.text.lang)+"\n")
	answer := r.Answer()
	if r.TooFew() { // not below the tables, where what they show has been believed
		b.labShort(answer[0].In(b.text.lang))
		answer = answer[1:]
	}
	for _, t := range r.Modes {
		fmt.Fprint(b.out, "\n"+b.screen.paint(bold, lab.ModeTitle(t.Mode, b.text.lang))+"\n")
		rows := t.Rows
		if i := slices.IndexFunc(rows, func(row lab.Row) bool { return row.Arrangement == "alone" }); i >= 0 {
			rows = slices.Delete(slices.Clone(rows), i, i+1)
		}
		b.labTable(rows)
		if alone := t.Row("alone"); alone != nil {
			fmt.Fprint(b.out, b.screen.hang("", fmt.Sprintf(b.text.labAlone, lab.Compact(alone.P50Ratio), lab.Compact(alone.TookRatio))))
		}
	}
	fmt.Fprint(b.out, "\n"+b.screen.paint(faint, strings.TrimRight(b.screen.hang("", lab.Legend(b.text.lang)), "\n"))+"\n\n")
	b.labAnswer(r, answer)
}

func (b *book) labShort(said string) {
	laid := strings.TrimSuffix(b.screen.hang("", said), "\n")
	fmt.Fprintln(b.out, b.screen.paint(bold, laid))
}

// labTable stands side by side where there is room, else one arrangement below the other.
func (b *book) labTable(rows []lab.Row) {
	if labLabel+labCell*len(rows) > b.screen.wide {
		for i := range rows {
			b.labPart(rows[i : i+1])
		}
		return
	}
	b.labPart(rows)
}

func (b *book) labPart(rows []lab.Row) {
	line := func(label string, cell func(*lab.Row) string) {
		text := padded(label, labLabel)
		for i := range rows {
			text += cell(&rows[i])
		}
		fmt.Fprintln(b.out, strings.TrimRight(text, " "))
	}
	line("", func(r *lab.Row) string { return b.screen.paint(bold, padded(r.Arrangement, labCell)) })
	longest := 1
	for _, r := range rows {
		longest = max(longest, slices.Max(r.Served), slices.Max(r.Accepted))
	}
	for w := range rows[0].Served {
		line(fmt.Sprintf("worker_%d", w), func(r *lab.Row) string { return b.labBar(r, w, longest) })
	}
	for _, m := range lab.Measures {
		line(m.Name.In(b.text.lang), func(r *lab.Row) string { return padded(m.Compact(r), labCell) })
	}
}

// labBar is one worker's share: a bar and the number; accepted→served where these differ.
func (b *book) labBar(r *lab.Row, w, longest int) string {
	n := (labBar*r.Served[w] + longest/2) / longest
	if n == 0 && r.Served[w] > 0 {
		n = 1
	}
	number := fmt.Sprint(r.Served[w])
	if r.Accepted[w] != r.Served[w] {
		number = fmt.Sprintf("%d→%d", r.Accepted[w], r.Served[w])
	}
	hues := [...]tint{"34", "33", "32", "35", "36", "31"}
	return b.screen.paint(hues[w%len(hues)], strings.Repeat("█", n)) + padded(" "+number, labCell-n)
}

func (b *book) labAnswer(r *lab.Report, answer []exercise.Words) {
	b.labShort(answer[0].In(b.text.lang))
	for _, sentence := range answer[1:] {
		fmt.Fprint(b.out, b.screen.hang("  - ", sentence.In(b.text.lang)))
	}
	all := r.Disagreements()
	for _, d := range all {
		said := map[string]string{"en": d.En, "zh": d.Zh}[b.text.lang]
		fmt.Fprint(b.out, b.screen.hang("  ! ", fmt.Sprintf("%s, %s: %s", d.Run.Arrangement, d.Run.Mode, said)))
	}
	if len(all) == 0 {
		agree, runs := r.Agreement()
		fmt.Fprint(b.out, b.screen.hang("  - ", fmt.Sprintf(agree.In(b.text.lang), runs)))
	}
	fmt.Fprint(b.out, "\n"+b.screen.hang("", b.text.labNext))
}
