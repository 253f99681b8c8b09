package receipt

import "strings"

// ownership knows which calls a span must tell.
type ownership struct {
	c     *comparison
	names map[int]int             // by thread, the line at which it named itself
	last  map[int]int             // by thread, the line of its last call on an fd of ours
	paths map[int]map[string]bool // by thread, the path calls that its spans tell
	rt    map[*Syscall]bool       // makers of what the runtime's poller watches
	poll  *life                   // the runtime's poller
}

func newOwnership(c *comparison) *ownership {
	o := &ownership{c: c, names: map[int]int{}, last: map[int]int{},
		paths: map[int]map[string]bool{},
		rt:    c.lives.watchedByRuntime(), poll: c.lives.runtimePoller()}
	for i := range c.calls {
		call := &c.calls[i]
		if namesThread(call.Name, call.Args) && o.names[call.TID] == 0 {
			o.names[call.TID] = call.Start
		}
		if one := c.lives.of[i]; one != nil && one.ours {
			o.last[call.TID] = call.Start
		}
		if one := c.lives.made[i]; one != nil && one.ours {
			o.last[call.TID] = call.Start
		}
	}
	for tid, spans := range c.spans {
		o.paths[tid] = map[string]bool{}
		for i := range spans {
			o.paths[tid][pathOf(spans[i].Name, spans[i].Args)] = true
		}
	}
	return o
}

func namesThread(name string, args []string) bool {
	return name == "prctl" && len(args) > 0 && args[0] == "PR_SET_NAME"
}

// pathOf is the path that a path call names, "" for every other call.
func pathOf(name string, args []string) string {
	if (name == "unlinkat" || name == "fchmodat") && len(args) > 1 {
		return name + " " + plainArg(args[1])
	}
	return ""
}

// mustBeTold reports whether the call is one of ours.
func (o *ownership) mustBeTold(i int) bool {
	call, one, made := &o.c.calls[i], o.c.lives.of[i], o.c.lives.made[i]
	_, hasSpans := o.c.spans[call.TID]
	path := pathOf(call.Name, call.Args)
	switch {
	case !call.Returned:
		return false
	case one != nil && one.ours:
		return call.Start <= one.given
	case made != nil && made.ours:
		return true
	case namesThread(call.Name, call.Args):
		return hasSpans
	case path != "":
		return o.paths[call.TID][path]
	}
	return hasSpans && o.unclaimed(call, one, made)
}

// unclaimed: a thread that has a lane made, or tried to make, an fd, and nobody said so.
func (o *ownership) unclaimed(call *Syscall, source, made *life) bool {
	named, isLane := o.names[call.TID]
	switch {
	case !isLane || call.Start < named || call.Start > o.last[call.TID]:
		return false
	case !makes(call.Name, call.Args) || call.fd() >= 0:
		return false // what is made from an fd of another's is another's
	case made != nil && (made == o.poll || o.rt[call]):
		return false
	}
	return !probesNet(call)
}

// probesNet: package net asks once what the kernel can do, with sockets that name TCP by its
// number. The kernel door always says 0.
func probesNet(call *Syscall) bool {
	return call.Name == "socket" && len(call.Args) > 2 &&
		strings.HasPrefix(call.Args[2], "IPPROTO_TCP")
}
