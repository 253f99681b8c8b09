package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen is how what the book says is laid out: how wide, and whether in colour.
type screen struct {
	wide  int
	color bool
}

const (
	usualWidth = 100 // where there is no terminal
	leastWidth = 40
)

// screenOf looks at where out leads. COLUMNS and NO_COLOR are obeyed.
func screenOf(out io.Writer, getenv func(string) string) screen {
	s := screen{wide: usualWidth}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.color = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
		if wide, _, err := term.GetSize(int(f.Fd())); err == nil && wide > 0 {
			s.wide = wide
		}
	}
	if wide, err := strconv.Atoi(getenv("COLUMNS")); err == nil && wide > 0 {
		s.wide = wide
	}
	s.wide = max(s.wide, leastWidth)
	return s
}

// tint is a colour of the terminal.
type tint string

const (
	plain  tint = ""
	bold   tint = "1"
	faint  tint = "2"
	red    tint = "31"
	green  tint = "32"
	yellow tint = "33"
	blue   tint = "34"
)

func (s screen) paint(t tint, text string) string {
	if !s.color || t == plain || text == "" {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

// hang is text after a first column, wrapped so that what follows stands under where it began.
func (s screen) hang(first, text string) string {
	indent := columns(first)
	lines := wrap(text, max(s.wide-indent, leastWidth/2))
	return first + strings.Join(lines, "\n"+strings.Repeat(" ", indent)) + "\n"
}

// wrap breaks text into lines of at most wide columns: at blanks, and between Chinese characters. A word
// that is longer stays whole: paths and commands are to be copied.
func wrap(text string, wide int) []string {
	var lines []string
	line, used := "", 0
	for _, piece := range kept(pieces(text)) {
		n := columns(piece)
		if used > 0 && used+columns(strings.TrimRight(piece, " ")) > wide {
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = "", 0
			if piece = strings.TrimLeft(piece, " "); piece == "" {
				continue
			}
			n = columns(piece)
		}
		line, used = line+piece, used+n
	}
	return append(lines, strings.TrimRight(line, " "))
}

// pieces are what a line may be broken between: words with the blanks after them, the parts of a C++ name,
// single Chinese characters.
func pieces(text string) (all []string) {
	word := ""
	flush := func() {
		if word != "" {
			all = append(all, word)
			word = ""
		}
	}
	for i, r := range text {
		isWide := runeColumns(r) == 2
		if isWide || i > 0 && r != ' ' && (strings.HasSuffix(word, " ") || strings.HasSuffix(word, "::")) {
			flush()
		}
		word += string(r)
		if isWide {
			flush()
		}
	}
	flush()
	return all
}

const (
	closing = "，。；：？！、…）》”’】」,.;:?!)]}" // no line begins with these
	opening = "（《“‘【「([{"               // and none ends with these
	marks   = "*`\""                    // these open, and then close
)

// kept are pieces again, with what closes joined to what it closes, and what opens to what it opens.
func kept(all []string) (joined []string) {
	open, glue := map[rune]bool{}, false
	for _, piece := range all {
		first, _ := utf8.DecodeRuneInString(piece)
		closes := strings.ContainsRune(closing, first) || open[first]
		for _, r := range piece {
			if strings.ContainsRune(marks, r) && (r == '`' || !open['`']) {
				open[r] = !open[r]
			}
		}
		last := len(joined) - 1
		if last >= 0 && (glue || closes && !strings.HasSuffix(joined[last], " ")) {
			joined[last] += piece
		} else {
			joined = append(joined, piece)
		}
		end, _ := utf8.DecodeLastRuneInString(piece)
		glue = strings.ContainsRune(opening, end) || open[end]
	}
	return joined
}

func columns(text string) (n int) {
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

// runeColumns: the scripts of East Asia take two columns of a terminal.
func runeColumns(r rune) int {
	switch {
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// padded is text with blanks behind it, wide columns in all.
func padded(text string, wide int) string {
	return text + strings.Repeat(" ", max(0, wide-columns(text)))
}

// cut is text with its end taken off until it has wide columns.
func cut(text string, wide int) string {
	if columns(text) <= wide {
		return text
	}
	var kept string
	for _, r := range text {
		if columns(kept)+runeColumns(r) >= wide {
			break
		}
		kept += string(r)
	}
	return kept + "…"
}
