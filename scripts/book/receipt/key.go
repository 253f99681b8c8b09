package receipt

import (
	"strconv"
	"strings"
)

// compared says how many leading arguments must be equal where it is more than the first: those
// that both sides spell without interpreting them.
var compared = map[string]int{
	"epoll_ctl": 3, // epoll instance, operation, fd
	"fcntl":     2,
	"listen":    2,
	"shutdown":  2,
	"prctl":     2,
	"unlinkat":  2,
	"fchmodat":  2,
}

// key is what must be equal on both sides: the call, its leading arguments, its result.
func key(name string, args []string, ret int64, errno string) string {
	return call(name, args) + " = " + outcome(ret, errno)
}

func outcome(ret int64, errno string) string {
	if errno != "" {
		return strconv.FormatInt(ret, 10) + " " + errno
	}
	return strconv.FormatInt(ret, 10)
}

// call is the part of key that is not the result.
func call(name string, args []string) string {
	n := min(max(1, compared[name]), len(args))
	plain := make([]string, n)
	for i, a := range args[:n] {
		plain[i] = plainArg(a)
	}
	return name + "(" + strings.Join(plain, ", ") + ")"
}

// plainArg takes an fd's label away (7<echo>) and undoes the quoting of a string, which strace does
// in C's way and the trace in Go's. strace puts dots behind a thread's name that has all the 15
// bytes there are.
func plainArg(a string) string {
	if s := strings.TrimSuffix(a, "..."); len(s) > 1 && s[0] == '"' {
		return "text " + unquote(s[1:len(s)-1])
	}
	if number, _, ok := strings.Cut(a, "<"); ok && isNumber(number) {
		return number
	}
	return a
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'v': '\v', 'f': '\f',
	'a': '\a', 'b': '\b'}

// unquote undoes backslashes of both spellings: \n, \x1b, é, and C's octals of one to three digits.
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c >= '0' && c <= '7':
			i += octal(&b, s[i:]) - 1
		case c == 'x' || c == 'u' || c == 'U':
			r, _, tail, err := strconv.UnquoteChar(s[i-1:], '"')
			if err != nil {
				return s
			}
			if c == 'x' {
				b.WriteByte(byte(r))
			} else {
				b.WriteRune(r)
			}
			i = len(s) - len(tail) - 1
		case escapes[c] != 0:
			b.WriteByte(escapes[c])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// octal writes the byte that up to three octal digits spell and returns how many they were.
func octal(b *strings.Builder, s string) (digits int) {
	n := 0
	for digits < 3 && digits < len(s) && s[digits] >= '0' && s[digits] <= '7' {
		n = n*8 + int(s[digits]-'0')
		digits++
	}
	b.WriteByte(byte(n))
	return digits
}

func (c *Syscall) key() string { return key(c.Name, c.Args, c.Ret, c.Errno) }
func (s *Span) key() string    { return key(s.Name, s.Args, s.Ret, s.Errno) }

// withoutFD are the calls that have no fd in front although a number may stand there.
var withoutFD = map[string]bool{"eventfd2": true, "eventfd": true, "epoll_create": true,
	"epoll_create1": true, "select": true, "pselect6": true, "io_uring_setup": true,
	"memfd_create": true}

// fd is the call's first argument where that is an fd, else -1.
func (c *Syscall) fd() int64 {
	if len(c.Args) == 0 || withoutFD[c.Name] {
		return -1
	}
	n, err := strconv.ParseInt(c.Args[0], 10, 32)
	if err != nil {
		return -1
	}
	return n
}

// makes reports whether the call asks for a new fd of the kinds that the kernel door makes. Files,
// pipes and the rest are never ours.
func makes(name string, args []string) bool {
	switch name {
	case "socket", "accept", "accept4", "epoll_create", "epoll_create1", "eventfd", "eventfd2",
		"dup", "dup2", "dup3":
		return true
	case "fcntl":
		return len(args) > 1 && strings.HasPrefix(args[1], "F_DUPFD")
	}
	return false
}
