package tree

import (
	"fmt"
	"strconv"
	"strings"

	"envoywalk/internal/step"
)

// text is what m says. Nothing in it is trusted: names and addresses may come from a peer.
func text(m *moment) string {
	switch m.kind {
	case kindCall:
		return callText(m)
	case kindPost:
		return postText(m)
	case kindRun:
		return runText(m)
	case kindThread:
		return threadText(m)
	case kindTurn:
		return turnText(m)
	case kindEvent:
		return "file event " + clean(m.events) + " on " + fdText(m)
	case kindTimer:
		return "timer " + quote(strings.TrimPrefix(m.name, "timer ")) + " fires"
	case kindDelete:
		return fmt.Sprintf("deferred delete of %s", plural(m.count, "object"))
	case kindStory:
		return fmt.Sprintf("connection C%d begins: a trace of its own, on no thread's stack",
			m.connection)
	case kindLater:
		return fmt.Sprintf("later (chapter %02d): %s", m.later,
			clean(strings.TrimPrefix(m.name, "later: ")))
	case kindHandOver:
		return clean(strings.Replace(m.name, "hand over to", "hand "+fdText(m)+" over to", 1)) +
			": not traced from here on"
	}
	return functionText(m)
}

func functionText(m *moment) string {
	s := clean(m.name) + objectText(m)
	if m.fd >= 0 {
		s += " on " + fdText(m)
	}
	return s
}

func objectText(m *moment) string {
	if m.object == "" {
		return ""
	}
	return " " + quote(m.object)
}

func fdText(m *moment) string {
	if m.fdLabel == "" {
		return strconv.FormatInt(m.fd, 10)
	}
	return fmt.Sprintf("%d<%s>", m.fd, clean(m.fdLabel))
}

// callText is strace's spelling, with the label of a new fd.
func callText(m *moment) string {
	c := &m.call
	s := clean(c.name) + "(" + clean(c.args) + ") = " + strconv.FormatInt(c.ret, 10)
	if c.label != "" {
		s += "<" + clean(c.label) + ">"
	}
	if c.errno != "" {
		s += " " + clean(c.errno)
	}
	if m.repeat > 1 {
		s += fmt.Sprintf(" x %d", m.repeat)
	}
	return s
}

func postText(m *moment) string {
	return fmt.Sprintf("post #%d -> %s%s", m.number, clean(m.postTo), workText(m))
}

// runText names the post, because that is why it runs.
func runText(m *moment) string {
	switch {
	case m.number > 0:
		return fmt.Sprintf("run #%d%s", m.number, workText(m))
	case m.postID != 0:
		return "run of a post that was lost" + workText(m)
	}
	return "run" + workText(m)
}

// workText is what was posted and, in quotation marks, what it is about.
func workText(m *moment) string { return stepText(m) + objectText(m) }

// stepText is the short name of what was posted: addListener, or completion.
func stepText(m *moment) string {
	s, ok := step.ByID(m.step)
	if m.step == "" || !ok {
		return ""
	}
	name := s.Info().Name
	return " " + name[strings.LastIndex(name, ":")+1:]
}

func threadText(m *moment) string {
	name := clean(strings.TrimPrefix(m.name, "thread "))
	if m.tid == 0 {
		return "thread " + name + " begins"
	}
	return fmt.Sprintf("thread %s begins, tid %d", name, m.tid)
}

func turnText(m *moment) string {
	if m.repeat <= 1 {
		return "turn"
	}
	s := fmt.Sprintf("turn x %d (idle: nothing but waits and housekeeping", m.repeat)
	if m.timers > 0 {
		s += ", " + plural(m.timers, "timer")
	}
	return s + ")"
}

func storyEnd(m *moment, e end) string {
	s := fmt.Sprintf("connection C%d ends", m.connection)
	switch {
	case e.failed:
		s += ": it failed"
	case e.unfinished:
		s = fmt.Sprintf("connection C%d was still open", m.connection)
	}
	if e.truncated {
		s += "; a part of it was not kept"
	}
	return s
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// clean makes s safe to print: what a terminal might act on (control characters, escapes, line
// ends of any script, marks that turn the writing round) and broken UTF-8 become Go's escapes.
func clean(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return escape(s)
		}
	}
	return s
}

func escape(s string) string {
	q := strconv.Quote(s)
	q = q[1 : len(q)-1]
	// Quote also escapes what is harmless here.
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(q)
}

// quote is clean between quotation marks that s cannot close.
func quote(s string) string { return strconv.Quote(s) }
