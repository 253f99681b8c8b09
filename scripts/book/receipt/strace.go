package receipt

import (
	"errors"
	"io"

	"envoywalk/scripts/book/stracefile"
)

// Syscall is one system call as strace saw it, both halves joined.
type Syscall struct{ stracefile.Call }

// ParseStrace reads what `strace -f -o FILE` wrote and returns the calls in the order in which they
// began. A line it cannot read is an error: a receipt must not look away.
func ParseStrace(r io.Reader) ([]Syscall, error) {
	var calls []*stracefile.Call
	lines := stracefile.NewReader(r)
	for {
		switch e, err := lines.Next(); {
		case errors.Is(err, io.EOF):
			return counting(calls), nil
		case err != nil:
			return nil, err
		case e.TID == 0:
			return nil, &stracefile.LineError{Line: e.Line, Text: e.Text,
				Want: "no thread id at its start (strace -f -o FILE puts one there)"}
		case e.Kind == stracefile.Begins, e.Kind == stracefile.Whole:
			calls = append(calls, e.Call)
		}
	}
}

// counting drops the calls that do not count: begun again by the kernel, behind the caller's back.
func counting(calls []*stracefile.Call) []Syscall {
	kept := make([]Syscall, 0, len(calls))
	for _, c := range calls {
		switch {
		case c.Name == "???": // not even which call it was
		case c.Errno == "ERESTARTSYS", c.Errno == "ERESTARTNOINTR":
		default:
			if c.End == 0 {
				c.Args = nil // no span tells it, and what is half told is no argument
			}
			kept = append(kept, Syscall{*c})
		}
	}
	return kept
}
