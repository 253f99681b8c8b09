package moment

import (
	"fmt"
	"strconv"
	"strings"

	"envoywalk/internal/step"
)

// Text is what m says, in one line that is safe to print: nothing in it was trusted, for names and
// addresses may come from a peer.
func (m *Moment) Text() string {
	switch m.Kind {
	case KindCall:
		return callText(m)
	case KindPost:
		return postText(m)
	case KindRun:
		return runText(m)
	case KindThread:
		return threadText(m)
	case KindTurn:
		return turnText(m)
	case KindEvent:
		return "file event " + Clean(m.Events) + " on " + fdText(m)
	case KindTimer:
		return "timer " + Quote(strings.TrimPrefix(m.Name, "timer ")) + " fires"
	case KindDelete:
		return fmt.Sprintf("deferred delete of %s", plural(m.Count, "object"))
	case KindStory:
		return fmt.Sprintf("connection C%d begins: a trace of its own, on no thread's stack",
			m.Connection)
	case KindLater:
		return fmt.Sprintf("later (chapter %02d): %s", m.Later,
			Clean(strings.TrimPrefix(m.Name, "later: ")))
	case KindHandOver:
		return Clean(strings.Replace(m.Name, "hand over to", "hand "+fdText(m)+" over to", 1)) +
			": not traced from here on"
	}
	return functionText(m)
}

func functionText(m *Moment) string {
	s := Clean(m.Name) + objectText(m)
	if m.FD >= 0 {
		s += " on " + fdText(m)
	}
	return s
}

func objectText(m *Moment) string {
	if m.Object == "" {
		return ""
	}
	return " " + Quote(m.Object)
}

func fdText(m *Moment) string {
	if m.FDLabel == "" {
		return strconv.FormatInt(m.FD, 10)
	}
	return fmt.Sprintf("%d<%s>", m.FD, Clean(m.FDLabel))
}

// callText is strace's spelling, with the label of a new fd.
func callText(m *Moment) string {
	c := &m.Call
	s := Clean(c.Name) + "(" + Clean(c.Args) + ") = " + strconv.FormatInt(c.Ret, 10)
	if c.Label != "" {
		s += "<" + Clean(c.Label) + ">"
	}
	if c.Errno != "" {
		s += " " + Clean(c.Errno)
	}
	if m.Repeat > 1 {
		s += fmt.Sprintf(" x %d", m.Repeat)
	}
	return s
}

func postText(m *Moment) string {
	return fmt.Sprintf("post #%d -> %s%s", m.PostID, Clean(m.PostTo), workText(m))
}

// runText names the post, because that is why it runs.
func runText(m *Moment) string {
	switch {
	case m.PostedAt > 0:
		return fmt.Sprintf("run #%d%s", m.PostID, workText(m))
	case m.PostID != 0:
		return "run of a post that was lost" + workText(m)
	}
	return "run" + workText(m)
}

// workText is what was posted and, in quotation marks, what it is about.
func workText(m *Moment) string { return stepText(m) + objectText(m) }

// stepText is the short name of what was posted: addListener, or completion.
func stepText(m *Moment) string {
	s, ok := step.ByID(m.Step)
	if m.Step == "" || !ok {
		return ""
	}
	name := s.Info().Name
	return " " + name[strings.LastIndex(name, ":")+1:]
}

func threadText(m *Moment) string {
	name := Clean(strings.TrimPrefix(m.Name, "thread "))
	if m.TID == 0 {
		return "thread " + name + " begins"
	}
	return fmt.Sprintf("thread %s begins, tid %d", name, m.TID)
}

// turnText: a turn that was not traced but derived from the waits around it is called so by its name.
func turnText(m *Moment) string {
	s := Clean(m.Name)
	if m.Repeat <= 1 {
		return s
	}
	s += fmt.Sprintf(" x %d (idle: nothing but waits and housekeeping", m.Repeat)
	if m.Timers > 0 {
		s += ", " + plural(m.Timers, "timer")
	}
	return s + ")"
}

// StoryEnd is what the end of the story m says.
func (m *Moment) StoryEnd(e End) string {
	s := fmt.Sprintf("connection C%d ends", m.Connection)
	switch {
	case e.Failed:
		s += ": it failed"
	case e.Unfinished:
		s = fmt.Sprintf("connection C%d was still open", m.Connection)
	}
	if e.Truncated {
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

// Clean makes s safe to print: what a terminal might act on (control characters, escapes, line
// ends of any script, marks that turn the writing round) and broken UTF-8 become Go's escapes.
func Clean(s string) string {
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

// Quote is Clean between quotation marks that s cannot close.
func Quote(s string) string { return strconv.Quote(s) }

// ShortName is what a line has room for: wrk:worker_0 is worker_0, main_thread is main, and the
// guard dogs are dog:main and dog:workers, whatever the kernel's 15 characters left of their names.
// The dispatchers of main and the workers come out the same.
func ShortName(thread string) string {
	if dog, ok := strings.CutPrefix(thread, "dog:"); ok {
		of, _, _ := strings.Cut(dog, "_")
		return "dog:" + of
	}
	thread = strings.TrimPrefix(thread, "wrk:")
	thread = strings.TrimSuffix(thread, "_thread")
	if thread == "" {
		return "?"
	}
	return thread
}
