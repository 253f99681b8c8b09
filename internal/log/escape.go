package log

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendVisible writes message after buf so that it can neither move the reader's cursor nor pass
// for a second line: control characters become \n, \r, \t or \xNN, as do bytes that are not
// UTF-8. What a peer sends ends up in messages.
func AppendVisible(buf, message []byte) []byte {
	for len(message) > 0 {
		r, size := utf8.DecodeRune(message)
		invalid := r == utf8.RuneError && size == 1
		if invalid || isControl(r) {
			for _, b := range message[:size] {
				buf = appendEscaped(buf, b)
			}
		} else {
			buf = append(buf, message[:size]...)
		}
		message = message[size:]
	}
	return buf
}

// isControl says whether a terminal acts on r: C0, DEL and C1, the line and paragraph separators,
// and the marks that turn the direction of writing.
func isControl(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0:
		return true
	case r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}

func appendEscaped(buf []byte, b byte) []byte {
	switch b {
	case '\n':
		return append(buf, `\n`...)
	case '\r':
		return append(buf, `\r`...)
	case '\t':
		return append(buf, `\t`...)
	}
	return append(buf, '\\', 'x', hexDigits[b>>4], hexDigits[b&0xf])
}

// cEscape escapes a whole line as a C string would be written: \n, \r, \t, \", \', \\, and every
// other byte that is not printable ASCII in three octal digits.
//
// Envoy: DelegatingLogSink::escapeLogLine
func cEscape(text []byte) []byte {
	escaped := make([]byte, 0, len(text)+16)
	for _, b := range text {
		switch {
		case b == '\n' || b == '\r' || b == '\t':
			escaped = appendEscaped(escaped, b)
		case b == '"' || b == '\'' || b == '\\':
			escaped = append(escaped, '\\', b)
		case b < ' ' || b >= 0x7f:
			escaped = append(escaped, '\\', '0'+b>>6, '0'+b>>3&7, '0'+b&7)
		default:
			escaped = append(escaped, b)
		}
	}
	return escaped
}
