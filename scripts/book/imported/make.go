package imported

import (
	"strings"

	"envoywalk/scripts/book/stracefile"
)

// makes follows the fd that c returned.
func (w *walk) makes(c *call) {
	_, note := stracefile.CutAnnotation("0" + c.Result)
	if !strings.HasPrefix(c.Result, "<") {
		note = ""
	}
	o := w.newObject(c, note)
	flags := strings.Join(c.Args, " ")
	if c.Name == "dup" || c.duplicates() || c.Name == "dup2" || c.Name == "dup3" {
		if len(c.fds) == 0 {
			return
		}
		o = c.fds[0].of
	}
	if c.Name == "dup2" && c.arg(0) == c.arg(1) {
		return
	}
	w.dropped(c.thread.table.put(c.Ret, o, flags))
	c.made = o
}

func (w *walk) newObject(c *call, note string) *object {
	o := &object{note: note, name: nameOfNote(note), owner: c.thread}
	switch {
	case strings.HasPrefix(c.Name, "epoll_create"):
		o.kind, o.data = epoll, map[string]watch{}
	case strings.HasPrefix(c.Name, "eventfd"):
		o.kind = eventfd
	case c.Name == "socket":
		o.kind, o.name = socket, socketName(c)
	case strings.HasPrefix(c.Name, "accept"):
		o.kind = socket
		w.stories++
		o.story = &story{number: w.stories}
	case strings.HasPrefix(c.Name, "open"), c.Name == "creat":
		o.kind = file
		if o.name == "" {
			o.name = fileName(c)
		}
	default:
		name, _, _ := strings.Cut(c.Name, "_")
		o.name = strings.TrimRight(name, "124")
	}
	return o
}

func socketName(c *call) string {
	family := strings.ToLower(strings.TrimPrefix(c.arg(0), "AF_"))
	internet := family == "inet" || family == "inet6"
	switch {
	case internet && strings.HasPrefix(c.arg(1), "SOCK_STREAM"):
		return "tcp"
	case internet && strings.HasPrefix(c.arg(1), "SOCK_DGRAM"):
		return "udp"
	}
	return family
}

func fileName(c *call) string {
	for _, a := range c.Args {
		if strings.HasPrefix(a, `"`) {
			path := unquoted(a)
			return path[strings.LastIndexByte(path, '/')+1:]
		}
	}
	return ""
}

// makesTwo follows the two fds of a pipe or a pair, which stand between brackets: [3, 4].
func (w *walk) makesTwo(c *call) {
	kind, list := pipe, c.arg(0)
	if c.Name == "socketpair" {
		kind, list = pair, c.arg(3)
	}
	_, fds := stracefile.SplitArgs(strings.Trim(list, "[]") + ")")
	if len(fds) != 2 {
		return
	}
	a, b := &object{kind: kind, owner: c.thread}, &object{kind: kind, owner: c.thread}
	a.peer, b.peer = b, a
	if kind == pipe {
		w.pipes++
		a.number, b.number = w.pipes, w.pipes
	} else {
		w.pairs++
		a.number, b.number = w.pairs, w.pairs
	}
	for i, o := range [...]*object{a, b} {
		_, o.note = stracefile.CutAnnotation(fds[i])
		if fd := number(fds[i]); fd >= 0 {
			w.dropped(c.thread.table.put(fd, o, strings.Join(c.Args, " ")))
		}
	}
}

// caused begins what c caused: a story, or the turn that its wait belongs to.
func (w *walk) caused(c *call) {
	if c.made != nil && c.made.story != nil && c.made.story.span == nil {
		w.beginStory(c, c.made.story)
	}
	if waits(c.Name) && c.Ret > 0 {
		w.linkWakes(c)
	}
}

func (w *walk) beginStory(c *call, st *story) {
	st.span = &span{kind: kindStory, story: st, from: c.until()}
	w.put(st.span)
	st.span.trace = st.span.id
	st.span.links = []*span{c.span}
	if strings.HasPrefix(c.arg(1), "{sa_family=") {
		st.remote = address(c.arg(1))
	}
	if len(c.fds) > 0 {
		_, st.local, _ = strings.Cut(c.fds[0].of.name, " ")
	}
}

// sentFDs are the numbers in a control message that carries fds.
func sentFDs(c *call) (fds []string) {
	for _, message := range strings.Split(c.arg(1), "cmsg_type=SCM_RIGHTS")[1:] {
		_, list := stracefile.SplitArgs(between(message, "cmsg_data=[", "]}") + ")")
		fds = append(fds, list...)
	}
	return fds
}

// sendsFDs: what is sent over a pair waits at its other end.
func (w *walk) sendsFDs(c *call) {
	if len(c.fds) == 0 || c.fds[0].of.peer == nil || c.Errno != "" {
		return
	}
	for _, text := range sentFDs(c) {
		_, note := stracefile.CutAnnotation(text)
		if fd := number(text); fd >= 0 {
			o := w.object(c.thread, fd, note)
			o.refs++ // the message holds it
			c.fds[0].of.peer.inbox = append(c.fds[0].of.peer.inbox, o)
		}
	}
}

// receivesFDs: what arrives is what was sent, in order, where the sender was seen.
func (w *walk) receivesFDs(c *call) {
	if len(c.fds) == 0 || c.Errno != "" {
		return
	}
	from := c.fds[0].of
	for _, text := range sentFDs(c) {
		fd := number(text)
		_, note := stracefile.CutAnnotation(text)
		switch {
		case fd < 0:
		case len(from.inbox) > 0:
			o := from.inbox[0]
			from.inbox = from.inbox[1:]
			w.dropped(c.thread.table.put(fd, o, c.arg(2)))
			o.refs--
		default:
			w.object(c.thread, fd, note)
		}
	}
}
