package receipt

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// life is the time between the call that makes an fd and the one that closes it, in lines of
// strace's output. A number has many lives.
type life struct {
	fd    int64
	maker int // the call that made it
	from  int // the line at which its maker returned
	until int // the line at which its close began
	ours  bool
	given int // the line after which it is no longer ours
}

const never = math.MaxInt

// lives gives every call the life that its first argument had as the call began.
type lives struct {
	calls []Syscall
	all   []*life
	of    []*life // by call, of its first argument; nil: made by no call we look at
	watch []*life // by call, of the fd that an epoll_ctl is about
	made  []*life // by call; nil: it made none
}

// moment is the start or the end of a call, which is when lives change.
type moment struct {
	line, call int
	end        bool
}

// newLives follows every fd through strace's lines. A life opens when its maker returns and ends
// when its close begins: strace shows the start of a call before the kernel runs it and its end
// after, so a number that one thread closes and another gets at once falls into the right life.
func newLives(calls []Syscall) *lives {
	l := &lives{calls: calls, of: make([]*life, len(calls)), watch: make([]*life, len(calls)),
		made: make([]*life, len(calls))}
	now := map[int64]*life{}
	for _, m := range moments(calls) {
		if m.end {
			l.returned(now, m.call)
		} else {
			l.began(now, m.call)
		}
	}
	return l
}

func moments(calls []Syscall) []moment {
	all := make([]moment, 0, 2*len(calls))
	for i := range calls {
		all = append(all, moment{calls[i].Start, i, false})
		if calls[i].Returned {
			all = append(all, moment{calls[i].End, i, true})
		}
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.line - b.line })
	return all
}

func (l *lives) began(now map[int64]*life, call int) {
	c := &l.calls[call]
	fd := c.fd()
	l.of[call] = now[fd]
	if c.Name == "epoll_ctl" && len(c.Args) > 2 {
		n, _ := strconv.ParseInt(c.Args[2], 10, 64)
		l.watch[call] = now[n]
	}
	if c.Name == "close" && now[fd] != nil {
		now[fd].until = c.Start
		delete(now, fd)
	}
}

func (l *lives) returned(now map[int64]*life, call int) {
	c := &l.calls[call]
	if c.Ret < 0 || !makes(c.Name, c.Args) {
		return
	}
	if old := now[c.Ret]; old != nil { // dup2, or a close that strace was not shown
		old.until = c.Start
	}
	made := &life{fd: c.Ret, maker: call, from: c.End, until: never, given: never}
	now[c.Ret], l.made[call] = made, made
	l.all = append(l.all, made)
}

// claim marks the lives that are ours: those whose maker a span on the same thread tells.
func (l *lives) claim(spans map[int][]Span, handedOver map[int64]bool) {
	isPoller := func(c *Syscall) bool { return strings.HasPrefix(c.Name, "epoll_create") }
	l.claimWhere(spans, isPoller)
	watched := l.watchedByRuntime()
	l.claimWhere(spans, func(c *Syscall) bool {
		return isPoller(c) || handedOver[c.Ret] || !watched[c]
	})
}

// claimWhere lays the makers on each thread beside the spans of makers there.
func (l *lives) claimWhere(spans map[int][]Span, where func(*Syscall) bool) {
	for tid, told := range spans {
		var calls []int
		var seen, said []string
		for i := range l.calls {
			if c := &l.calls[i]; c.TID == tid && l.made[i] != nil && where(c) {
				calls, seen = append(calls, i), append(seen, c.key())
			}
		}
		for i := range told {
			if s := &told[i]; s.Ret >= 0 && makes(s.Name, s.Args) {
				said = append(said, s.key())
			}
		}
		for _, p := range align(seen, said, 1) {
			if p.a >= 0 {
				l.made[calls[p.a]].ours = p.b >= 0 && seen[p.a] == said[p.b]
			}
		}
	}
}

// runtimePoller is the Go runtime's own epoll instance: the first that no span tells. It makes only
// one.
func (l *lives) runtimePoller() *life {
	for _, one := range l.all {
		if !one.ours && strings.HasPrefix(l.calls[one.maker].Name, "epoll_create") {
			return one
		}
	}
	return nil
}

// watchedByRuntime are the makers of fds that were put under the runtime's poller: its own eventfd,
// and what package net and package os work with.
func (l *lives) watchedByRuntime() map[*Syscall]bool {
	watched := map[*Syscall]bool{}
	poller := l.runtimePoller()
	for i, one := range l.watch {
		if one != nil && poller != nil && l.of[i] == poller {
			watched[&l.calls[one.maker]] = true
		}
	}
	return watched
}
