package stracefile

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// takeThread takes the thread's id off the front of a line: `12 `, `12<nginx> `, `[pid    12] `. strace
// leaves it out while it follows only one thread.
func (e *Event) takeThread(line string) (rest string) {
	text := line
	if inner, ok := strings.CutPrefix(text, "[pid"); ok {
		id, behind, closed := strings.Cut(inner, "] ")
		if !closed {
			return line
		}
		text = strings.TrimLeft(id, " ") + " " + behind
	}
	digits := countDigits(text)
	id, err := strconv.Atoi(text[:digits])
	if err != nil {
		return line
	}
	behind := text[digits:]
	if strings.HasPrefix(behind, "<") {
		end := strings.Index(behind, "> ")
		if end < 0 {
			return line
		}
		e.Comm, behind = behind[1:end], behind[end+1:]
	}
	if !strings.HasPrefix(behind, " ") {
		e.Comm = ""
		return line // a time, not a thread
	}
	e.TID = id
	return strings.TrimLeft(behind, " ")
}

func countDigits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

// clock reads the times of lines. -t and -tt tell only the time of day, which may pass midnight.
type clock struct {
	last int64
	days int64
}

// earliest is what no time since 1970 is below in a trace: smaller numbers are -r's differences.
const earliest = 1e8

// take takes the time off the front of text, if there is one.
func (c *clock) take(e *Event, text string) (rest string, err error) {
	word, behind, _ := strings.Cut(text, " ")
	switch {
	case word == "" || word[0] < '0' || word[0] > '9':
		return text, nil
	case strings.Contains(word, ":"):
		e.At, err = timeOfDay(word)
		if e.At < c.last-int64(12*time.Hour) {
			c.days++
		}
		c.last = e.At
		e.At += c.days * int64(24*time.Hour)
	default:
		e.At, err = sinceEpoch(word)
	}
	return strings.TrimLeft(behind, " "), err
}

func sinceEpoch(word string) (int64, error) {
	seconds, fraction, _ := strings.Cut(word, ".")
	s, err := strconv.ParseInt(seconds, 10, 34)
	ns, ok := nanoseconds(fraction)
	switch {
	case err != nil || !ok:
		return 0, errors.New("want a time such as 1795383878.933203, as -ttt writes it")
	case s < earliest:
		return 0, errors.New("want a time since 1970, as -ttt writes it, and not a difference, as -r does")
	}
	return s*1e9 + ns, nil
}

func timeOfDay(word string) (int64, error) {
	clock, fraction, _ := strings.Cut(word, ".")
	at, err := time.Parse("15:04:05", clock)
	ns, ok := nanoseconds(fraction)
	if err != nil || !ok {
		return 0, errors.New("want a time of day such as 21:04:38.933203, as -tt writes it")
	}
	return at.Sub(at.Truncate(24*time.Hour)).Nanoseconds() + ns, nil
}

// nanoseconds reads the digits behind the point of a time in seconds.
func nanoseconds(fraction string) (int64, bool) {
	if fraction == "" {
		return 0, true
	}
	if countDigits(fraction) != len(fraction) || len(fraction) > 9 {
		return 0, false
	}
	n, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return n, err == nil
}
