package lab

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"

	"envoywalk/scripts/book/exercise"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// page is what the template is given.
type page struct {
	*Report
	Chinese      bool
	Style        template.CSS
	Policy       string
	Answer       []exercise.Words
	Arrangements []Arrangement
	Disagree     []Disagreement
	Reading      []Reading
	W            words
}

// Page writes the report as one file that needs nothing else: no script, no request. Both languages are in it;
// lang is the one that it opens with.
func (r *Report) Page(w io.Writer, lang string) error {
	t, err := template.New("page").Funcs(template.FuncMap{"both": both, "bars": bars, "modeWords": modeWords,
		"measures": func() []Measure { return Measures }, "figure": func(m Measure, r Row) string { return m.Text(&r) }}).Parse(pageText)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(pageStyle))
	return t.Execute(w, page{Report: r, Chinese: lang == "zh", Style: template.CSS(pageStyle),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'",
		Answer: r.Answer(), Arrangements: Arrangements, Disagree: r.Disagreements(), Reading: readings, W: texts})
}

// both shows words in both languages; the style hides one.
func both(w exercise.Words, args ...any) template.HTML {
	en, zh := w.En, w.Zh
	if len(args) > 0 {
		en, zh = fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...)
	}
	return template.HTML(`<span lang="en">` + template.HTMLEscapeString(en) + `</span><span lang="zh">` +
		template.HTMLEscapeString(zh) + `</span>`)
}

// bar is one worker in a histogram. Lengths are in the units of the drawing.
type bar struct {
	Worker, Hue      int
	Served, Accepted int
	Y, Height        int
	Long, Mark       float64
	Dots             []float64 // single rounds, as if all had been like this one
}

const (
	barPitch = 20
	barRoom  = 120.0 // for the longest
)

// longest is the length that all histograms of one mode share, so that they can be compared. One worker alone
// has everything, and fills it.
func (t *Table) longest() float64 {
	most := 1
	for _, row := range t.Rows {
		if len(row.Served) == 1 && len(t.Rows) > 1 {
			continue
		}
		most = max(most, slices.Max(row.Served), slices.Max(row.Accepted))
		for _, r := range row.runs {
			most = max(most, slices.Max(r.Served)*len(row.runs))
		}
	}
	return float64(most)
}

// bars are a row's histogram: what lives on each worker, and a mark where it accepted another number.
func bars(t Table, row Row) (all []bar) {
	longest := max(t.longest(), float64(slices.Max(row.Served)))
	for w := range row.Served {
		all = append(all, bar{Worker: w, Hue: w % 8, Served: row.Served[w], Accepted: row.Accepted[w],
			Y: w * barPitch, Height: barPitch * len(row.Served),
			Long: barRoom * float64(row.Served[w]) / longest, Mark: barRoom * float64(row.Accepted[w]) / longest})
		for _, r := range row.runs {
			all[w].Dots = append(all[w].Dots, barRoom*float64(r.Served[w]*len(row.runs))/longest)
		}
	}
	return all
}
