package config

import (
	"fmt"
	"strings"
)

// Position is a place in a configuration source, 1-based, columns in characters.
// The zero Line means that only the source as a whole is known.
type Position struct {
	File         string // the path as given with -c, or "--config-yaml"
	Line, Column int
}

// String prints file:line:column, or the file alone when no line is known.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is one refused thing. Loading stops at the first one, as Envoy's does.
type Error struct {
	Sentence string   // Envoy's own wording, so that a search finds Envoy's threads
	Pos      Position // where it stands
	Path     string   // which field of the configuration it is, may be empty
	Hint     string   // what was probably meant, may be empty

	cause error
}

// Unwrap is the error that was given a place, nil for one that was made with it.
func (e *Error) Unwrap() error { return e.cause }

// Error prints Envoy's sentence first, then what Envoy does not say, a line each.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Sentence)
	if e.Pos != (Position{}) {
		b.WriteString("\n  at " + e.Pos.String())
	}
	if e.Path != "" {
		b.WriteString("\n  path: " + e.Path)
	}
	if e.Hint != "" {
		b.WriteString("\n  hint: " + e.Hint)
	}
	return b.String()
}

// Field is one field of the configuration that is reported, not refused.
type Field struct {
	Name    string // full protobuf name: of the field, or of the extension's message
	Path    string // static_resources.listeners[0].filter_chains, after the merge
	Pos     Position
	Chapter int    // the chapter that acts on it; 0 for an unknown field
	What    string // what that chapter does with it, or why the field is unknown
}

// oneLine is the beginning of a source, on one line, for a sentence that quotes it.
func oneLine(s string) string {
	return strings.Join(strings.Fields(cut(s, 200)), " ")
}

// cut shortens s to at most n bytes, on a character boundary, and marks the cut.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "..."
}
