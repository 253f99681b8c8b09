package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	// The gutter, the thread's name, seq, and the text.
	eventLine = regexp.MustCompile(`^[●│┆─┼▶◀ 0-9]*?([A-Za-z-][\w:…-]*)\s+[0-9]+\s+(\S.*)$`)
	// What stands wherever the threads happened to meet: the head that introduces a thread, and
	// (n), a line that is repeated because another thread's stood between.
	meeting = regexp.MustCompile(`\bthread\s+seq\b|[\w…]\s+\([0-9]+\) `)
	// How the loop came to run what it ran: its turns, its waits, its wake-ups, and what is folded.
	looping = regexp.MustCompile(`^(turn\b|epoll_pwait\(|(read|write)\([0-9]+<wake:|▸ )`)
	queued  = regexp.MustCompile(`^(post .*?) {3}queue .*$`)
	digits  = regexp.MustCompile(`[0-9]+`)
	folded  = regexp.MustCompile(`\s[x×] ?#`)
	spaces  = regexp.MustCompile(`\s+`)
)

// causal is a printed tree reduced to what must be the same in every run: what each role does, and
// what it does first. Numbers become #, and so the workers are one role: which of them a connection
// meets is the kernel's choice, and so is how often all are woken for it. Turns, waits and wake-ups
// go, because how many there are is a matter of time. The order between roles is taken out by
// putting one after the other.
func causal(tree string) []string {
	byRole := map[string][]string{}
	for _, raw := range strings.Split(tree, "\n") {
		fence := strings.HasPrefix(raw, "```")
		if fence || meeting.MatchString(raw) || strings.TrimSpace(raw) == "" {
			continue
		}
		role, text := "", raw
		if m := eventLine.FindStringSubmatch(raw); m != nil {
			role, text = withoutNumbers(m[1]), m[2]
		}
		said := strings.TrimSpace(role + " " + withoutNumbers(text))
		if !looping.MatchString(text) && !slices.Contains(byRole[role], said) {
			byRole[role] = append(byRole[role], said)
		}
	}
	var texts []string
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		texts = append(texts, byRole[role]...)
	}
	return texts
}

func withoutNumbers(text string) string {
	text = queued.ReplaceAllString(text, "$1")
	text = digits.ReplaceAllString(text, "#")
	text = folded.ReplaceAllString(text, "")
	return strings.TrimSpace(spaces.ReplaceAllString(text, " "))
}

// firstDifference is the first line in which the two differ, "" on the side that has ended.
func firstDifference(a, b []string) (string, string) {
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return x, y
		}
	}
	return "", ""
}
