package diff

import (
	"regexp"
	"strconv"
	"strings"

	"envoywalk/trace/moment"
)

// comparedCalls are the calls of another program that are laid over ours, and what they are called then.
var comparedCalls = map[string]string{"socket": "socket", "bind": "bind", "listen": "listen",
	"accept": "accept", "accept4": "accept", "connect": "connect", "getsockname": "getsockname",
	"getpeername": "getpeername", "setsockopt": "setsockopt", "getsockopt": "getsockopt",
	"shutdown": "shutdown", "close": "close", "read": "read", "readv": "readv", "recvfrom": "recvfrom",
	"recvmsg": "recvmsg", "write": "write", "writev": "writev", "sendto": "sendto", "sendmsg": "sendmsg",
	"epoll_create": "epoll_create", "epoll_create1": "epoll_create", "epoll_ctl": "epoll_ctl",
	"eventfd": "eventfd", "eventfd2": "eventfd", "dup": "dup", "dup2": "dup", "dup3": "dup", "fcntl": "dup"}

var lifeKinds = map[string]string{"socket": "socket", "accept": "connection", "epoll_create": "epoll",
	"eventfd": "eventfd"}

// life is an fd from the call that made it to its close.
type life struct{ kind string }

// callsOf sorts the system calls of a trace by the fd that they are about: what was done with it, by threads
// of which role, in which order. What was done with another fd meanwhile is not compared.
func callsOf(events []Event) *side {
	s := newSide(events)
	lives, members := livesOf(events)
	roles := callRoles(events)
	units := map[string]int{} // of each thread: what lies between two waits
	for i := range events {
		e := &events[i]
		if !e.isCall() {
			continue
		}
		if _, known := units[e.Thread]; !known || e.isWait() {
			units[e.Thread] = i
		}
		l, name := lives[i], comparedCalls[e.Call.Name]
		if l == nil || e.isLook() || l.kind == "eventfd" && (name == "read" || name == "write") {
			continue
		}
		if members[i] != nil {
			l = members[i]
		}
		s.actor(l, l.kind).add(i, units[e.Thread], name+"|"+roles[e.Thread]+"|"+otherDetail(e), false)
	}
	return s
}

var control = regexp.MustCompile(`EPOLL_CTL_\w+`)

// otherDetail is a call's detail without labels, masks and values: other programs have others.
func otherDetail(e *Event) string {
	if e.Call.Name != "epoll_ctl" {
		return roughDetail(e)
	}
	return e.Call.Errno + " " + control.FindString(e.Call.Args)
}

// callRoles: other programs have other names. The first thread is main, who accepts is a worker.
func callRoles(events []Event) map[string]string {
	roles := map[string]string{}
	first := ""
	for i := range events {
		e := &events[i]
		if first == "" {
			first = e.Thread
		}
		if roles[e.Thread] == "" {
			roles[e.Thread] = roleOf(e.Thread)
		}
		if strings.Contains(e.Thread, "worker") || e.isCall() && comparedCalls[e.Call.Name] == "accept" {
			roles[e.Thread] = "worker"
		}
	}
	roles[first] = "main"
	return roles
}

type fdKey struct{ process, fd int64 }

// livesOf says of each call about an fd which life it is part of, and of an epoll_ctl whose life it
// puts under watch.
func livesOf(events []Event) (lives, members []*life) {
	lives, members = make([]*life, len(events)), make([]*life, len(events))
	open := map[fdKey]*life{}
	for i := range events {
		e := &events[i]
		name := comparedCalls[e.Call.Name]
		if !e.isCall() || name == "" {
			continue
		}
		l := open[fdKey{e.Process, e.FD}]
		if l != nil && name == "connect" {
			l.kind = "upstream"
		}
		made := madeFDs(&e.Call)
		if name != "dup" || len(made) > 0 {
			lives[i] = l
		}
		switch name {
		case "epoll_ctl":
			members[i] = open[fdKey{e.Process, memberFD(e)}]
		case "close":
			delete(open, fdKey{e.Process, e.FD})
		}
		for _, fd := range made {
			if kind := madeKind(name, l); kind != "" {
				lives[i] = &life{kind}
				open[fdKey{e.Process, fd}] = lives[i]
			}
		}
	}
	return lives, members
}

func madeKind(name string, original *life) string {
	if name != "dup" {
		return lifeKinds[name]
	}
	if original == nil {
		return ""
	}
	return original.kind
}

// madeFDs are the fds that one of the compared calls made.
func madeFDs(c *moment.Call) []int64 {
	if c.Errno != "" || c.Ret < 0 {
		return nil
	}
	switch name := comparedCalls[c.Name]; {
	case c.Name == "fcntl":
		if strings.Contains(c.Args, ", F_DUPFD") {
			return []int64{c.Ret}
		}
	case name == "dup", lifeKinds[name] != "":
		return []int64{c.Ret}
	}
	return nil
}

var member = regexp.MustCompile(`EPOLL_CTL_\w+, ([0-9]+)`)

func memberFD(e *Event) int64 {
	m := member.FindStringSubmatch(e.Call.Args)
	if m == nil {
		return -1
	}
	fd, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return -1
	}
	return fd
}
