package receipt

import "slices"

// Kinds of Difference.
const (
	Missing   = "missing"   // strace saw a call that no span tells
	Extra     = "extra"     // a span tells a call that strace did not see
	Differs   = "differs"   // both are there and do not say the same
	Truncated = "truncated" // spans lost a part of their records
	Dropped   = "dropped"   // records were lost
)

// Difference is one place where the two witnesses disagree.
type Difference struct {
	Kind   string `json:"kind"`
	Thread int    `json:"thread,omitempty"`
	Strace string `json:"strace,omitempty"` // strace's line
	LineNo int    `json:"line,omitempty"`   // its number in strace's output
	Span   string `json:"span,omitempty"`
	Seq    int64  `json:"seq,omitempty"`
	Place  string `json:"place,omitempty"` // file:line in the Go code
	Why    string `json:"why,omitempty"`
}

// Report is the outcome of a comparison.
type Report struct {
	Calls       int          `json:"calls"`  // the larger of both sides
	Agreed      int          `json:"agreed"` // calls on which both agree
	Threads     int          `json:"threads"`
	FDs         int          `json:"fds"` // lives of fds that were ours
	Missing     int          `json:"missing"`
	Extra       int          `json:"extra"`
	Differ      int          `json:"differ"`
	Dropped     int          `json:"dropped"`
	Truncated   int          `json:"truncated"`
	HandedOver  int          `json:"handed_over"`
	NotOurs     int          `json:"not_ours"` // calls strace saw that were none of our business
	Differences []Difference `json:"differences"`
}

// Agrees is the verdict. Nothing compared is no agreement.
func (r *Report) Agrees() bool {
	return r.Calls > 0 && r.Agreed == r.Calls && len(r.Differences) == 0
}

// Compare holds the trace against what strace saw. dropped is how many records the process says it
// lost.
func Compare(calls []Syscall, t *Trace, dropped int) *Report {
	c := &comparison{calls: calls, lives: newLives(calls), spans: map[int][]Span{},
		report: &Report{Dropped: dropped, Truncated: t.Truncated, Differences: []Difference{}}}
	handedOver := map[int64]bool{}
	for _, h := range t.HandOvers {
		handedOver[h.FD] = true
	}
	for _, s := range t.Calls {
		for range s.Repeat {
			c.spans[s.TID] = append(c.spans[s.TID], s)
		}
	}
	c.lives.claim(c.spans, handedOver)
	c.own = newOwnership(c)
	for _, h := range t.HandOvers {
		c.handOver(h)
	}
	c.compare()
	return c.report
}

type comparison struct {
	calls  []Syscall
	lives  *lives
	own    *ownership
	spans  map[int][]Span // by thread, repeats written out
	report *Report
}

// compare goes thread by thread, lowest first, so that the same pair gives the same report.
func (c *comparison) compare() {
	c.lost(Dropped, c.report.Dropped)
	c.lost(Truncated, c.report.Truncated)
	byThread := c.ourCalls()
	ours := 0
	for _, calls := range byThread {
		ours += len(calls)
	}
	told := 0
	for _, tid := range c.threads(byThread) {
		c.thread(tid, byThread[tid])
		told += len(c.spans[tid])
	}
	c.report.Calls = max(ours, told)
	c.report.NotOurs = len(c.calls) - ours
	for _, one := range c.lives.all {
		if one.ours {
			c.report.FDs++
		}
	}
}

func (c *comparison) lost(kind string, n int) {
	if n > 0 {
		c.report.Differences = append(c.report.Differences,
			Difference{Kind: kind, Why: "the sinks could not keep up and the trace is not whole: " +
				"what follows is its echo"})
	}
}

// ourCalls are the indices of the calls that a span must tell, by thread, in order.
func (c *comparison) ourCalls() map[int][]int {
	byThread := map[int][]int{}
	for i := range c.calls {
		if tid := c.calls[i].TID; c.own.mustBeTold(i) {
			byThread[tid] = append(byThread[tid], i)
		}
	}
	return byThread
}

func (c *comparison) threads(byThread map[int][]int) []int {
	var tids []int
	for tid := range byThread {
		tids = append(tids, tid)
	}
	for tid := range c.spans {
		if _, both := byThread[tid]; !both {
			tids = append(tids, tid)
		}
	}
	slices.Sort(tids)
	return tids
}

func (c *comparison) thread(tid int, calls []int) {
	if len(c.spans[tid]) > 0 {
		c.report.Threads++
	}
	for _, p := range c.pairs(tid, calls, 2) {
		var seen *Syscall
		var told *Span
		if p.a >= 0 {
			seen = &c.calls[calls[p.a]]
		}
		if p.b >= 0 {
			told = &c.spans[tid][p.b]
		}
		c.judge(tid, seen, told)
	}
}

// pairs lays the thread's calls beside its spans.
func (c *comparison) pairs(tid int, calls []int, run int) []pair {
	seen, said := make([]string, len(calls)), make([]string, len(c.spans[tid]))
	for i, call := range calls {
		seen[i] = c.calls[call].key()
	}
	for i := range c.spans[tid] {
		said[i] = c.spans[tid][i].key()
	}
	return align(seen, said, run)
}

func (c *comparison) judge(tid int, seen *Syscall, told *Span) {
	d := Difference{Thread: tid}
	if seen != nil {
		d.Strace, d.LineNo = seen.Line, seen.Start
	}
	if told != nil {
		d.Span, d.Seq, d.Place = told.String(), told.Seq, told.Place
	}
	r := c.report
	switch {
	case told == nil:
		d.Kind, d.Why = Missing, c.own.whyOurs(tid)
		r.Missing++
	case seen == nil:
		d.Kind, d.Why = Extra, c.whyExtra(told)
		r.Extra++
	case seen.key() == told.key():
		r.Agreed++
		return
	default:
		d.Kind, d.Why = Differs, whyDiffers(seen, told)
		r.Differ++
	}
	r.Differences = append(r.Differences, d)
}

// handOver ends our part in an fd's life where its span says so: after the last call before it that
// both witnesses tell on that thread. The kernel sees nothing of a hand-over; this is the nearest
// it knows.
func (c *comparison) handOver(h Span) {
	var calls []int
	for i := range c.calls {
		if c.calls[i].TID == h.TID && c.own.mustBeTold(i) {
			calls = append(calls, i)
		}
	}
	line := 0
	for _, p := range c.pairs(h.TID, calls, 2) {
		if p.a >= 0 && p.b >= 0 && c.spans[h.TID][p.b].Seq < h.Seq {
			line = c.calls[calls[p.a]].End
		}
	}
	for _, one := range c.lives.all {
		if one.ours && one.fd == h.FD && one.from <= line && line < one.until {
			one.given = line
			c.report.HandedOver++
			return
		}
	}
	c.report.Differences = append(c.report.Differences, Difference{Kind: Extra, Thread: h.TID,
		Span: "hand over " + outcome(h.FD, ""), Seq: h.Seq, Place: h.Place,
		Why: "the fd was not ours at that moment"})
	c.report.Extra++
}
