package receipt

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Syscall is one system call as strace saw it, both halves joined.
type Syscall struct {
	TID      int
	Name     string
	Args     []string // as strace spells them
	Ret      int64    // -1 where it failed
	Errno    string   // "" where it did not fail
	Returned bool     // false: the process ended in it
	Start    int      // the line of strace's output at which it began, from 1
	End      int      // and ended
	Line     string   // the whole call in one line
}

// maxLine bounds one line of strace; a full epoll_pwait of a large events array is about 100 kB.
const maxLine = 4 << 20

// ParseStrace reads what `strace -f -o FILE` wrote and returns the calls in the order in which they
// began. A line it cannot read is an error: a receipt must not look away.
func ParseStrace(r io.Reader) ([]Syscall, error) {
	p := &straceParser{open: map[int]int{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		p.number++
		if err := p.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("strace line %d: %w: %.200s", p.number, err, lines.Text())
		}
	}
	return p.finish(), lines.Err()
}

// straceParser joins the halves of calls that other threads' lines came between.
type straceParser struct {
	number int
	calls  []Syscall
	open   map[int]int // by tid, the index of a call that has begun and not ended
}

const (
	unfinished = " <unfinished ...>"
	detached   = "<detached ...>"
	resumed    = " resumed>"
)

func (p *straceParser) line(line string) error {
	tid, text, err := splitTID(line)
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(text, "+++ "):
		delete(p.open, tid) // the thread is gone, and its call with it
		return nil
	case strings.HasPrefix(text, "--- "), strings.HasPrefix(text, "strace: "):
		return nil
	case strings.HasPrefix(text, "<... "):
		return p.resume(tid, text)
	}
	p.calls = append(p.calls, Syscall{TID: tid, Start: p.number})
	p.open[tid] = len(p.calls) - 1
	return p.extend(tid, text)
}

// splitTID takes the thread's id off the front of a line. strace leaves it out while it follows
// only one thread, which a Go process never is.
func splitTID(line string) (tid int, text string, err error) {
	number, text, ok := strings.Cut(line, " ")
	if tid, err = strconv.Atoi(number); !ok || err != nil {
		return 0, "", fmt.Errorf("no thread id at its start (strace -f -o FILE puts one there)")
	}
	return tid, strings.TrimLeft(text, " "), nil
}

func (p *straceParser) resume(tid int, text string) error {
	_, rest, ok := strings.Cut(text, resumed)
	if _, known := p.open[tid]; !ok || !known {
		return fmt.Errorf("resumes a call that never began")
	}
	return p.extend(tid, rest)
}

// extend adds text to the open call of tid, and ends the call unless more is to come.
func (p *straceParser) extend(tid int, text string) error {
	c := &p.calls[p.open[tid]]
	if before, more := strings.CutSuffix(text, unfinished); more {
		c.Line += before
		return nil
	}
	if before, gone := strings.CutSuffix(text, detached); gone {
		c.Line += before // strace let go of a thread that was just dying: nobody knows how the call ended
		return nil
	}
	c.Line += text
	c.End = p.number
	delete(p.open, tid)
	return c.parse()
}

// finish drops the calls that do not count: begun again by the kernel, behind the caller's back.
func (p *straceParser) finish() []Syscall {
	kept := p.calls[:0]
	for _, c := range p.calls {
		if c.End == 0 {
			c.parseName()
		}
		if c.Name == "???" {
			continue // not even which call it was
		}
		if c.Errno != "ERESTARTSYS" && c.Errno != "ERESTARTNOINTR" {
			kept = append(kept, c)
		}
	}
	return kept
}

// parse reads name, arguments and result out of the joined line.
func (c *Syscall) parse() error {
	rest := c.parseName()
	end, args := splitArgs(rest)
	if c.Name == "" || end < 0 {
		return fmt.Errorf("not a system call")
	}
	c.Args = args
	_, result, ok := strings.Cut(rest[end:], "= ")
	if !ok {
		return fmt.Errorf("no result")
	}
	return c.parseResult(result)
}

func (c *Syscall) parseName() (rest string) {
	name, rest, _ := strings.Cut(c.Line, "(")
	c.Name = name
	return rest
}

// parseResult reads `3`, `0x8000 (flags O_RDONLY)`, `-1 EAGAIN (Resource ...)`, `? ERESTARTSYS
// (...)`, `?`.
func (c *Syscall) parseResult(result string) error {
	fields := strings.Fields(result)
	if len(fields) == 0 {
		return fmt.Errorf("an empty result")
	}
	if fields[0] == "?" {
		if len(fields) > 1 && strings.HasPrefix(fields[1], "ERESTART") {
			c.interrupted(fields[1])
		}
		return nil
	}
	ret, err := strconv.ParseInt(fields[0], 0, 64)
	if err != nil {
		if _, e := strconv.ParseUint(fields[0], 0, 64); e != nil {
			return fmt.Errorf("a result that is no number: %w", err)
		}
	}
	c.Ret, c.Returned = ret, true
	if ret == -1 && len(fields) > 1 {
		c.Errno = fields[1]
	}
	return nil
}

// interrupted: where the kernel begins the call again by itself, the caller sees only the last
// time; the other codes reach it as EINTR, because a handler ran.
func (c *Syscall) interrupted(code string) {
	c.Ret, c.Returned, c.Errno = -1, true, code
	if code == "ERESTARTNOHAND" || code == "ERESTART_RESTARTBLOCK" {
		c.Errno = "EINTR"
	}
}

// splitArgs splits at the commas outside of strings and brackets, up to the closing parenthesis,
// and returns where that is; -1 if it never comes.
func splitArgs(s string) (end int, args []string) {
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if i = stringEnd(s, i); i < 0 {
				return -1, nil
			}
		case '(', '[', '{':
			depth++
		case ']', '}':
			depth--
		case ')':
			if depth == 0 {
				return i, appendArg(args, s[from:i])
			}
			depth--
		case ',':
			if depth == 0 {
				args, from = appendArg(args, s[from:i]), i+1
			}
		}
	}
	return -1, nil
}

func appendArg(args []string, s string) []string {
	if s = strings.TrimSpace(s); s != "" {
		args = append(args, s)
	}
	return args
}

// stringEnd is the index of the quote that closes the string opened at i, -1 if none does.
func stringEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
