package main

import (
	"regexp"
	"slices"
	"strings"

	"envoywalk/scripts/browser"
)

// shows reads what the page says at this moment, a line each: the sentence, what it means, why, the places, the state.
const shows = `(() => {
	const s = envoywalk.stateNow, lines = ["sentence: " + envoywalk.event.text];
	const said = part => document.querySelector(part).innerText.replace(/\s+/g, " ").trim();
	lines.push("meaning: " + said("#meaning"));
	for (const w of envoywalk.whyNow) lines.push("why: " + w.relation + ": " + w.event.text);
	lines.push("go: " + envoywalk.event.file + ": " + said("#source .here"), "envoy: " + said("#envoy"), "article: " + said("#article"));
	for (const f of s.fds) lines.push("fd: " + [f.label, f.kind, f.state, f.changed ? "changed here" : ""].join(" "));
	for (const q of s.queues) lines.push("queue: " + q.dispatcher + ": " + q.posts.map(p => p.text).join(", "));
	for (const p of s.epolls) lines.push("epoll: " + p.label + ": " + p.members.map(m => m.label + " " + m.events).sort().join(", "));
	// The other threads begin and wait when they please.
	for (const t of s.threads.filter(t => /^(main_thread|wrk:)/.test(t.thread.name))) lines.push("thread: " + t.thread.name + (t.blocked ? " blocked in " + t.blocked.call.name : " runs"));
	return lines.join("\n");
})()`

// says is that with what differs from run to run taken out: numbers that stand alone (tids, ports, seq, times, fds),
// and which of the workers it was.
func says(tab *browser.Tab) (string, error) {
	text, err := browser.Eval[string](tab, shows)
	if err != nil {
		return "", err
	}
	return normal(text), nil
}

var (
	number = regexp.MustCompile(`\b\d+\b`)
	anyOf  = regexp.MustCompile(`\b(worker_|w)\d+\b`)
	fixed  = regexp.MustCompile(`^(go|envoy|article): `) // these numbers are no run's
	state  = regexp.MustCompile(`^(fd|queue|epoll|thread): `)
)

func normal(text string) string {
	var told, rows []string
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if !fixed.MatchString(l) {
			l = anyOf.ReplaceAllString(number.ReplaceAllString(l, "N"), "${1}N")
		}
		if state.MatchString(l) {
			rows = append(rows, l)
		} else {
			told = append(told, l)
		}
	}
	slices.Sort(rows) // workers are interchangeable
	return strings.Join(append(told, rows...), "\n") + "\n"
}
