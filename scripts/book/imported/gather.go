package imported

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"envoywalk/scripts/book/stracefile"
	"envoywalk/trace/moment"
)

// gathering is the first reading: what began and ended when, and who is who. Only the second knows what
// an fd is, for which it needs the order over all files.
type gathering struct {
	options  Options
	report   Report
	instants []instant
	live     map[int]*thread
	coming   map[int]bool    // threads that strace has announced
	clones   map[int][]*call // by the thread they made, in order
	service  string
	sources  int
	base     int64 // when the first line was written
}

// instant is when a call began or ended, or when a thread ended.
type instant struct {
	at     int64
	what   stracefile.Kind // Begins, Ends or Exits
	call   *call
	thread *thread
}

// call is a system call and its span.
type call struct {
	*stracefile.Call
	thread *thread
	next   *call // on the same thread
	span   *span
	fds    []fdArg
	made   *object // the fd that it returned
	ready  []ready // what a wait reports
	told   bool    // it has its place in the order
	row    bool    // a wait of an idle row, told by the row's first
	opens  *span   // a wait: the turn that it begins
}

// thread is one life of a thread id.
type thread struct {
	tid      int
	named    string // what it called itself since
	executed string // what it executed last
	name     string // its own among all threads
	last     *call
	waits    map[string]int // how often it waited on each fd, "" for poll and select
	loop     string         // the one that it waited on most
	span     *span
	turn     *span
	idle     *call // the first wait of the idle row that is going on
	open     *call // has begun and not ended
	table    *table
	process  *process
	finished bool
}

func newGathering(o Options) *gathering {
	return &gathering{options: o, live: map[int]*thread{}, coming: map[int]bool{}, clones: map[int][]*call{},
		report: Report{NoTimes: true, NoDurations: true}}
}

// progressEvery is how many lines pass between two words on how far it is.
const progressEvery = 200_000

// read reads one file. Of several, each has a thread of its own and they are merged by time.
func (g *gathering) read(s Source, several bool) error {
	g.sources++
	lines := stracefile.NewReader(s.From)
	for {
		e, err := lines.Next()
		var bad *stracefile.LineError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			g.report.Lines++
			g.notUnderstood(s, several, bad)
			continue
		case err != nil:
			return err
		}
		if g.report.Lines++; g.report.Lines%progressEvery == 0 && g.options.Progress != nil {
			g.options.Progress(g.report.Lines)
		}
		if e.TID == 0 {
			e.TID = s.TID
		}
		g.take(&e)
	}
}

// fewExamples is how many lines that were not understood are shown.
const fewExamples = 3

func (g *gathering) notUnderstood(s Source, several bool, bad *stracefile.LineError) {
	g.report.NotUnderstood++
	if len(g.report.Examples) < fewExamples {
		text := moment.Clean(strings.TrimPrefix(bad.Error(), "strace "))
		if several {
			text = s.Name + " " + text
		}
		g.report.Examples = append(g.report.Examples, text)
	}
}

func (g *gathering) examples() (all []error) {
	for _, e := range g.report.Examples {
		all = append(all, errors.New(e))
	}
	return all
}

func (g *gathering) take(e *stracefile.Event) {
	if e.At == 0 {
		e.At = int64(e.Line) * 1000
	} else {
		g.report.NoTimes = false
	}
	switch e.Kind {
	case stracefile.Remark:
		g.remark(e.Text)
	case stracefile.Signals:
		g.report.Signals++
	case stracefile.Exits:
		g.exit(e)
	case stracefile.Begins:
		g.begin(e)
	case stracefile.Ends:
		g.end(e, g.thread(e).open)
	case stracefile.Whole:
		g.end(e, g.begin(e))
	}
}

// thread is the life that e's thread id has now.
func (g *gathering) thread(e *stracefile.Event) *thread {
	th := g.live[e.TID]
	if th == nil {
		th = g.first(e.TID)
	}
	if th == nil {
		th = &thread{tid: e.TID, waits: map[string]int{}}
		g.live[e.TID] = th
		g.report.Threads++
	}
	if e.Comm != "" {
		th.named = e.Comm
	}
	return th
}

// first: on a terminal strace names no thread until there are two. The first that nobody announced is the
// one whose lines had no name.
func (g *gathering) first(tid int) *thread {
	th := g.live[0]
	if th == nil || g.coming[tid] || len(g.clones[tid]) > 0 {
		return nil
	}
	th.tid = tid
	g.live[tid] = th
	delete(g.live, 0)
	return th
}

// remark: strace: Process 12 attached.
func (g *gathering) remark(text string) {
	var tid int
	if n, _ := fmt.Sscanf(text, "strace: Process %d attached", &tid); n == 1 {
		g.coming[tid] = true
	}
}

func (g *gathering) exit(e *stracefile.Event) {
	if strings.HasPrefix(e.Text, "+++ superseded") {
		return // another thread of the process has executed something, and goes on under this id
	}
	th := g.thread(e)
	g.instants = append(g.instants, instant{e.At, stracefile.Exits, nil, th})
	delete(g.live, e.TID)
}

func (g *gathering) begin(e *stracefile.Event) *call {
	th := g.thread(e)
	c := &call{Call: e.Call, thread: th}
	c.Began = e.At
	if th.last != nil {
		th.last.next = c
	}
	th.last, th.open = c, c
	if g.base == 0 {
		g.base = e.At
	}
	g.report.Calls++
	g.instants = append(g.instants, instant{e.At, stracefile.Begins, c, th})
	return c
}

func (g *gathering) end(e *stracefile.Event, c *call) {
	if c == nil {
		return // its begin was another thread's, before an execve
	}
	c.thread.open = nil
	if c.Timed() {
		g.report.NoDurations = false
	}
	g.learn(c)
	at := e.At
	if c.Start == c.End {
		at = max(c.Began, c.Ended)
	}
	g.instants = append(g.instants, instant{at, stracefile.Ends, c, c.thread})
}

// learn keeps what must be known before the fds can be followed: names, and who made which thread.
func (g *gathering) learn(c *call) {
	switch {
	case waits(c.Name):
		c.thread.waits[loopOf(c)]++
	case c.Errno != "" || !c.Returned:
	case c.Name == "prctl" && len(c.Args) > 1 && c.Args[0] == "PR_SET_NAME":
		c.thread.named = unquoted(c.Args[1])
	case strings.HasPrefix(c.Name, "execve") && len(c.Args) > 0:
		c.thread.named, c.thread.executed = "", path.Base(unquoted(c.Args[0]))
		if g.service == "" {
			g.service = c.thread.executed
		}
	case makesThread(c.Name) && c.Ret > 0:
		tid := c.child()
		g.clones[tid] = append(g.clones[tid], c)
	}
}

// child is the id of the thread that a clone made, as strace numbers threads.
func (c *call) child() int {
	if i := strings.Index(c.Result, "/* "); i >= 0 {
		word, _, _ := strings.Cut(c.Result[i+3:], " ")
		if tid, err := strconv.Atoi(word); err == nil {
			return tid
		}
	}
	return int(c.Ret)
}

// inOrder sorts by time what several files hold. One file's lines are in order already. In a thread's own
// file a wait stands before all that happened meanwhile, and ends with the next line at the latest.
func (g *gathering) inOrder(several bool) []instant {
	if several {
		for i := range g.instants {
			m := &g.instants[i]
			if m.what != stracefile.Ends || m.call.Start != m.call.End || m.call.next == nil {
				continue
			}
			if next := m.call.next.Began; m.at > next || !m.call.Timed() && takes(m.call) {
				m.at = next
			}
		}
		slices.SortStableFunc(g.instants, func(a, b instant) int {
			switch {
			case a.at < b.at:
				return -1
			case a.at > b.at:
				return 1
			}
			return 0
		})
	}
	return g.instants
}

func (g *gathering) serviceName() string {
	switch {
	case g.options.Name != "":
		return g.options.Name
	case g.service != "":
		return g.service + " (strace)"
	case g.report.Threads == 1:
		return "1 thread (strace)"
	}
	return fmt.Sprintf("%d threads (strace)", g.report.Threads)
}
