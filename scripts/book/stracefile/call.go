package stracefile

import (
	"errors"
	"strconv"
	"strings"
)

// Call is one system call as strace saw it.
type Call struct {
	TID      int
	Name     string
	Args     []string // as strace spells them
	Ret      int64    // -1 where it failed
	Errno    string   // "" where it did not fail
	Result   string   // what else strace says of the result: `<socket:[7]>`, `([{fd=3, revents=POLLIN}])`
	Returned bool     // false: the process ended in it
	Start    int      // the line at which it began, from 1
	End      int      // and ended; 0: it did not
	Line     string   // the whole call in one line

	Began, Ended int64 // times as in Event; Ended is 0 where nothing tells
	took         int64 // what -T says, -1: nothing
}

// Timed reports whether -T tells how long the call took.
func (c *Call) Timed() bool { return c.took >= 0 && c.End > 0 }

// ended is when the call was over: -T says so, or else the line of the second half.
func (c *Call) ended(e *Event) int64 {
	switch {
	case c.took >= 0 && c.Began > 0:
		return c.Began + c.took
	case e.Line != c.Start:
		return e.At
	}
	return 0
}

// parse reads name, arguments and result out of the joined line.
func (c *Call) parse() error {
	rest := c.parseName()
	end, args := SplitArgs(rest)
	if !isName(c.Name) || end < 0 {
		return errors.New("want a system call such as read(3, \"x\", 1) = 1")
	}
	c.Args = args
	_, result, ok := strings.Cut(rest[end:], "= ")
	if !ok {
		return errors.New("want a result such as = 0 behind a system call")
	}
	return c.parseResult(c.takeDuration(result))
}

func (c *Call) parseName() (rest string) {
	name, rest, _ := strings.Cut(c.Line, "(")
	c.Name = name
	return rest
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return s == "???" // strace does not know
		}
	}
	return s != ""
}

// takeDuration takes what -T adds, such as ` <0.000047>`, off the end.
func (c *Call) takeDuration(result string) string {
	c.took = -1
	open := strings.LastIndex(result, " <")
	if open < 0 || !strings.HasSuffix(result, ">") {
		return result
	}
	seconds, fraction, ok := strings.Cut(result[open+2:len(result)-1], ".")
	s, err := strconv.ParseInt(seconds, 10, 32)
	ns, isTime := nanoseconds(fraction)
	if !ok || err != nil || !isTime {
		return result
	}
	c.took = s*1e9 + ns
	return result[:open]
}

// parseResult reads `3`, `3</etc/hosts>`, `0x8000 (flags O_RDONLY)`, `-1 EAGAIN (Resource ...)`,
// `? ERESTARTSYS (...)`, `?`.
func (c *Call) parseResult(result string) error {
	number, rest := result, ""
	if i := strings.IndexAny(result, " <"); i >= 0 {
		number, rest = result[:i], strings.TrimLeft(result[i:], " ")
	}
	word, _, _ := strings.Cut(rest, " ")
	switch {
	case number == "":
		return errors.New("an empty result")
	case number == "?":
		if strings.HasPrefix(word, "ERESTART") {
			c.interrupted(word)
		}
		return nil
	}
	ret, err := strconv.ParseInt(number, 0, 64)
	if err != nil {
		if _, e := strconv.ParseUint(number, 0, 64); e != nil {
			return errors.New("a result that is no number")
		}
	}
	c.Ret, c.Returned, c.Result = ret, true, rest
	if ret == -1 && word != "" {
		c.Errno = word
	}
	return nil
}

// interrupted: where the kernel begins the call again by itself, the caller sees only the last
// time; the other codes reach it as EINTR, because a handler ran.
func (c *Call) interrupted(code string) {
	c.Ret, c.Returned, c.Errno = -1, true, code
	if code == "ERESTARTNOHAND" || code == "ERESTART_RESTARTBLOCK" {
		c.Errno = "EINTR"
	}
}
