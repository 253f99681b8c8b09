// Package stracefile reads what strace wrote: the system calls of any process, both halves of each
// joined, and the ends of its threads.
//
// It reads every common spelling: with or without thread ids, -t, -tt and -ttt, -T, -y and -yy, -Y, and
// what strace writes to a terminal ([pid N]). What it cannot read is an error that names the line; the
// reader decides whether to go on.
package stracefile

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Kind says what one line tells.
type Kind int

// The kinds of lines. A Whole call began and ended with nothing of other threads between.
const (
	Remark  Kind = iota // strace's own words
	Begins              // a call, whose end is another line's
	Ends                // the end of a call
	Whole               // a call
	Signals             // a signal came
	Exits               // a thread is gone, and its open call with it
)

// Event is what one line tells.
type Event struct {
	Kind Kind
	Line int
	TID  int    // 0: the line names none
	Comm string // the thread's name, where -Y tells it
	At   int64  // ns since 1970, since midnight with -t and -tt; 0: the line has no time
	Call *Call  // of Begins, Ends, Whole
	Text string // what stands behind thread and time
}

// LineError is a line that was not understood. Reading may go on behind it.
type LineError struct {
	Line int
	Want string // what should have stood there
	Text string
}

func (e *LineError) Error() string {
	return fmt.Sprintf("strace line %d: %s: %.200s", e.Line, e.Want, e.Text)
}

// maxLine bounds one line; a full epoll_pwait of a large events array is about 100 kB.
const maxLine = 4 << 20

// Reader reads lines, and joins the halves of calls that other threads' lines came between.
type Reader struct {
	lines  *bufio.Scanner
	number int
	open   map[int]*Call // by thread, the call that has begun and not ended
	clock  clock
}

// NewReader returns a reader of what r holds.
func NewReader(r io.Reader) *Reader {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	return &Reader{lines: lines, open: map[int]*Call{}}
}

// Next returns the next line's event. It returns io.EOF at the end, a *LineError for a line that it
// does not understand, and what the underlying reader returned otherwise.
func (r *Reader) Next() (Event, error) {
	if !r.lines.Scan() {
		if err := r.lines.Err(); err != nil {
			return Event{}, fmt.Errorf("behind line %d: %w", r.number, err)
		}
		return Event{}, io.EOF
	}
	r.number++
	line := r.lines.Text()
	e, err := r.read(line)
	if err != nil {
		return Event{}, &LineError{r.number, err.Error(), line}
	}
	return e, nil
}

const (
	unfinished = " <unfinished ...>"
	detached   = "<detached ...>"
	resumed    = " resumed>"
	superseded = "+++ superseded"   // this thread's id goes to another that has called execve
	changed    = "<pid changed to " // which strace tells first
)

func (r *Reader) read(line string) (Event, error) {
	e := Event{Line: r.number}
	text := e.takeThread(line)
	text, err := r.clock.take(&e, text)
	if err != nil {
		return e, err
	}
	e.Text = text
	switch {
	case strings.HasPrefix(text, "+++ "):
		e.Kind = Exits
		if !strings.HasPrefix(text, superseded) {
			delete(r.open, e.TID)
		}
	case strings.HasPrefix(text, "--- "):
		e.Kind = Signals
	case strings.HasPrefix(text, "strace: "):
		e.Kind = Remark
	case strings.HasPrefix(text, "<... "):
		return e, r.resume(&e)
	default:
		return e, r.begin(&e)
	}
	return e, nil
}

func (r *Reader) begin(e *Event) error {
	e.Call = &Call{TID: e.TID, Start: e.Line, Began: e.At}
	if err := r.extend(e, e.Text); err != nil {
		return err
	}
	if e.Kind = Whole; e.Call.End == 0 {
		e.Kind = Begins
		_, e.Call.Args = SplitArgs(e.Call.parseName() + ")") // the end may never come
		r.open[e.TID] = e.Call
	}
	return nil
}

func (r *Reader) resume(e *Event) error {
	_, rest, ok := strings.Cut(e.Text, resumed)
	call := r.open[e.TID]
	if call == nil { // it began while there was only one thread, which then needed no id
		call = r.open[0]
		delete(r.open, 0)
	}
	if !ok || call == nil {
		return fmt.Errorf("resumes a call that never began")
	}
	e.Kind, e.Call = Ends, call
	if err := r.extend(e, rest); err != nil {
		return err
	}
	if call.End != 0 {
		delete(r.open, e.TID)
	} else {
		e.Kind = Remark // it goes on in yet another line
	}
	return nil
}

// extend adds text to the call of e, and ends the call unless more is to come.
func (r *Reader) extend(e *Event, text string) error {
	c := e.Call
	if i := strings.LastIndex(text, changed); i >= 0 && strings.HasSuffix(text, " ...>") {
		c.Line += text[:i]
		digits := text[i+len(changed):]
		leader, err := strconv.Atoi(digits[:countDigits(digits)])
		r.open[leader] = c
		return err
	}
	for _, more := range [...]string{unfinished, detached} {
		if before, found := strings.CutSuffix(text, more); found {
			c.Line += before // after a detached, nobody knows how the call ended
			return nil
		}
	}
	c.Line += strings.Replace(text, unfinished+") = ?", ") = ?", 1) // the thread ended in it
	if err := c.parse(); err != nil {
		return err
	}
	c.End = e.Line
	c.Ended = c.ended(e)
	return nil
}
