package tree

import (
	"fmt"
	"strings"
)

// maxColumns is how many threads get a column; more are told by number.
const maxColumns = 8

// The marks of the gutter.
const (
	markHere = '●' // the thread of this line
	markLive = '│' // another thread that lives
	markFold = '┆' // a thread of a folded line
)

// gutter draws a column per thread, the line's own threads marked.
func (t *Tree) gutter(mark rune, here ...*thread) []rune {
	if len(t.columns) > maxColumns {
		return t.indexGutter(here)
	}
	g := []rune(strings.Repeat(" ", 2*len(t.columns)))
	for i, th := range t.columns {
		if th.alive {
			g[2*i] = markLive
		}
	}
	for _, th := range here {
		if th != nil && th.column >= 0 {
			g[2*th.column] = mark
		}
	}
	return g
}

func (t *Tree) indexGutter(here []*thread) []rune {
	if len(here) != 1 || here[0] == nil || here[0].column < 0 {
		return []rune("       ")
	}
	return []rune(fmt.Sprintf("%3d    ", here[0].column))
}

// arrow draws from the poster's column to the target's.
func (t *Tree) arrow(g []rune, from, to *thread) {
	switch {
	case to == nil || to == from || from.column < 0:
	case len(t.columns) > maxColumns:
		copy(g[3:], []rune(fmt.Sprintf("▶%-3d", to.column)))
	case to.column > from.column:
		line(g[2*from.column+1 : 2*to.column])
		g[2*to.column] = '▶'
	default:
		line(g[2*to.column+1 : 2*from.column])
		g[2*to.column] = '◀'
	}
}

// line crosses the columns between.
func line(g []rune) {
	for i, r := range g {
		g[i] = '─'
		if r == markLive {
			g[i] = '┼'
		}
	}
}

// glyphs is the head of the gutter.
func (t *Tree) glyphs() string {
	if len(t.columns) > maxColumns {
		return "column "
	}
	var b strings.Builder
	for _, th := range t.columns {
		b.WriteByte(th.glyph)
		b.WriteByte(' ')
	}
	return b.String()
}
