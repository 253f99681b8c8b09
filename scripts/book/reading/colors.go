package reading

import (
	"go/scanner"
	"go/token"
	"strings"
)

// Piece is a stretch of one line of Go: Class is comment, keyword, string, number, step or "".
type Piece struct{ Class, Text string }

// Pieces takes Go code apart, line by line. Code is whole declarations, so it can be scanned alone.
func Pieces(code []string) [][]Piece {
	text := strings.Join(code, "\n")
	var s scanner.Scanner
	set := token.NewFileSet()
	s.Init(set.AddFile("", set.Base(), len(text)), []byte(text), nil, scanner.ScanComments)
	lines := [][]Piece{nil}
	at := 0
	add := func(class, part string) {
		for i, line := range strings.Split(part, "\n") {
			if i > 0 {
				lines = append(lines, nil)
			}
			if line != "" {
				lines[len(lines)-1] = append(lines[len(lines)-1], Piece{class, line})
			}
		}
	}
	for {
		pos, tok, literal := s.Scan()
		from := set.Position(pos).Offset
		if tok == token.EOF {
			add("", text[at:])
			return lines
		}
		class := classOf(tok)
		if class == "" || literal == "" {
			continue
		}
		add("", text[at:from])
		add(class, text[from:from+len(literal)])
		at = from + len(literal)
	}
}

func classOf(t token.Token) string {
	switch {
	case t == token.COMMENT:
		return "comment"
	case t == token.STRING || t == token.CHAR:
		return "string"
	case t == token.INT || t == token.FLOAT:
		return "number"
	case t.IsKeyword():
		return "keyword"
	}
	return ""
}
