package tree

import (
	"fmt"
	"strings"
)

// hint says after a line what its numbers mean, for who sees them the first time. It is the first
// thing to go where there is no room.
func hint(m *moment) string {
	switch m.kind {
	case kindCall:
		if m.repeat > 1 {
			return ""
		}
		return callHint(&m.call)
	case kindPost:
		return postHint(m)
	case kindRun:
		return runHint(m)
	}
	return ""
}

// postHint is what the poster saw under the queue's lock.
func postHint(m *moment) string {
	switch {
	case !m.running:
		return fmt.Sprintf("queue %d, loop not running: no wake", m.queued)
	case m.woke:
		return fmt.Sprintf("queue %d: wake the loop", m.queued)
	case m.queued > 1:
		return fmt.Sprintf("queue %d: woken already", m.queued)
	}
	return fmt.Sprintf("queue %d, own loop: no wake", m.queued)
}

func runHint(m *moment) string {
	switch {
	case m.number > 0:
		return fmt.Sprintf("posted by %s at %d", clean(m.postedBy), m.postedAt)
	case m.postID == 0:
		return "posted by a thread that is not traced"
	}
	return ""
}

func callHint(c *call) string {
	switch c.errno {
	case "":
		return resultHint(c)
	case "EAGAIN":
		if c.name == "accept4" {
			return "nobody else is waiting"
		}
		return "nothing now: the loop will be told"
	case "EINPROGRESS":
		return "under way: WRITE will tell"
	case "EINTR":
		return "a signal, mostly the Go runtime's own"
	case "EMFILE", "ENFILE":
		return "no fd is left"
	case "EADDRINUSE":
		return "somebody else has this address"
	}
	return ""
}

func resultHint(c *call) string {
	switch c.name {
	case "epoll_pwait":
		return waitHint(c)
	case "listen":
		if strings.HasSuffix(c.args, ", -1") {
			return "-1: as many as the kernel allows"
		}
	case "read", "readv", "recvfrom":
		if c.ret == 0 {
			return "the peer has finished"
		}
	case "shutdown":
		if strings.HasSuffix(c.args, "SHUT_WR") {
			return "we have finished: the peer will read 0"
		}
	case "getsockopt":
		return connectHint(c.args)
	}
	return ""
}

// connectHint: SO_ERROR is asked once, when WRITE tells that a connect is over.
func connectHint(args string) string {
	_, answer, asked := strings.Cut(args, "SO_ERROR, [")
	switch {
	case !asked:
		return ""
	case strings.HasPrefix(answer, "0]"):
		return "the connect has succeeded"
	}
	return "why the connect has failed"
}

// waitHint: the fourth argument is how long the wait may last, in ms.
func waitHint(c *call) string {
	args := strings.Split(c.args, ", ")
	switch {
	case c.ret > 0:
		return fmt.Sprintf("%d ready", c.ret)
	case len(args) < 4:
		return "nothing ready"
	case args[3] == "0":
		return "only a look: nothing ready"
	}
	return clean(args[3]) + " ms: nothing became ready"
}
