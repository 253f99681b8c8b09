package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// treeLine is one line of a printed tree: the thread whose it is, how deep it stands, what it says.
type treeLine struct {
	thread string
	indent int
	text   string
}

var (
	// The gutter, the thread's name, seq, and the text.
	eventLine = regexp.MustCompile(`^[●│┆─┼▶◀ 0-9]*?([A-Za-z-][\w-]*)\s+[0-9]+(\s+)(\S.*)$`)
	// The heads that introduce a thread stand wherever that thread happened to begin.
	headLine  = regexp.MustCompile(`\bthread\s+seq\b`)
	emptyWait = regexp.MustCompile(`^epoll_pwait\(.*\) = 0\b`)
	idleTurn  = regexp.MustCompile(`^turn x [0-9]+ \(idle`)
	digits    = regexp.MustCompile(`\b[0-9]+\b`) // not those in names: worker_0, accept4
	foldCount = regexp.MustCompile(`\s[x×] ?#`)
	plurals   = regexp.MustCompile(`# (step|system call|timer)s\b`)
	spaces    = regexp.MustCompile(`\s+`)
)

// causal is a printed tree reduced to what must be the same in every run: each thread's lines, in that
// thread's order. Numbers (seq, ports, ids) become #, fold counts and idle turns go, and the order between
// threads, which the kernel chooses, is taken out by putting one thread after the other.
func causal(tree string) []string {
	byThread := map[string][]treeLine{}
	for _, raw := range strings.Split(tree, "\n") {
		if headLine.MatchString(raw) || strings.HasPrefix(raw, "```") || strings.TrimSpace(raw) == "" {
			continue
		}
		line := treeLine{text: raw}
		if m := eventLine.FindStringSubmatch(raw); m != nil {
			line = treeLine{m[1], len(m[2]), m[3]}
		}
		byThread[line.thread] = append(byThread[line.thread], line)
	}
	var texts []string
	for _, thread := range slices.Sorted(maps.Keys(byThread)) {
		for _, line := range withoutIdleTurns(byThread[thread]) {
			texts = append(texts, strings.TrimSpace(thread+" "+withoutNumbers(line.text)))
		}
	}
	return texts
}

func withoutNumbers(text string) string {
	text = digits.ReplaceAllString(text, "#")
	text = foldCount.ReplaceAllString(text, "")
	text = plurals.ReplaceAllString(text, "# $1")
	return spaces.ReplaceAllString(text, " ")
}

// withoutIdleTurns drops, from the lines of one thread, the turns in which nothing but an empty wait
// stands: how many there are is a matter of time.
func withoutIdleTurns(lines []treeLine) []treeLine {
	var kept []treeLine
	for len(lines) > 0 {
		inside := 1
		for inside < len(lines) && lines[inside].indent > lines[0].indent {
			inside++
		}
		if isIdleTurn(lines[:inside]) {
			lines = lines[inside:]
			continue
		}
		kept, lines = append(kept, lines[0]), lines[1:]
	}
	return kept
}

func isIdleTurn(turn []treeLine) bool {
	plain := turn[0].text == "turn" || strings.HasPrefix(turn[0].text, "turn  ") // then comes the Go place
	busy := slices.ContainsFunc(turn[1:], func(l treeLine) bool { return !emptyWait.MatchString(l.text) })
	return idleTurn.MatchString(turn[0].text) || plain && len(turn) > 1 && !busy
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
