package accesslog

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// conversion is one %... of a time format, or the text between two.
//
//	%d %-d %_5d %^a %Ey %Od     strftime(3) of glibc, in the C locale
//	%E3S %E*S %E3f %E*f %E4Y %Ez %E*z %ET    absl::FormatTime
//	%f %3f %s                   Envoy: fractions of the second, seconds since the epoch
type conversion struct {
	text     string // as written
	verb     byte   // 0 for text
	pad      byte   // a flag: '-', '_' or '0'; 0 leaves the verb's own
	upper    bool   // ^
	swap     bool   // #
	width    int
	extended bool // E
	digits   int  // of a fraction after E; all stands for the *
}

const (
	all       = -1
	mostWidth = 999
)

// parseTime takes a time format apart. What is no conversion is text, as glibc prints it.
//
// Envoy: DateFormatter::parse, absl::FormatTime
func parseTime(format string) (pieces []conversion) {
	text := 0 // where the text before i begins
	flush := func(to int) {
		if text < to {
			pieces = append(pieces, conversion{text: format[text:to]})
		}
	}
	for i := 0; i < len(format); {
		if format[i] != '%' {
			i++
			continue
		}
		c, size := parseConversion(format[i+1:])
		if size == 0 {
			i++
			continue
		}
		flush(i)
		c.text = format[i : i+1+size]
		pieces = append(pieces, c)
		i += 1 + size
		text = i
	}
	flush(len(format))
	return pieces
}

const verbs = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%f"

// parseConversion reads what follows a percent sign; size 0 if it is no conversion.
func parseConversion(s string) (c conversion, size int) {
	for ; size < len(s) && strings.IndexByte("-_0^#", s[size]) >= 0; size++ {
		switch s[size] {
		case '^':
			c.upper = true
		case '#':
			c.swap = true
		default:
			c.pad = s[size]
		}
	}
	for ; size < len(s) && s[size] >= '0' && s[size] <= '9' && c.width <= mostWidth; size++ {
		c.width = c.width*10 + int(s[size]-'0')
	}
	if size < len(s) && (s[size] == 'E' || s[size] == 'O') {
		c.extended = s[size] == 'E'
		size++
		if c.extended {
			size += c.parseDigits(s[size:])
		}
	}
	if size == len(s) || c.width > mostWidth || !c.accepts(s[size], s[:size]) {
		return conversion{}, 0
	}
	c.verb = s[size]
	return c, size + 1
}

// parseDigits reads the 3 or the * of %E3S and %E*S.
func (c *conversion) parseDigits(s string) (size int) {
	if strings.HasPrefix(s, "*") {
		c.digits = all
		return 1
	}
	for ; size < len(s) && size < 2 && s[size] >= '0' && s[size] <= '9'; size++ {
		c.digits = c.digits*10 + int(s[size]-'0')
	}
	return size
}

// accepts says whether a verb may follow what was read so far.
func (c *conversion) accepts(verb byte, read string) bool {
	switch {
	case verb == 'f' && !c.extended: // only %f and %1f to %9f
		return read == "" || len(read) == 1 && c.width > 0
	case c.digits != 0 && c.digits != all:
		return verb == 'S' || verb == 'f' || verb == 'Y' && c.digits == 4
	case c.digits == all:
		return verb == 'S' || verb == 'f' || verb == 'z'
	}
	return strings.IndexByte(verbs, verb) >= 0
}

// appendTime writes a time of UTC.
func appendTime(dst []byte, pieces []conversion, t time.Time) []byte {
	for i := range pieces {
		if c := &pieces[i]; c.verb == 0 {
			dst = append(dst, c.text...)
		} else {
			dst = c.append(dst, t)
		}
	}
	return dst
}

func (c *conversion) append(dst []byte, t time.Time) []byte {
	if c.ofAbsl() {
		return c.appendAbsl(dst, t)
	}
	if n, ok := numbers[c.verb]; ok {
		return c.appendNumber(dst, n.of(t), n.width, n.pad)
	}
	start := len(dst)
	switch c.verb {
	case '%':
		dst = append(dst, '%')
	case 't':
		dst = append(dst, '\t')
	case 'z':
		dst = append(dst, "+0000"...)
	case 'Z':
		dst = append(dst, "UTC"...)
	default:
		dst = t.AppendFormat(dst, composed[c.verb])
	}
	switch lower := c.verb == 'p' || c.verb == 'Z'; {
	case c.upper, c.swap && !lower:
		copy(dst[start:], bytes.ToUpper(dst[start:]))
	case c.swap:
		copy(dst[start:], bytes.ToLower(dst[start:]))
	}
	return c.fill(dst, start)
}

// composed are the conversions that Go's time writes as strftime does.
var composed = map[byte]string{'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January",
	'c': "Mon Jan _2 15:04:05 2006", 'D': "01/02/06", 'x': "01/02/06", 'F': "2006-01-02",
	'p': "PM", 'P': "pm", 'r': "03:04:05 PM", 'R': "15:04", 'T': "15:04:05", 'X': "15:04:05"}

// numbers are the conversions that write a number, how wide, and what fills it up.
var numbers = map[byte]struct {
	width int
	pad   byte
	of    func(time.Time) int64
}{
	'C': {2, '0', func(t time.Time) int64 { return int64(t.Year() / 100) }},
	'd': {2, '0', func(t time.Time) int64 { return int64(t.Day()) }},
	'e': {2, ' ', func(t time.Time) int64 { return int64(t.Day()) }},
	'g': {2, '0', func(t time.Time) int64 { year, _ := t.ISOWeek(); return int64(year % 100) }},
	'G': {1, '0', func(t time.Time) int64 { year, _ := t.ISOWeek(); return int64(year) }},
	'H': {2, '0', func(t time.Time) int64 { return int64(t.Hour()) }},
	'I': {2, '0', func(t time.Time) int64 { return int64((t.Hour()+11)%12 + 1) }},
	'j': {3, '0', func(t time.Time) int64 { return int64(t.YearDay()) }},
	'k': {2, ' ', func(t time.Time) int64 { return int64(t.Hour()) }},
	'l': {2, ' ', func(t time.Time) int64 { return int64((t.Hour()+11)%12 + 1) }},
	'm': {2, '0', func(t time.Time) int64 { return int64(t.Month()) }},
	'M': {2, '0', func(t time.Time) int64 { return int64(t.Minute()) }},
	's': {1, '0', func(t time.Time) int64 { return t.Unix() }},
	'S': {2, '0', func(t time.Time) int64 { return int64(t.Second()) }},
	'u': {1, '0', func(t time.Time) int64 { return int64((t.Weekday()+6)%7 + 1) }},
	'U': {2, '0', func(t time.Time) int64 { return int64((t.YearDay() + 6 - int(t.Weekday())) / 7) }},
	'V': {2, '0', func(t time.Time) int64 { _, week := t.ISOWeek(); return int64(week) }},
	'w': {1, '0', func(t time.Time) int64 { return int64(t.Weekday()) }},
	'W': {2, '0', func(t time.Time) int64 {
		return int64((t.YearDay() + 6 - int(t.Weekday()+6)%7) / 7)
	}},
	'y': {2, '0', func(t time.Time) int64 { return int64(t.Year() % 100) }},
	'Y': {1, '0', func(t time.Time) int64 { return int64(t.Year()) }},
}

// appendNumber: flags and width win over the verb's own.
func (c *conversion) appendNumber(dst []byte, n int64, width int, pad byte) []byte {
	switch c.pad {
	case '-':
		width = 0
	case '_':
		pad = ' '
	case '0':
		pad = '0'
	}
	if c.width != 0 {
		width = c.width
	}
	start := len(dst)
	return fillWith(strconv.AppendInt(dst, n, 10), start, width, pad)
}

// fill fills a text up to the conversion's width.
func (c *conversion) fill(dst []byte, start int) []byte {
	pad := byte(' ')
	if c.pad == '0' {
		pad = '0'
	}
	return fillWith(dst, start, c.width, pad)
}

// fillWith moves dst[start:] to the right so that it is width wide.
func fillWith(dst []byte, start, width int, pad byte) []byte {
	size := len(dst) - start
	missing := max(width-size, 0)
	for range missing {
		dst = append(dst, pad)
	}
	copy(dst[start+missing:], dst[start:start+size])
	for i := range min(missing, size) {
		dst[start+i] = pad
	}
	return dst
}

// ofAbsl says whether the conversion is one that strftime does not know.
func (c *conversion) ofAbsl() bool {
	switch c.verb {
	case 'f':
		return true
	case 'S', 'Y':
		return c.digits != 0
	case 'z', 'T':
		return c.extended
	}
	return false
}

// appendAbsl writes the fraction of the start's second. In Envoy only %f has it: there %E3S and
// its like are always whole, because the text of a second is kept for all streams of that second.
func (c *conversion) appendAbsl(dst []byte, t time.Time) []byte {
	switch c.verb {
	case 'T':
		return append(dst, 'T')
	case 'z':
		if c.digits == all {
			return append(dst, "+00:00:00"...)
		}
		return append(dst, "+00:00"...)
	case 'Y':
		return fillWith(strconv.AppendInt(dst, int64(t.Year()), 10), len(dst), 4, '0')
	case 'f':
		start := len(dst)
		if dst = c.appendFraction(dst, t); len(dst) == start {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(t.AppendFormat(dst, "05"), '.')
	start := len(dst)
	if dst = c.appendFraction(dst, t); len(dst) == start {
		dst = dst[:start-1] // %E*S of a whole second has no point
	}
	return dst
}

// appendFraction writes as many digits as asked for; with * as many as there are before the zeros.
func (c *conversion) appendFraction(dst []byte, t time.Time) []byte {
	start := len(dst)
	dst = fillWith(strconv.AppendInt(dst, int64(t.Nanosecond()), 10), start, 9, '0')
	digits := c.digits
	switch {
	case digits == all:
		return dst[:start+len(bytes.TrimRight(dst[start:], "0"))]
	case digits == 0:
		digits = c.width // %3f
	}
	if digits == 0 {
		return dst
	}
	for len(dst) < start+digits {
		dst = append(dst, '0')
	}
	return dst[:start+digits]
}
