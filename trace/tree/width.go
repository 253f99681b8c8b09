package tree

import (
	"strings"
	"unicode"
)

// fit cuts a row to wide columns: the hint goes first, then the middle of the text, because a call
// has its name in front and its result at the end; the right column goes only where there would be
// no room for text.
func fit(wide int, text, hint, right string) (string, string, string) {
	room := wide
	if right != "" {
		room -= columnsOf(right) + 2
	}
	if room < leastRow {
		room, right = wide, ""
	}
	if hint != "" && columnsOf(text)+3+columnsOf(hint) > room {
		hint = ""
	}
	return shorten(text, max(room, 1)), hint, right
}

// shorten cuts the middle out of s until it has at most wide columns.
func shorten(s string, wide int) string {
	if columnsOf(s) <= wide {
		return s
	}
	if wide <= 1 {
		return "…"
	}
	r := []rune(s)
	head, used := 0, 0
	for ; used+runeColumns(r[head]) <= (wide-1)/2; head++ {
		used += runeColumns(r[head])
	}
	tail := len(r)
	for ; used+runeColumns(r[tail-1]) <= wide-1; tail-- {
		used += runeColumns(r[tail-1])
	}
	return string(r[:head]) + "…" + string(r[tail:])
}

func pad(s string, wide int) string {
	return s + strings.Repeat(" ", max(0, wide-columnsOf(s)))
}

func columnsOf(s string) (n int) {
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns is how many columns a terminal gives r: none to marks on the rune before, two to the
// scripts of East Asia.
func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}
