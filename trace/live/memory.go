package live

import (
	"bytes"
	"fmt"
	"slices"
)

// What a hub keeps of its lines, in bytes.
const (
	startBytes  = 8 << 20  // the first ones, for good: the start-up is in them
	latestBytes = 16 << 20 // the latest
)

// memory keeps the first lines, the latest, and of those between the ones that others lean on: the
// steps and the sources. Lines are numbered from 1.
type memory struct {
	start  [][]byte   // lines 1 to len(start)
	first  int        // bytes in start
	latest [][]byte   // the lines that end with the youngest
	bytes  int        // in latest
	gone   int        // lines between the two
	leant  []numbered // of those: definitions, a bounded number of them
	armed  []byte     // the last that was gone and said what is armed
	stats  []byte     // the last that was gone and said what the recorder lost
}

type numbered struct {
	n    int
	line []byte
}

func (m *memory) count() int { return len(m.start) + m.gone + len(m.latest) }

func (m *memory) add(line []byte) {
	if m.gone == 0 && len(m.latest) == 0 && m.first+len(line) <= startBytes {
		m.start = append(m.start, line)
		m.first += len(line)
		return
	}
	m.latest = append(m.latest, line)
	for m.bytes += len(line); m.bytes > latestBytes && len(m.latest) > 1; {
		m.forget()
	}
}

// forget lets the oldest of the latest go.
func (m *memory) forget() {
	line := m.latest[0]
	m.latest[0] = nil
	m.latest = m.latest[1:]
	m.bytes -= len(line)
	m.gone++
	switch kindOf(line) {
	case "head", "step", "file":
		m.leant = append(m.leant, numbered{len(m.start) + m.gone, line})
	case "armed":
		m.armed = line
	case "stats":
		m.stats = line
	}
}

// kindOf reads a line's k, which stands first.
func kindOf(line []byte) string {
	kind, ok := bytes.CutPrefix(line, []byte(`{"k":"`))
	if end := bytes.IndexByte(kind, '"'); ok && end >= 0 {
		return string(kind[:end])
	}
	return ""
}

// since returns what follows the after first lines, at least one line and else at most so many bytes, and
// the number of the last. Where lines are gone, one line says how many, and those they leave to lean on
// follow it.
func (m *memory) since(after, most int) (lines [][]byte, last int) {
	if after < len(m.start) {
		lines = fitting(m.start[after:], most)
		return lines, after + len(lines)
	}
	if until := len(m.start) + m.gone; after < until {
		lines = m.missed(after, until)
		after = until
		for _, line := range lines {
			most -= len(line)
		}
	}
	rest := m.latest[after-len(m.start)-m.gone:]
	if len(lines) == 0 || most > 0 {
		rest = fitting(rest, most)
	} else {
		rest = nil
	}
	return append(lines, rest...), after + len(rest)
}

// missed are the lines that stand for those after to until, which are gone.
func (m *memory) missed(after, until int) [][]byte {
	at, _ := slices.BinarySearchFunc(m.leant, after+1, func(l numbered, n int) int { return l.n - n })
	leant := m.leant[at:]
	lines := [][]byte{lost(until - after - len(leant))}
	for _, l := range leant {
		lines = append(lines, l.line)
	}
	if m.armed != nil {
		lines = append(lines, m.armed)
	}
	if m.stats != nil {
		lines = append(lines, m.stats)
	}
	return lines
}

func lost(n int) []byte {
	return fmt.Appendf(nil, `{"k":"lost","n":%d,"why":"lines that came too fast to be kept for this page",`+
		`"why_zh":"行来得太快，没有为这个页面留住"}`, n)
}

// fitting are the first lines that together have at most so many bytes, and at least one.
func fitting(lines [][]byte, most int) [][]byte {
	for n, line := range lines {
		if most -= len(line); most < 0 {
			return slices.Clone(lines[:max(n, 1)])
		}
	}
	return slices.Clone(lines)
}
