package main

import (
	"regexp"
	"strings"

	"envoywalk/scripts/browser"
)

// shows reads what the page says at this moment: the sentence, why, and the state, a line each.
const shows = `(() => {
	const s = envoywalk.stateNow, lines = ["sentence: " + envoywalk.event.text];
	const name = e => e ? e.text : "nothing";
	for (const w of envoywalk.whyNow) lines.push("why: " + w.relation + ": " + w.event.text);
	if (envoywalk.event.step) lines.push("envoy: " + envoywalk.event.step.file + ":" + envoywalk.event.step.line);
	lines.push("go: " + envoywalk.event.file);
	const rows = [];
	for (const f of s.fds) rows.push("fd: " + [f.label, f.kind, f.state, f.changed ? "changed here" : ""].join(" "));
	for (const q of s.queues) rows.push("queue: " + q.dispatcher + ": " + q.posts.map(name).join(", "));
	for (const p of s.epolls) rows.push("epoll: " + p.label + ": " + p.members.map(m => m.label + " " + m.events).sort().join(", "));
	for (const t of s.threads) rows.push("thread: " + t.thread.name + (t.blocked ? " blocked in " + t.blocked.call.name : " runs"));
	return lines.concat(rows.sort()).join("\n") + "\n";
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
	number   = regexp.MustCompile(`\b\d+\b`)
	anyOf    = regexp.MustCompile(`\b(worker_|w)\d+\b`)
	spaces   = regexp.MustCompile(` +\n`)
	envoyRef = regexp.MustCompile(`(?m)^envoy: .*$`)
)

func normal(text string) string {
	kept := envoyRef.FindString(text) // a line of Envoy at a tag does not move
	text = anyOf.ReplaceAllString(number.ReplaceAllString(text, "N"), "${1}N")
	if kept != "" {
		text = envoyRef.ReplaceAllLiteralString(text, kept)
	}
	return spaces.ReplaceAllString(strings.TrimRight(text, "\n")+"\n", "\n")
}
