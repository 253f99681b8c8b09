package stracefile

import "strings"

// SplitArgs splits at the commas outside of strings, brackets and annotations, up to the closing
// parenthesis, and returns where that is; -1 if it never comes.
func SplitArgs(s string) (end int, args []string) {
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if i = stringEnd(s, i); i < 0 {
				return -1, nil
			}
		case '<':
			if isAnnotation(s, i) {
				i = max(i, annotationEnd(s, i))
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

// isAnnotation: what -y writes stands right behind an fd, and 1<<CAP_KILL is none.
func isAnnotation(s string, i int) bool {
	return i > 0 && i+1 < len(s) && s[i+1] != '<' &&
		(s[i-1] >= '0' && s[i-1] <= '9' || strings.HasSuffix(s[:i], "AT_FDCWD"))
}

// annotationEnd is the index of the > that closes the annotation opened at i, -1 if none does. In a
// socket's, -> is an arrow; in a path strace writes < and > as octals; a device has one inside:
// </dev/null<char 1:3>>.
func annotationEnd(s string, i int) int {
	arrows := strings.Contains(protocolOf(s[i+1:]), ":[")
	for depth := 0; i < len(s); i++ {
		switch s[i] {
		case '<':
			depth++
		case '>':
			if arrows && s[i-1] == '-' {
				continue
			}
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// protocolOf is the front of a socket's annotation, such as TCP:[ or UNIX-STREAM:[; "" of any other.
func protocolOf(s string) string {
	for i := range len(s) {
		switch c := s[i]; {
		case c == ':' && i > 0 && strings.HasPrefix(s[i:], ":["):
			return s[:i+2]
		case c != '-' && (c < 'A' || c > 'Z') && (i == 0 || c != 'v' && c != '6'):
			return ""
		}
	}
	return ""
}

// CutAnnotation parts what stands in front of an annotation from what it says: 6<TCP:[a->b]> is 6 and
// TCP:[a->b]. Without one, all of s is in front.
func CutAnnotation(s string) (front, says string) {
	i := strings.IndexByte(s, '<')
	if i < 0 || !isAnnotation(s, i) {
		return s, ""
	}
	end := annotationEnd(s, i)
	if end < 0 {
		return s, ""
	}
	return s[:i], s[i+1 : end]
}

// WithoutAnnotations is s without what -y writes behind each fd: [6<socket:[1]>, 7<socket:[2]>] is [6, 7].
func WithoutAnnotations(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			if end := stringEnd(s, i); end > 0 {
				i = end
			}
		case s[i] == '<' && isAnnotation(s, i):
			if end := annotationEnd(s, i); end > 0 {
				b.WriteString(s[from:i])
				from, i = end+1, end
			}
		}
	}
	return b.String() + s[from:]
}
