// Package strace writes a trace as `strace -f -ttt -y` would have seen the program: one line per system
// call, so that it can be laid beside a real strace, or read by what reads one.
//
// Unlike strace it writes a call in one piece, a wait and a call that makes an fd where they ended; and a
// wait that the trace has folded is one line.
package strace

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace/moment"
)

// writer is the span processor. One goroutine calls it, in the order of seq.
type writer struct {
	to  io.Writer
	err error // the first that to returned; nothing is written after it
}

// New returns a span processor that writes to w, one Write per line.
func New(w io.Writer) sdk.SpanProcessor { return &writer{to: w} }

// OnStart writes a system call; it is over when its span starts.
func (w *writer) OnStart(_ context.Context, s sdk.ReadWriteSpan) {
	m := moment.Read(s)
	if m.Kind != moment.KindCall || w.err != nil {
		return
	}
	_, w.err = io.WriteString(w.to, line(m, s.StartTime()))
}

// OnEnd has nothing to say: no call is open.
func (w *writer) OnEnd(sdk.ReadOnlySpan) {}

// ForceFlush has nothing to do: every line is one Write.
func (w *writer) ForceFlush(context.Context) error { return w.err }

// Shutdown returns the first error of the writer.
func (w *writer) Shutdown(context.Context) error { return w.err }

// line is a call as strace spells it. Nothing in it is trusted: a peer may have chosen a name.
func line(m *moment.Moment, at time.Time) string {
	var b strings.Builder
	if m.TID > 0 {
		fmt.Fprintf(&b, "%d ", m.TID)
	}
	fmt.Fprintf(&b, "%d.%06d %s(%s) = %d", at.Unix(), at.Nanosecond()/1000, moment.Clean(m.Call.Name),
		moment.Clean(arguments(m)), m.Call.Ret)
	if m.Call.Label != "" {
		fmt.Fprintf(&b, "<%s>", moment.Clean(inBrackets(m.Call.Label)))
	}
	if m.Call.Errno != "" {
		b.WriteString(" " + moment.Clean(m.Call.Errno))
		if text := errnoTexts[m.Call.Errno]; text != "" {
			b.WriteString(" (" + text + ")")
		}
	}
	return b.String() + "\n"
}

// upstream is the label of a connection to a cluster, 28<C2>echo>: the one of ours that has a bracket in it.
var upstream = regexp.MustCompile(`<(C[0-9]+)>([^<>, ]+)>`)

// arguments are as the trace has them, but for brackets in the labels of fds, which strace writes as
// octal numbers so that its readers find the end.
func arguments(m *moment.Moment) string {
	args := m.Call.Args
	if m.FDLabel != "" {
		fd := strconv.FormatInt(m.FD, 10)
		if rest, ok := strings.CutPrefix(args, fd+"<"+m.FDLabel+">"); ok {
			return fd + "<" + inBrackets(m.FDLabel) + ">" + upstream.ReplaceAllString(rest, `<$1\76$2>`)
		}
	}
	return upstream.ReplaceAllString(args, `<$1\76$2>`)
}

func inBrackets(label string) string {
	return strings.NewReplacer("<", `\74`, ">", `\76`).Replace(label)
}
