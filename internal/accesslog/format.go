package accesslog

import (
	"fmt"
	"os"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"

	"envoywalk/internal/log"
	"envoywalk/internal/streaminfo"
)

// DefaultFormat is Envoy's: when, what, how it ended, bytes, how long, who asked, who answered.
//
// Envoy: Formatter::SubstitutionFormatUtils::DEFAULT_FORMAT
const DefaultFormat = `[%START_TIME%] ` +
	`"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" ` +
	`%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ` +
	`%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ` +
	`"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"` + "\n"

// fileFormat is the format of a file's log. Three of its four fields are older than the fourth.
func fileFormat(c *filev3.FileAccessLog) (formatter, error) {
	switch {
	case c.GetFormat() != "":
		return parseText(c.GetFormat(), false)
	case c.GetJsonFormat() != nil:
		return parseJSON(c.GetJsonFormat(), jsonStyle{})
	case c.GetTypedJsonFormat() != nil:
		return parseJSON(c.GetTypedJsonFormat(), jsonStyle{typed: true})
	}
	return formatOf(c.GetLogFormat())
}

// formatOf is the format that a log_format describes.
//
// Envoy: Formatter::SubstitutionFormatStringUtils::fromProtoConfig
func formatOf(c *corev3.SubstitutionFormatString) (formatter, error) {
	omit := c.GetOmitEmptyValues()
	switch f := c.GetFormat().(type) {
	case *corev3.SubstitutionFormatString_TextFormat:
		return parseText(f.TextFormat, omit)
	case *corev3.SubstitutionFormatString_JsonFormat:
		return parseJSON(f.JsonFormat, jsonStyle{typed: true, omitEmpty: omit})
	case *corev3.SubstitutionFormatString_TextFormatSource:
		text, err := readSource(f.TextFormatSource)
		if err != nil {
			return nil, err
		}
		return parseText(text, omit)
	}
	return defaultFormat(), nil
}

// Envoy: Config::DataSource::read
func readSource(s *corev3.DataSource) (string, error) {
	path := s.GetFilename()
	if path == "" {
		return s.GetInlineString() + string(s.GetInlineBytes()), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("unable to read file: %s", path)
	}
	return string(text), nil
}

func defaultFormat() formatter {
	f, err := parseText(DefaultFormat, false)
	if err != nil {
		panic(err) // DefaultFormat is ours
	}
	return f
}

// textFormat writes a format string's text with each operator's value in its place.
//
// Envoy: Formatter::FormatterImpl
type textFormat struct {
	pieces []piece
	empty  string // stands for a value that is not there
}

// piece is a part of a format string: a text, or an operator.
type piece struct {
	text string
	op   *operator // nil for a text
}

func parseText(format string, omitEmpty bool) (formatter, error) {
	pieces, err := parse(format)
	if err != nil {
		return nil, err
	}
	f := &textFormat{pieces: pieces, empty: "-"}
	if omitEmpty {
		f.empty = ""
	}
	return f, nil
}

func (f *textFormat) appendLine(dst []byte, s *streaminfo.StreamInfo) []byte {
	for i := range f.pieces {
		p := &f.pieces[i]
		if p.op == nil {
			dst = append(dst, p.text...)
			continue
		}
		start := len(dst)
		dst = visible(p.op.appendText(dst, s, f.empty), start)
	}
	return dst
}

// visible makes dst[start:], a value that a peer may have chosen, harmless to a terminal and to
// whoever reads the log line by line. Almost always there is nothing to do.
func visible(dst []byte, start int) []byte {
	for _, c := range dst[start:] {
		if c < ' ' || c >= 0x7f {
			return log.AppendVisible(dst[:start], append([]byte(nil), dst[start:]...))
		}
	}
	return dst
}

// parse takes a format string apart. It fails with Envoy's sentence at the first thing that is not
// an operator. %% is a percent sign, which Envoy has learned since 1.17.
//
// Envoy: Formatter::SubstitutionFormatParser::parse
func parse(format string) (pieces []piece, err error) {
	for pos := 0; pos < len(format); {
		text, _, found := strings.Cut(format[pos:], "%")
		if text != "" {
			pieces = append(pieces, piece{text: text})
		}
		if pos += len(text); !found {
			break
		}
		if strings.HasPrefix(format[pos:], "%%") {
			pieces = append(pieces, piece{text: "%"})
			pos += 2
			continue
		}
		size := tokenSize(format[pos+1:])
		if size < 0 {
			return nil, fmt.Errorf("Incorrect configuration: %s. "+
				"Couldn't find valid command at position %d", format, pos)
		}
		op, err := parseToken(format[pos+1 : pos+1+size])
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece{op: op})
		pos += size + 2
	}
	return pieces, nil
}

// tokenSize is the length of the token that s begins with, of the form NAME, NAME(argument),
// NAME:3 or NAME(argument):3, with a percent sign behind it; -1 if there is none. A name may have
// digits: 1.17 knows DOWNSTREAM_PEER_FINGERPRINT_256 but cannot read it.
func tokenSize(s string) int {
	n := len(s) - len(strings.TrimLeft(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"))
	if n == 0 || s[0] <= '9' {
		return -1
	}
	if strings.HasPrefix(s[n:], "(") {
		length := strings.IndexByte(s[n:], ')')
		if length < 0 {
			return -1
		}
		n += length + 1
	}
	if strings.HasPrefix(s[n:], ":") {
		digits := len(s[n+1:]) - len(strings.TrimLeft(s[n+1:], "0123456789"))
		if digits == 0 {
			return -1
		}
		n += 1 + digits
	}
	if !strings.HasPrefix(s[n:], "%") {
		return -1
	}
	return n
}
