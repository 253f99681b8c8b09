package imported

import (
	"fmt"
	"strings"

	"envoywalk/scripts/book/stracefile"
)

// fdArg is an argument that is an fd.
type fdArg struct {
	index  int // -1: inside of an argument
	number int64
	of     *object
}

// ready is one fd that a wait reports.
type ready struct {
	fd     int64
	of     *object
	events string
}

// args are the arguments as our traces spell them: labels at the fds, addresses and interest sets in
// short, and what a wait reports by name.
func (c *call) args() string {
	parts := make([]string, len(c.Args))
	for i, a := range c.Args {
		parts[i] = shortArg(a)
	}
	for _, fd := range c.fds {
		if fd.index >= 0 {
			parts[fd.index] = fdText(fd.number, fd.of)
		}
	}
	if epollWaits[c.Name] && len(c.ready) > 0 && len(parts) > 1 {
		var all []string
		for _, r := range c.ready {
			all = append(all, r.events+" "+fdText(r.fd, r.of))
		}
		parts[1] = "[" + strings.Join(all, ", ") + "]"
	}
	if pollWaits[c.Name] && len(parts) > 0 {
		parts[0] = c.pollText(parts[0])
	}
	return strings.ToValidUTF8(strings.Join(parts, ", "), "?")
}

func fdText(fd int64, o *object) string {
	label := o.label()
	switch {
	case fd < 0:
		return label
	case label == "":
		return fmt.Sprint(fd)
	}
	return fmt.Sprintf("%d<%s>", fd, label)
}

// shortArg shortens what strace writes out in full and nobody reads: socket addresses, the interest of
// epoll_ctl, the folder of an *at call, the annotations of -y.
func shortArg(a string) string {
	switch {
	case strings.HasPrefix(a, "{sa_family="):
		return address(a)
	case strings.HasPrefix(a, "{events="):
		events := strings.TrimPrefix(a, "{events=")
		if i := strings.Index(events, ", data="); i >= 0 {
			return "{" + events[:i] + "}"
		}
	}
	return stracefile.WithoutAnnotations(a)
}

// address spells a socket address: 127.0.0.1:80, [::1]:80, /path, @abstract.
func address(a string) string {
	port := between(a, "port=htons(", ")")
	switch {
	case strings.Contains(a, "sin_addr=inet_addr("):
		return between(a, `sin_addr=inet_addr("`, `"`) + ":" + port
	case strings.Contains(a, "inet_pton(AF_INET6, "):
		return "[" + between(a, `inet_pton(AF_INET6, "`, `"`) + "]:" + port
	case strings.Contains(a, `sun_path=@"`):
		return "@" + between(a, `sun_path=@"`, `"`)
	case strings.Contains(a, `sun_path="`):
		return between(a, `sun_path="`, `"`)
	}
	return a
}

// pollText puts labels at the fds that poll was given.
func (c *call) pollText(list string) string {
	var b strings.Builder
	for rest := list; ; {
		front, behind, ok := strings.Cut(rest, "{fd=")
		b.WriteString(front)
		if !ok {
			return b.String()
		}
		end := strings.Index(behind, ", events")
		if end < 0 {
			return b.String() + "{fd=" + behind
		}
		fd := number(behind[:end])
		b.WriteString("{fd=" + fdText(fd, c.polled(fd)))
		rest = behind[end:]
	}
}

func (c *call) polled(fd int64) *object {
	for _, a := range c.fds {
		if a.number == fd {
			return a.of
		}
	}
	return nil
}
