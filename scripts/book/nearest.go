package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"envoywalk/internal/config"
)

// noCommand says that there is no such command, and which one was probably meant.
func (b *book) noCommand(name string) string {
	said := fmt.Sprintf(b.text.noSuchCommand, name)
	if near := nearest(name, slices.Sorted(maps.Keys(commands))); near != "" {
		said += "\n" + fmt.Sprintf(b.lessons().nearest, "go tool book "+near)
	}
	return said
}

// nearest is the candidate that a slip of the fingers makes of it, or that it begins; "" where there is none.
func nearest(word string, candidates []string) string {
	word = strings.ToLower(strings.TrimLeft(word, "-"))
	for _, c := range candidates {
		if len(word) > 2 && strings.HasPrefix(c, word) {
			return c
		}
	}
	return config.Nearest(word, candidates)
}
