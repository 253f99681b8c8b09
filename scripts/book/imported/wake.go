package imported

import "strings"

var (
	writes = set("write writev sendto sendmsg")
	reads  = set("read readv recvfrom recvmsg")
)

// watches follows which fds an epoll instance watches, and by which data it reports them.
func (c *call) watches() {
	if len(c.fds) < 2 {
		return
	}
	instance, watched := c.fds[0].of, c.fds[1].of
	if instance.data == nil {
		instance.data = map[string]watch{}
	}
	switch c.arg(1) {
	case "EPOLL_CTL_ADD", "EPOLL_CTL_MOD":
		instance.kind = epoll
		instance.data[dataOf(c.arg(3))] = watch{c.fds[1].number, watched}
		watched.edge = strings.Contains(c.arg(3), "EPOLLET")
		if watched.watcher == nil {
			watched.watcher = instance
		}
	}
}

// dataOf is what an epoll_event carries for its caller.
func dataOf(event string) string {
	if data := between(event, "u64=", "}"); data != "" {
		return data
	}
	_, data, _ := strings.Cut(event, "data=")
	return strings.TrimRight(data, "}")
}

// reports reads which fds a wait reports.
func (w *walk) reports(c *call) {
	if pollWaits[c.Name] {
		for _, item := range strings.Split(c.Result, "{fd=")[1:] {
			if fd := number(strings.Split(item, ",")[0]); fd >= 0 {
				c.ready = append(c.ready, ready{fd, c.polled(fd), between(item, "revents=", "}")})
			}
		}
		return
	}
	if len(c.fds) == 0 {
		return
	}
	for _, item := range strings.Split(c.arg(1), "{events=")[1:] {
		events, _, _ := strings.Cut(item, ", data=")
		w := c.fds[0].of.data[dataOf(item)]
		c.ready = append(c.ready, ready{c.thread.table.numberOf(w), w.of, events})
	}
}

// numberOf is the fd by which w is watched or, once that is closed, the lowest of its copies; -1: none is left.
func (t *table) numberOf(w watch) int64 {
	switch {
	case w.of == nil:
		return -1
	case t.fds[w.fd].of == w.of:
		return w.fd
	}
	lowest := int64(-1)
	for fd, s := range t.fds {
		if s.of == w.of && (lowest < 0 || fd < lowest) {
			lowest = fd
		}
	}
	return lowest
}

// wakeable: what is written there, somebody else may wait for.
func (o *object) wakeable() bool { return o.kind == eventfd || o.kind == pipe || o.kind == pair }

// wrote: c makes an eventfd or the other end of a pipe or a pair readable. What was readable already wakes
// nobody, unless it is watched for edges. Two writers at once: nobody knows which of them was first.
func (w *walk) wrote(c *call) {
	o := c.fds[0].of
	if !o.wakeable() || c.Errno != "" || c.Ret <= 0 {
		return
	}
	o = o.reader()
	if o.bytes == 0 {
		o.wakes, o.unsure = nil, false
	}
	switch {
	case len(o.wakes) > 0 && o.wakes[len(o.wakes)-1].isGoingOn():
		o.unsure = true
	case o.bytes == 0 || o.edge:
		o.wakes = append(o.wakes, c)
	}
	o.bytes += c.Ret
}

func (c *call) isGoingOn() bool { return c.thread.open == c }

// drained: c has read of an eventfd all there was, of a pipe what it returned.
func (c *call) drained() {
	if len(c.fds) == 0 {
		return
	}
	o := c.fds[0].of
	if o.waiter == nil && o.kind == eventfd {
		o.waiter = c.thread
	}
	if o.bytes -= c.Ret; o.bytes < 0 || o.kind == eventfd {
		o.bytes = 0
	}
	if o.bytes == 0 {
		o.wakes, o.unsure = nil, false
	}
}

// linkWakes links the turn that c begins, or c itself, to the write that woke it: one that made readable
// what c reports, after the last time it was reported.
func (w *walk) linkWakes(c *call) {
	for _, r := range c.ready {
		o := r.of
		if o == nil || !o.wakeable() || len(o.wakes) == 0 {
			continue
		}
		if write := o.wakes[0]; !o.unsure && write.told {
			woken := c.span
			if c.opens != nil {
				woken = c.opens
			}
			woken.links = append(woken.links, write.span)
		}
		o.wakes, o.unsure = nil, false
	}
}
