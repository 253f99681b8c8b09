package log

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DefaultFormat is Envoy's: date and time, thread, level, component, place, message.
const DefaultFormat = "[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v"

// known are the flags of a format.
const known = "YmdTetlLng#v_%"

// piece is a run of plain text, or one flag.
type piece struct {
	flag byte // 0 for plain text
	text string
}

// lineFormat is a format taken apart.
type lineFormat struct {
	pieces  []piece
	escaped bool // --log-format-escaped
}

// line is what one log line has to tell.
type line struct {
	when    time.Time
	tid     int
	level   Level
	id      ID
	file    string
	number  int
	message []byte
}

// parseFormat takes a pattern apart. A flag it does not know, and a lone '%' at the end, is an
// error; spdlog would print it as it stands.
func parseFormat(pattern string, escaped bool) (*lineFormat, error) {
	f := &lineFormat{escaped: escaped}
	for rest := pattern; rest != ""; {
		text, flags, found := strings.Cut(rest, "%")
		if text != "" {
			f.pieces = append(f.pieces, piece{text: text})
		}
		if !found {
			break
		}
		if flags == "" {
			return nil, fmt.Errorf("error: log format '%s' ends in the middle of a flag", pattern)
		}
		if strings.IndexByte(known, flags[0]) < 0 {
			flag := []rune(flags)[0]
			return nil, fmt.Errorf("error: log format '%s' has an unknown flag '%%%c'", pattern, flag)
		}
		f.pieces = append(f.pieces, piece{flag: flags[0]})
		rest = flags[1:]
	}
	return f, nil
}

// appendLine writes the line after buf, its newline included.
func (f *lineFormat) appendLine(buf []byte, l *line) []byte {
	for _, p := range f.pieces {
		if p.flag == 0 {
			buf = append(buf, p.text...)
			continue
		}
		buf = f.appendFlag(buf, p.flag, l)
	}
	if f.escaped {
		buf = cEscape(buf)
	}
	return append(buf, '\n')
}

func (f *lineFormat) appendFlag(buf []byte, flag byte, l *line) []byte {
	switch flag {
	case 'Y', 'm', 'd', 'T', 'e':
		return appendTime(buf, flag, l.when)
	case 't':
		return strconv.AppendInt(buf, int64(l.tid), 10)
	case 'l':
		return append(buf, l.level.String()...)
	case 'L':
		return append(buf, l.level.short()...)
	case 'n':
		return append(buf, l.id.String()...)
	case 'g':
		return append(buf, l.file...)
	case '#':
		return strconv.AppendInt(buf, int64(l.number), 10)
	case 'v', '_':
		if f.escaped {
			return append(buf, l.message...)
		}
		return AppendVisible(buf, l.message)
	}
	return append(buf, '%')
}

func appendTime(buf []byte, flag byte, when time.Time) []byte {
	switch flag {
	case 'Y':
		return when.AppendFormat(buf, "2006")
	case 'm':
		return when.AppendFormat(buf, "01")
	case 'd':
		return when.AppendFormat(buf, "02")
	case 'T':
		return when.AppendFormat(buf, "15:04:05")
	}
	ms := when.Nanosecond() / int(time.Millisecond)
	return append(buf, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}
