package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// noCommand says that there is no such command, and which one was probably meant.
func (b *book) noCommand(name string) string {
	said := fmt.Sprintf(b.text.noSuchCommand, name)
	if near := nearest(name, slices.Sorted(maps.Keys(commands))); near != "" {
		said += "\n" + fmt.Sprintf(b.lessons().nearest, "go tool book "+near)
	}
	return said
}

// nearest is the candidate that a slip of the fingers makes of it, "" where none is near.
func nearest(word string, candidates []string) string {
	word = strings.ToLower(strings.TrimLeft(word, "-"))
	best, least := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		d := distance(word, c)
		if len(word) > 2 && strings.HasPrefix(c, word) {
			d = 1
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or replaced to make b of a; two that changed
// places are one.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
