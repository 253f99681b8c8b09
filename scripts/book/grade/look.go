package grade

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// Answer is what one witness says to a claim.
type Answer struct {
	Asked bool           // the witness was there to be asked
	Holds bool           // and says yes
	Found int            // how many it counted
	Could bool           // it could look
	Text  exercise.Words // what it says, for the report
}

func counted(n int, want exercise.Count, what exercise.Words) Answer {
	return Answer{Asked: true, Could: true, Holds: want.Holds(n), Found: n, Text: what}
}

func blind(err error) Answer { return Answer{Asked: true, Text: unlookable(err)} }

// look asks the kernel now for every check that wants this look. "" is for the checks that name none:
// it is called last.
func (s *scene) look(name string) {
	for i := range s.exercise.Checks {
		c := &s.exercise.Checks[i]
		if c.Look == name && isLive(c.Kernel) {
			s.said[c] = s.ask(c.Kernel)
		}
	}
}

// lookBack answers what is known only when all is over.
func (s *scene) lookBack() {
	for i := range s.exercise.Checks {
		c := &s.exercise.Checks[i]
		switch k := c.Kernel; {
		case k.Clients != nil && s.unseen != nil:
			s.said[c] = blind(s.unseen)
		case k.Clients != nil:
			s.said[c] = s.askClients(k.Clients)
		case k.Upstream != nil:
			s.said[c] = s.askUpstream(k.Upstream)
		case k.File != nil:
			s.said[c] = s.askFile(k.File)
		case k.Exit != nil:
			text := say("exit status %d", "退出状态 %d", s.exit)
			if s.exit < 0 {
				text = say("no exit status: a signal ended it", "没有退出状态：是被信号终止的")
			}
			s.said[c] = counted(s.exit, exercise.Count{Set: true, Min: *k.Exit, Max: *k.Exit}, text)
		}
	}
}

// isLive: only a process that lives can be asked.
func isLive(k *exercise.Kernel) bool {
	return k.Clients == nil && k.Upstream == nil && k.File == nil && k.Exit == nil
}

// ask asks a program that may end meanwhile. That is no reason to have seen nothing.
func (s *scene) ask(k *exercise.Kernel) Answer {
	if !s.isOver() {
		if a := s.askKernel(k); a.Could || s.unseen != nil || !s.endsNow() {
			return a
		}
	}
	return Answer{Asked: true, Could: true, Text: say("the program has ended", "程序已经结束")}
}

func (s *scene) askKernel(k *exercise.Kernel) Answer {
	switch {
	case k.Sockets != nil:
		return s.askSockets(k.Sockets)
	case k.Epoll != nil:
		return s.askEpoll(k.Epoll)
	case k.Threads != nil:
		return s.askThreads(k.Threads)
	case k.Backlog != nil:
		return s.askBacklog(k.Backlog)
	case k.Fds != nil:
		return s.askFds(k.Fds)
	case k.Counter != nil:
		return s.askCounter(k.Counter)
	}
	return blind(errors.New("the claim names nothing that the kernel could be asked"))
}

func (s *scene) askSockets(q *exercise.Sockets) Answer {
	sockets, err := s.candidates(q)
	if err != nil {
		return blind(err)
	}
	n, inodes := 0, map[uint64]bool{}
	var seen []exercise.Words
	for i := range sockets {
		text, holds, err := fits(&sockets[i], q)
		if err != nil {
			return blind(err)
		}
		seen = append(seen, text)
		if holds && (!q.Distinct || !inodes[sockets[i].Inode]) {
			n++
		}
		if holds {
			inodes[sockets[i].Inode] = true
		}
	}
	if len(seen) == 0 {
		seen = []exercise.Words{say("no socket", "没有 socket")}
	}
	return counted(n, q.Count, join(seen, "; ", "；"))
}

// candidates: a claim about connections is about all sockets, every other about a listener's.
func (s *scene) candidates(q *exercise.Sockets) ([]witness.Socket, error) {
	if q.Connected == nil || q.Listener != "" {
		return s.socketsOf(q.Listener)
	}
	if s.process == nil {
		return nil, s.whyUnseen()
	}
	return s.process.Sockets()
}

// fits says what the socket is like and whether it is what q wants.
func fits(s *witness.Socket, q *exercise.Sockets) (text exercise.Words, holds bool, err error) {
	bound := isBound(s.Local)
	local, more := same(s.Local), ""
	if s.Local == "" {
		local = say("no address", "没有地址")
	}
	if s.Listening {
		more = " LISTEN"
	}
	holds = (q.Family == "" || q.Family == s.Family) && is(q.Bound, bound) && is(q.Listening, s.Listening) &&
		is(q.Connected, s.Peer != "")
	for _, name := range sorted(q.Options) {
		value, err := s.Option(name)
		if err != nil {
			return text, false, err
		}
		more += fmt.Sprintf(" %s=%d", name, value)
		holds = holds && value == q.Options[name]
	}
	text = say("fd %d %s %s inode %d%s", "fd %d %s %s inode %d%s", s.FD, s.Family, local, s.Inode, more)
	return text, holds, nil
}

func is(want *bool, have bool) bool { return want == nil || *want == have }

func sorted(m map[string]int) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// The bits of an epoll mask as fdinfo shows them.
var epollBits = map[string]uint32{"IN": 1, "OUT": 4, "RDHUP": 0x2000, "EXCLUSIVE": 1 << 28, "ET": 1 << 31}

func (s *scene) askEpoll(q *exercise.Epoll) Answer {
	sockets, err := s.socketsOf(q.Listener)
	if err != nil {
		return blind(err)
	}
	sets, err := s.process.EpollSets()
	if err != nil {
		return blind(err)
	}
	if q.Connections != nil {
		return s.askSpread(q, sockets, sets)
	}
	n := 0
	var seen []exercise.Words
	for _, set := range sets {
		for _, socket := range sockets {
			mask, watched := set.Watched[socket.FD]
			if !watched {
				continue
			}
			seen = append(seen, say("epoll fd %d watches fd %d (%s)", "epoll fd %d 看着 fd %d（%s）",
				set.FD, socket.FD, maskText(mask)))
			if maskFits(mask, q) {
				n++
			}
		}
	}
	if len(seen) == 0 {
		seen = []exercise.Words{say("no epoll set watches it", "没有哪个 epoll 集合看着它")}
	}
	return counted(n, q.Count, join(seen, "; ", "；"))
}

// askSpread asks how the connections of a listener are spread over the epoll sets that watch it: who watches
// a connection serves it.
func (s *scene) askSpread(q *exercise.Epoll, sockets []witness.Socket, sets []witness.EpollSet) Answer {
	all, err := s.process.Sockets()
	if err != nil {
		return blind(err)
	}
	n := 0
	var seen []string
	for _, set := range sets {
		listens := func(l witness.Socket) bool { _, ok := set.Watched[l.FD]; return ok }
		if !slices.ContainsFunc(sockets, listens) {
			continue
		}
		serves := 0
		for _, c := range all {
			isOurs := func(l witness.Socket) bool { return c.Peer != "" && takes(l.Local, c.Local) }
			if _, watched := set.Watched[c.FD]; watched && slices.ContainsFunc(sockets, isOurs) {
				serves++
			}
		}
		seen = append(seen, fmt.Sprint(serves))
		if serves == *q.Connections {
			n++
		}
	}
	return counted(n, q.Count, say("the %d epoll sets that watch it watch so many connections: %s",
		"看着它的 %d 个 epoll 集合，看着的连接数依次是：%s", len(seen), strings.Join(seen, " ")))
}

// takes reports whether a connection to this address is one of the listener's, which may listen on all addresses.
func takes(listener, local string) bool {
	l, err := netip.ParseAddrPort(listener)
	c, no := netip.ParseAddrPort(local)
	if err != nil || no != nil || !l.Addr().IsUnspecified() {
		return listener == local
	}
	return l.Port() == c.Port()
}

func maskFits(mask uint32, q *exercise.Epoll) bool {
	has := func(name string) bool { return mask&epollBits[name] != 0 }
	return !slices.ContainsFunc(q.Events, func(name string) bool { return !has(name) }) &&
		!slices.ContainsFunc(q.Without, has)
}

func maskText(mask uint32) string {
	var names []string
	for _, name := range []string{"IN", "OUT", "RDHUP", "EXCLUSIVE", "ET"} {
		if mask&epollBits[name] != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

func (s *scene) askThreads(q *exercise.Threads) Answer {
	if s.process == nil {
		return blind(s.whyUnseen())
	}
	threads, err := s.process.Threads()
	if err != nil {
		return blind(err)
	}
	n := 0
	var names []string
	for _, t := range threads {
		if glob(q.Name, t.Name) {
			n++
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return counted(n, q.Count, say("%d threads called %s: %s", "%d 个名为 %s 的线程：%s",
		n, q.Name, strings.Join(names, " ")))
}

func (s *scene) askBacklog(q *exercise.Backlog) Answer {
	sockets, err := s.socketsOf(q.Listener)
	if err != nil {
		return blind(err)
	}
	for i := range sockets {
		if !sockets[i].Listening {
			continue
		}
		n, err := witness.Backlog(&sockets[i])
		if err != nil {
			return blind(err)
		}
		return counted(n, q.Count, say("fd %d: a queue of at most %d", "fd %d：队列最长 %d",
			sockets[i].FD, n))
	}
	return Answer{Asked: true, Could: true,
		Text: say("no socket of %s listens", "%s 没有在监听的 socket", q.Listener)}
}
