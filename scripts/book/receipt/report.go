package receipt

import (
	"fmt"
	"io"
	"strings"
)

// firstDifferences is how many differences are shown; what follows the first few is mostly their
// echo.
const firstDifferences = 8

// String is the call as the span tells it, in strace's spelling.
func (s *Span) String() string {
	text := fmt.Sprintf("%s(%s) = %d", s.Name, strings.Join(s.Args, ", "), s.Ret)
	if s.Errno != "" {
		text += " " + s.Errno
	}
	if s.Repeat > 1 {
		text += fmt.Sprintf("   (one of a row of %d)", s.Repeat)
	}
	return text
}

// Summary is the line that ends every receipt.
func (r *Report) Summary() string {
	return fmt.Sprintf("%d of %d system calls agree  "+
		"(threads %d, fds %d, missing %d, extra %d, dropped %d)",
		r.Agreed, r.Calls, r.Threads, r.FDs, r.Missing, r.Extra, r.Dropped)
}

// Write prints the first differences, both sides each, and the summary.
func (r *Report) Write(w io.Writer) {
	for i, d := range r.Differences {
		if i == firstDifferences {
			fmt.Fprintf(w, "... and %d more\n\n", len(r.Differences)-i)
			break
		}
		d.write(w)
	}
	fmt.Fprintln(w, r.Summary())
	if r.Differ > 0 {
		fmt.Fprintf(w, "%d calls are told, but not as they were\n", r.Differ)
	}
	if r.Truncated > 0 {
		fmt.Fprintf(w, "%d spans lost a part of their records (story.truncated)\n", r.Truncated)
	}
	if r.Calls == 0 {
		fmt.Fprintln(w, "nothing was compared, and that is no agreement")
	}
}

func (d *Difference) write(w io.Writer) {
	if d.Thread == 0 {
		fmt.Fprintf(w, "%s: %s\n\n", d.Kind, d.Why)
		return
	}
	fmt.Fprintf(w, "%s, thread %d: %s\n", d.Kind, d.Thread, d.Why)
	if d.Strace != "" {
		fmt.Fprintf(w, "    strace  %s   (line %d)\n", shorten(d.Strace), d.LineNo)
	}
	if d.Span != "" {
		fmt.Fprintf(w, "    span    %s   (seq %d, %s)\n", shorten(d.Span), d.Seq, d.Place)
	}
	fmt.Fprintln(w)
}

func shorten(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2]+" ... "+s[len(s)-most/2:], "")
}

func (o *ownership) whyOurs(tid int) string {
	if _, hasSpans := o.c.spans[tid]; !hasSpans {
		return "an fd of ours was touched by a thread that tells nothing"
	}
	return "strace saw it, no span tells it"
}

// whyExtra says what became of the fd that the span speaks of.
func (c *comparison) whyExtra(s *Span) string {
	if s.FD < 0 {
		return "a span tells it, strace did not see it here"
	}
	for _, one := range c.lives.all {
		if one.fd == s.FD && one.ours {
			return "a span tells it, strace did not see it here while the fd was ours"
		}
	}
	return fmt.Sprintf("no span tells who made fd %d, so it is not ours", s.FD)
}

func whyDiffers(seen *Syscall, told *Span) string {
	switch {
	case call(seen.Name, seen.Args) != call(told.Name, told.Args):
		return "another call, or another order"
	case seen.Errno != "" || told.Errno != "":
		return fmt.Sprintf("another outcome: %s and %s",
			outcome(seen.Ret, seen.Errno), outcome(told.Ret, told.Errno))
	}
	return fmt.Sprintf("another result: %d and %d", seen.Ret, told.Ret)
}
