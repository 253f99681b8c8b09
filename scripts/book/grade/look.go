package grade

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// Answer is what one witness says to a claim.
type Answer struct {
	Asked bool   // the witness was there to be asked
	Holds bool   // and says yes
	Found int    // how many it counted
	Could bool   // it could look
	Text  string // what it says, for the report
}

func counted(n int, want exercise.Count, what string) Answer {
	return Answer{Asked: true, Could: true, Holds: want.Holds(n), Found: n, Text: what}
}

func blind(err error) Answer { return Answer{Asked: true, Text: err.Error()} }

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
			s.said[c] = counted(s.exit, exercise.Count{Set: true, Min: *k.Exit, Max: *k.Exit},
				fmt.Sprintf("exit status %d", s.exit))
		}
	}
}

// isLive: only a process that lives can be asked.
func isLive(k *exercise.Kernel) bool {
	return k.Clients == nil && k.Upstream == nil && k.File == nil && k.Exit == nil
}

func (s *scene) ask(k *exercise.Kernel) Answer {
	switch {
	case s.isOver():
		return Answer{Asked: true, Could: true, Text: "the program has ended"}
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
	var seen []string
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
		seen = []string{"no socket"}
	}
	return counted(n, q.Count, strings.Join(seen, "; "))
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
func fits(s *witness.Socket, q *exercise.Sockets) (text string, holds bool, err error) {
	bound := hasPort(s.Local)
	text = fmt.Sprintf("fd %d %s %s inode %d", s.FD, s.Family, or(s.Local, "no address"), s.Inode)
	if s.Listening {
		text += " LISTEN"
	}
	holds = (q.Family == "" || q.Family == s.Family) && is(q.Bound, bound) && is(q.Listening, s.Listening) &&
		is(q.Connected, s.Peer != "")
	for _, name := range sorted(q.Options) {
		value, err := s.Option(name)
		if err != nil {
			return "", false, err
		}
		text += fmt.Sprintf(" %s=%d", name, value)
		holds = holds && value == q.Options[name]
	}
	return text, holds, nil
}

func is(want *bool, have bool) bool { return want == nil || *want == have }

func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

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
	var seen []string
	for _, set := range sets {
		for _, socket := range sockets {
			mask, watched := set.Watched[socket.FD]
			if !watched {
				continue
			}
			seen = append(seen, fmt.Sprintf("epoll fd %d watches fd %d (%s)", set.FD, socket.FD, maskText(mask)))
			if maskFits(mask, q) {
				n++
			}
		}
	}
	if len(seen) == 0 {
		seen = []string{"no epoll set watches it"}
	}
	return counted(n, q.Count, strings.Join(seen, "; "))
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
			isOurs := func(l witness.Socket) bool { return c.Peer != "" && l.Local == c.Local }
			if _, watched := set.Watched[c.FD]; watched && slices.ContainsFunc(sockets, isOurs) {
				serves++
			}
		}
		seen = append(seen, fmt.Sprint(serves))
		if serves == *q.Connections {
			n++
		}
	}
	return counted(n, q.Count, fmt.Sprintf("of the %d epoll sets that watch it serve %d connections: %s",
		len(seen), *q.Connections, strings.Join(seen, " ")))
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
	return counted(n, q.Count, fmt.Sprintf("%d threads called %s: %s", n, q.Name, strings.Join(names, " ")))
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
		return counted(n, q.Count, fmt.Sprintf("fd %d: a queue of at most %d", sockets[i].FD, n))
	}
	return Answer{Asked: true, Could: true, Text: "no socket of " + q.Listener + " listens"}
}
