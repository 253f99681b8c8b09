package tree

import (
	"strings"

	"envoywalk/trace/moment"
)

// style is what a part of a line looks like on a terminal that has colours.
type style string

const (
	stylePlain  style = ""
	styleHead   style = "1"
	styleDim    style = "2"
	styleCall   style = "36"
	stylePost   style = "35"
	styleEvent  style = "34"
	styleFailed style = "31"
	styleLater  style = "1;33"
)

// threadStyles go round: neighbours in the gutter differ.
var threadStyles = [...]style{"32", "33", "36", "35", "34", "92", "93", "96"}

func styleOf(m *event) style {
	switch {
	case m.Kind == moment.KindLater:
		return styleLater
	case m.IsAlarming():
		return styleFailed
	case m.Kind == moment.KindCall:
		return styleCall
	case m.Kind == moment.KindPost, m.Kind == moment.KindRun:
		return stylePost
	case m.Kind == moment.KindFunction:
		return stylePlain
	}
	return styleEvent
}

func (t *Tree) paint(s style, text string) string {
	if !t.o.Color || s == stylePlain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

func (t *Tree) paintThread(th *thread, text string) string {
	if th == nil || th.column < 0 {
		return text
	}
	return t.paint(threadStyles[th.column%len(threadStyles)], text)
}

// paintGutter gives every column its thread's colour.
func (t *Tree) paintGutter(r *row) string {
	if !t.o.Color || len(t.columns) > maxColumns {
		return string(r.gutter)
	}
	var b strings.Builder
	for i, th := range t.columns {
		b.WriteString(t.paintThread(th, string(r.gutter[2*i:2*i+2])))
	}
	return b.String()
}
