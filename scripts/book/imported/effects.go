package imported

import (
	"strings"

	"envoywalk/scripts/book/stracefile"
)

// resolve finds what the fds among c's arguments stand for, as c begins.
func (w *walk) resolve(c *call) {
	second, hasSecond := secondFD[c.Name]
	for i, a := range c.Args {
		_, note := stracefile.CutAnnotation(a)
		if fd := number(a); fd >= 0 && (note != "" || i == 0 && onFD[c.Name] || hasSecond && i == second) {
			c.fds = append(c.fds, fdArg{i, fd, w.object(c.thread, fd, note)})
		}
	}
	if pollWaits[c.Name] {
		for _, item := range strings.Split(c.arg(0), "{fd=")[1:] {
			item, _, _ = strings.Cut(item, ", events")
			if fd := number(item); fd >= 0 {
				_, note := stracefile.CutAnnotation(item)
				c.fds = append(c.fds, fdArg{-1, fd, w.object(c.thread, fd, note)})
			}
		}
	}
}

var standard = [...]string{"stdin", "stdout", "stderr"}

// object is what fd stands for. One that is not known was made before strace came, or by a call that
// strace was not asked to show.
func (w *walk) object(th *thread, fd int64, note string) *object {
	s, known := th.table.fds[fd]
	if known && !s.of.contradicts(note) {
		if note != "" {
			s.of.note = note
		}
		return s.of
	}
	o := &object{kind: kindOfNote(note), name: nameOfNote(note), note: note, owner: th}
	if note == "" {
		o.kind = other
	}
	if fd < int64(len(standard)) && o.kind != socket {
		o.name = standard[fd]
	}
	w.dropped(th.table.put(fd, o, ""))
	return o
}

// contradicts: strace says that the fd is something else than what is known. It tells a socket's address
// only once it has one.
func (o *object) contradicts(note string) bool {
	if note == "" || o.note == "" || note == o.note || strings.HasSuffix(note, "(deleted)") {
		return false
	}
	was, is := kindOfNote(o.note), kindOfNote(note)
	return was != is || is == pipe || is == file || strings.HasPrefix(note, "socket:[")
}

// began is what c does as it begins: a close gives the number up, a write may wake.
func (w *walk) began(c *call) {
	switch {
	case len(c.fds) == 0:
	case writes[c.Name]:
		w.wrote(c)
	case epollWaits[c.Name] && c.fds[0].of.waiter == nil:
		c.fds[0].of.waiter = c.thread
	}
}

// after is what must not be done before c has its place.
func (w *walk) after(c *call) {
	switch {
	case c.Name == "close" && len(c.fds) > 0:
		w.dropped(c.thread.table.drop(c.fds[0].number))
	case c.Name == "close_range":
		w.closeRange(c)
	}
}

func (w *walk) closeRange(c *call) {
	from, to := number(c.arg(0)), number(c.arg(1))
	if to < 0 {
		to = 1 << 31
	}
	for fd := range c.thread.table.fds {
		if fd >= from && fd <= to && !strings.Contains(c.arg(2), "CLOEXEC") {
			w.dropped(c.thread.table.drop(fd))
		}
	}
}

// dropped ends what nobody has an fd for any more.
func (w *walk) dropped(o *object) {
	if o != nil && o.story != nil && !o.story.ended {
		o.story.ended = true
		o.story.span.end, o.story.span.to = w.next(), w.now
	}
}

func (w *walk) endStories() {
	for _, s := range w.spans {
		if s.kind == kindStory && s.end == 0 {
			s.end, s.to, s.unfinished = w.next(), w.now, true
		}
	}
}

// ended is what c has done when it ends.
func (w *walk) ended(c *call) {
	switch {
	case !c.Returned || c.Errno != "":
	case c.makesFD():
		w.makes(c)
	case c.Name == "pipe", c.Name == "pipe2", c.Name == "socketpair":
		w.makesTwo(c)
	case c.Name == "bind", c.Name == "getsockname":
		c.named(c.arg(1))
	case c.Name == "epoll_ctl":
		c.watches()
	case waits(c.Name):
		w.reports(c)
	case reads[c.Name]:
		c.drained()
	case strings.HasPrefix(c.Name, "execve"):
		w.executed(c)
	case strings.HasPrefix(c.Name, "fcntl") && c.arg(1) == "F_SETFD" && len(c.fds) > 0:
		c.thread.table.fds[c.fds[0].number] = slot{c.fds[0].of, strings.Contains(c.arg(2), "CLOEXEC")}
	}
	switch c.Name {
	case "connect":
		if len(c.fds) > 0 && c.fds[0].of.story == nil {
			c.fds[0].of.name = protocol(c.fds[0].of) + " >" + address(c.arg(1))
		}
	case "sendmsg":
		w.sendsFDs(c)
	case "recvmsg":
		w.receivesFDs(c)
	}
}

// named: a socket is called after the address that it is bound to, with the port that the kernel chose.
func (c *call) named(sockaddr string) {
	if len(c.fds) > 0 && c.fds[0].of.story == nil && !strings.Contains(c.fds[0].of.name, ">") {
		c.fds[0].of.name = protocol(c.fds[0].of) + " " + address(sockaddr)
	}
}

func protocol(o *object) string {
	word, _, _ := strings.Cut(o.name, " ")
	if word == "" {
		return "socket"
	}
	return word
}

// executed: what was marked so is closed.
func (w *walk) executed(c *call) {
	th := c.thread
	if th.table.users > 1 {
		th.table.users--
		th.table = th.table.copied()
		th.table.users++
	}
	for fd, s := range th.table.fds {
		if s.closing {
			w.dropped(th.table.drop(fd))
		}
	}
}
