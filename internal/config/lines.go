package config

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxLineText is how much of a line Place tells, in bytes.
const maxLineText = 120

// source is a document's text. Its lines are found when somebody first asks for one.
type source struct {
	bytes  []byte
	breaks func(b []byte) int
	once   sync.Once
	starts []int32 // the offset of each line
}

// Place says where the object at path begins: the source, its line from 1, and what that line says,
// for whoever shows what the configuration led to. Line 0: nothing is written there. Any thread; a
// nil Result has no places.
func (r *Result) Place(path string) (file string, line int, text string) {
	if r == nil || path == "" {
		return "", 0, ""
	}
	doc, at, ok := locate(r.docs, path)
	if !ok {
		return "", 0, ""
	}
	return at.File, at.Line, doc.text.told(at)
}

// told is the line of at, trimmed. An opening bracket alone says nothing: it takes the next line along.
// Where the line is so long that the object would not be seen, it is told from the object on.
func (s *source) told(at Position) string {
	line := s.line(at.Line)
	text := strings.TrimSpace(line)
	if !strings.ContainsFunc(text, isWord) {
		text = strings.TrimSpace(text + " " + strings.TrimSpace(s.line(at.Line+1)))
	}
	if len(text) <= maxLineText {
		return text
	}
	if rest := strings.TrimSpace(fromColumn(line, at.Column)); len(text)-len(rest) > maxLineText/2 {
		text = "..." + rest
	}
	if len(text) > maxLineText {
		text = cut(text, maxLineText-len("..."))
	}
	return text
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// fromColumn is the line without the characters before the column.
func fromColumn(line string, column int) string {
	for ; column > 1 && line != ""; column-- {
		_, n := utf8.DecodeRuneInString(line)
		line = line[n:]
	}
	return line
}

// line is one line of the source, from 1, with its break; empty where there is none.
func (s *source) line(n int) string {
	s.once.Do(s.split)
	if n < 1 || n > len(s.starts) {
		return ""
	}
	end := len(s.bytes)
	if n < len(s.starts) {
		end = int(s.starts[n])
	}
	return string(s.bytes[s.starts[n-1]:end])
}

func (s *source) split() {
	s.starts = append(s.starts, 0)
	for i := 0; i < len(s.bytes); {
		n := s.breaks(s.bytes[i:])
		if n > 0 {
			s.starts = append(s.starts, int32(i+n))
		}
		i += max(n, 1)
	}
}

// yamlBreak is the length of the line break that b begins with, 0 for none: what the YAML parser
// counts as lines.
func yamlBreak(b []byte) int {
	switch {
	case b[0] == '\n':
		return 1
	case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return 2
	case b[0] == '\r':
		return 1
	case b[0] < utf8.RuneSelf:
		return 0
	}
	switch r, n := utf8.DecodeRune(b); r {
	case '\u0085', '\u2028', '\u2029':
		return n
	}
	return 0
}

// jsonBreak is the same for JSON, whose lines end with a newline.
func jsonBreak(b []byte) int {
	if b[0] == '\n' {
		return 1
	}
	return 0
}
