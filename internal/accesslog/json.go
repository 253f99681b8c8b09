package accesslog

import (
	"errors"
	"maps"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/structpb"

	"envoywalk/internal/streaminfo"
)

// jsonStyle says how values are written.
type jsonStyle struct {
	typed     bool // numbers as numbers, a missing value as null; else all is text and that is "-"
	omitEmpty bool // a missing value's key is left out
}

// jsonFormat writes an object a line. Keys are sorted; Envoy's come as its hash map has them. Whole
// numbers are written with all digits, where Envoy's go through a double.
//
// Envoy: Formatter::JsonFormatterImpl over StructFormatter
type jsonFormat struct {
	jsonStyle
	members []member
	none    string // JSON of a missing value
	empty   string // a missing value inside a text
}

// member is one key with its format, or with an object of further members.
type member struct {
	key    string // as JSON, with its colon
	pieces []piece
	object []member // not nil for an object
}

// parseJSON fails with Envoy's sentences.
//
// Envoy: StructFormatter::toFormatMap
func parseJSON(c *structpb.Struct, style jsonStyle) (formatter, error) {
	f := &jsonFormat{jsonStyle: style, none: `"-"`, empty: "-"}
	if style.typed {
		f.none = "null"
	}
	if style.omitEmpty {
		f.empty = ""
	}
	var err error
	f.members, err = parseMembers(c)
	return f, err
}

func parseMembers(c *structpb.Struct) ([]member, error) {
	members := []member{}
	for _, key := range slices.Sorted(maps.Keys(c.GetFields())) {
		m := member{key: string(closeJSONString(append([]byte{'"'}, key...), 0)) + ":"}
		var err error
		switch v := c.GetFields()[key].GetKind().(type) {
		case *structpb.Value_StringValue:
			m.pieces, err = parse(v.StringValue)
		case *structpb.Value_StructValue:
			m.object, err = parseMembers(v.StructValue)
		default:
			err = errors.New("Only string values or nested structs are supported in structured " +
				"access log format.")
		}
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

func (f *jsonFormat) appendLine(dst []byte, s *streaminfo.StreamInfo) []byte {
	return append(f.appendObject(dst, f.members, s), '\n')
}

func (f *jsonFormat) appendObject(dst []byte, members []member, s *streaminfo.StreamInfo) []byte {
	dst = append(dst, '{')
	first := true
	for i := range members {
		m, start := &members[i], len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(dst, m.key...)
		found := true
		if m.object != nil {
			dst = f.appendObject(dst, m.object, s)
		} else if dst, found = f.appendValue(dst, m.pieces, s); !found && f.omitEmpty {
			dst = dst[:start]
			continue
		}
		first = false
	}
	return append(dst, '}')
}

// appendValue appends one value. Only an operator that stands alone keeps its type.
func (f *jsonFormat) appendValue(dst []byte, pieces []piece, s *streaminfo.StreamInfo) ([]byte, bool) {
	start := len(dst)
	if len(pieces) == 1 && pieces[0].op != nil {
		return f.appendAlone(dst, pieces[0].op, s)
	}
	dst = append(dst, '"')
	for _, p := range pieces {
		if p.op == nil {
			dst = append(dst, p.text...)
		} else {
			dst = p.op.appendText(dst, s, f.empty)
		}
	}
	return closeJSONString(dst, start), true
}

func (f *jsonFormat) appendAlone(dst []byte, op *operator, s *streaminfo.StreamInfo) (_ []byte, found bool) {
	start := len(dst)
	get := op.get
	if f.typed && op.typed != nil {
		get = op.typed
	}
	bare := f.typed && op.number
	if !bare {
		dst = append(dst, '"')
	}
	switch dst, found = get(dst, s); {
	case !found:
		return append(dst[:start], f.none...), false
	case bare:
		return dst, true
	}
	return closeJSONString(dst, start), true
}

// closeJSONString makes dst[start:], a quote and any bytes, a JSON string. What JSON does not
// allow is escaped, and what a browser or a terminal would act on; bytes that are not UTF-8 become
// U+FFFD.
func closeJSONString(dst []byte, start int) []byte {
	for _, c := range dst[start+1:] {
		if mustEscape(rune(c)) || c >= utf8.RuneSelf {
			raw := append([]byte(nil), dst[start+1:]...)
			dst = appendEscaped(dst[:start+1], raw)
			break
		}
	}
	return append(dst, '"')
}

func appendEscaped(dst, raw []byte) []byte {
	const hex = "0123456789abcdef"
	for _, r := range string(raw) {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case mustEscape(r):
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// mustEscape: quotes, controls, what HTML acts on, line separators, marks that turn the direction.
func mustEscape(r rune) bool {
	switch {
	case r < ' ', r == '"', r == '\\', r == '<', r == '>', r >= 0x7f && r < 0xa0:
		return true
	}
	return r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
