package imported

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"strings"

	"envoywalk/scripts/book/stracefile"
)

// walk is the second reading: it goes through the instants in order, follows the fds and puts every span
// in its place.
type walk struct {
	g        *gathering
	run      *run
	instants []instant
	spans    []*span // in the order of seq.start
	seq      int64
	threads  []*thread // in the order in which they appeared
	stories  int
	pipes    int
	pairs    int
	now      int64
}

// process is what threads of one process share but for the fds: its name.
type process struct {
	first *thread // whose execve named it
}

// story is the life of a connection that accept made.
type story struct {
	number int
	span   *span
	ended  bool
	remote string
	local  string
}

func newWalk(g *gathering) *walk {
	h := fnv.New64a()
	service := g.serviceName()
	fmt.Fprint(h, service, g.base, g.report.Calls)
	return &walk{g: g, run: newRun(service, h.Sum64())}
}

func (w *walk) all() {
	w.instants = w.g.inOrder(w.g.sources > 1)
	for i := range w.instants {
		m := &w.instants[i]
		w.now = m.at
		th := m.thread
		if th.span == nil {
			w.startThread(th)
		}
		switch m.what {
		case stracefile.Begins:
			w.begin(m.call)
		case stracefile.Ends:
			w.end(m.call)
		case stracefile.Exits:
			w.endThread(th, true)
		}
	}
	for _, th := range w.threads {
		if !th.finished {
			w.endThread(th, false)
		}
	}
	w.endStories()
	w.nameThreads()
	w.g.report.Connections = w.stories
}

func (w *walk) next() int64 {
	w.seq++
	return w.seq
}

// put gives s its place in the order, which is now.
func (w *walk) put(s *span) {
	w.run.ids++
	s.run, s.id, s.start = w.run, w.run.ids, w.next()
	w.spans = append(w.spans, s)
}

// startThread begins a thread's life. What a fork copies is what its parent has when the child is seen
// for the first time, which may be before the parent's clone is seen to return.
func (w *walk) startThread(th *thread) {
	th.span = &span{kind: kindThread, thread: th, from: w.now}
	w.put(th.span)
	th.span.trace = th.span.id
	th.loop = mostWaited(th.waits)
	w.threads = append(w.threads, th)
	made := w.g.clones[th.tid]
	if len(made) == 0 || made[0].thread.table == nil {
		th.table, th.process = newTable(), &process{first: th}
		th.table.users++
		return
	}
	maker := made[0]
	w.g.clones[th.tid] = made[1:]
	th.table, th.process = maker.thread.table, maker.thread.process
	flags := strings.Join(maker.Args, " ")
	if !strings.Contains(flags, "CLONE_FILES") {
		th.table = th.table.copied()
	}
	if !strings.Contains(flags, "CLONE_THREAD") {
		th.process = &process{first: th}
		if th.executed == "" {
			th.executed = maker.thread.process.first.executed
		}
	}
	th.table.users++
	w.link(th.span, maker)
}

// link says that the call caused s. A call that stands where it ends may have no span yet.
func (w *walk) link(s *span, cause *call) {
	if cause.span == nil {
		cause.span = &span{}
	}
	s.links = append(s.links, cause.span)
}

// leastTurns is how often a thread must wait on one thing for that to be its loop.
const leastTurns = 2

// mostWaited prefers epoll instances: a loop may ask poll about a single fd in between.
func mostWaited(waits map[string]int) (loop string) {
	best := 0
	for on, n := range waits {
		if on != "" && (n > best || n == best && on < loop) {
			loop, best = on, n
		}
	}
	switch {
	case best >= leastTurns:
		return loop
	case waits[""] >= leastTurns:
		return ""
	}
	return "none"
}

func (th *thread) isLoop(c *call) bool { return waits(c.Name) && loopOf(c) == th.loop }

// isIdle: c is a wait of its thread's loop in which nothing became ready, and the next call waits again.
func (th *thread) isIdle(c *call) bool {
	return th.isLoop(c) && c.Returned && c.Ret == 0 && (c.next == nil || th.isLoop(c.next))
}

func (w *walk) begin(c *call) {
	th := c.thread
	th.open = c
	w.resolve(c)
	if th.isLoop(c) {
		if th.idle != nil && th.isIdle(c) {
			c.row = true // one more of the same
			return
		}
		w.turn(th, c)
	}
	w.began(c)
	if !takes(c) {
		w.tell(c)
		w.after(c)
	}
}

func (w *walk) end(c *call) {
	th := c.thread
	th.open = nil
	if c.row {
		th.idle.span.repeat++
		th.turn.repeat++
		th.idle.span.to, th.turn.to = c.until(), c.until()
		return
	}
	w.ended(c)
	if !c.told {
		w.tell(c)
		w.after(c)
	}
	c.span.to = c.until()
	if !c.Returned {
		w.neverReturned(c)
	}
	if c.makesFD() || waits(c.Name) {
		w.caused(c)
	}
}

// until is when c was over. Where nothing tells, a wait lasted until its thread's next call, and any other
// call took no time.
func (c *call) until() int64 {
	switch {
	case c.Ended > 0:
		return c.Ended
	case takes(c) && c.next != nil && c.Returned:
		return c.next.Began
	}
	return c.Began
}

// turn ends the thread's turn and begins the next.
func (w *walk) turn(th *thread, c *call) {
	w.endTurn(th, c.Began)
	th.turn = &span{kind: kindTurn, thread: th, parent: th.span, trace: th.span.trace, from: c.Began,
		repeat: 1}
	w.put(th.turn)
	c.opens = th.turn
	th.idle = nil
	if th.isIdle(c) {
		th.idle = c
	}
}

func (w *walk) endTurn(th *thread, at int64) {
	if th.turn != nil {
		th.turn.end, th.turn.to = w.next(), max(at, th.turn.to)
		th.turn, th.idle = nil, nil
	}
}

// tell makes the span of c, here in the order. What concerns a connection is part of its story.
func (w *walk) tell(c *call) {
	c.told = true
	if c.span == nil {
		c.span = &span{}
	}
	s, th := c.span, c.thread
	s.kind, s.thread, s.call, s.from, s.to, s.repeat = kindCall, th, c, c.Began, c.Began, 1
	around := th.turn
	if around == nil {
		around = th.span
	}
	s.parent, s.trace = around, th.span.trace
	if st := c.story(); st != nil && !st.ended {
		s.parent, s.trace = st.span, st.span.trace
		s.links = append(s.links, around)
	}
	w.put(s)
	s.end = s.start
}

// story is the connection that c is about.
func (c *call) story() *story {
	for i := len(c.fds) - 1; i >= 0; i-- {
		if o := c.fds[i].of; c.fds[i].index >= 0 && o.story != nil {
			return o.story
		}
	}
	return nil
}

func (w *walk) endThread(th *thread, seen bool) {
	if c := th.open; c != nil {
		w.neverReturned(c)
	}
	w.endTurn(th, w.now)
	th.finished = true
	if th.table.users--; th.table.users == 0 && seen {
		for fd := range th.table.fds {
			w.dropped(th.table.drop(fd))
		}
	}
	th.span.end, th.span.to, th.span.unfinished = w.next(), w.now, !seen
}

// neverReturned: the process or the trace ended in c.
func (w *walk) neverReturned(c *call) {
	if strings.HasPrefix(c.Name, "exit") {
		return
	}
	w.g.report.Unfinished++
	if !c.told && !c.row {
		w.tell(c)
	}
	if !c.row {
		c.span.unfinished, c.span.to = true, w.now
	}
}

// nameThreads gives every thread a name of its own: its lane has it. What has none is called after its
// process.
func (w *walk) nameThreads() {
	taken := map[string]int{}
	w.nameMain()
	for _, th := range w.threads {
		first := th.process.first
		name := cmp.Or(th.named, th.executed, first.executed, first.named, "thread")
		n, again := taken[name]
		taken[name] = n + 1
		if th.name = name; again {
			th.name = fmt.Sprintf("%s_%d", name, n)
		}
	}
}

// nameMain: an Envoy names its workers and not its main thread, which its guard dog calls main_thread.
func (w *walk) nameMain() {
	for _, th := range w.threads {
		if first := th.process.first; strings.HasPrefix(th.named, "wrk:") && first.named == "" {
			first.named = "main_thread"
		}
	}
}
