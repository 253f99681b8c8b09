package tree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"envoywalk/trace/moment"
)

// Kinds is a set of the groups that the page's keys 1 to 5 show and hide. The zero value is all of them.
type Kinds uint8

// group is what one of those keys stands for.
type group struct {
	name  string
	kinds []string
}

var groups = []group{
	{"functions", []string{moment.KindFunction}},
	{"syscalls", []string{moment.KindCall}},
	{"posts", []string{moment.KindPost, moment.KindRun}},
	{"loop", []string{moment.KindTurn, moment.KindEvent, moment.KindTimer, moment.KindDelete}},
	{"threads", []string{moment.KindThread, moment.KindStory, moment.KindLater, moment.KindHandOver}},
}

// ParseKinds reads a list such as functions,posts or 1,3.
func ParseKinds(list string) (Kinds, error) {
	var k Kinds
	for _, word := range strings.Split(list, ",") {
		i := slices.IndexFunc(groups, func(g group) bool { return g.name == word })
		if n, err := strconv.Atoi(word); err == nil && i < 0 {
			i = n - 1
		}
		if i < 0 || i >= len(groups) {
			return 0, fmt.Errorf("there is no kind '%s'. The kinds are %s, or their numbers 1 to %d", word,
				kindList(), len(groups))
		}
		k |= 1 << i
	}
	return k, nil
}

func kindList() string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return strings.Join(names, ", ")
}

func (k Kinds) has(kind string) bool {
	if k == 0 {
		return true
	}
	for i, g := range groups {
		if k&(1<<i) != 0 && slices.Contains(g.kinds, kind) {
			return true
		}
	}
	return false
}

// filter leaves out what the reader did not ask for, and counts it.
type filter struct {
	kinds   Kinds
	threads []string // as the reader spelled them; none: all
	found   map[string]bool

	otherKinds, otherThreads int64
}

func newFilter(o Options) filter {
	return filter{kinds: o.Kinds, threads: o.Threads, found: map[string]bool{}}
}

// hides reports whether m, which is on th, is left out. A story is on no thread: it goes with the thread
// that began it, and where nobody knows that, with none.
func (f *filter) hides(th *thread, m *event) bool {
	switch {
	case !f.wants(th):
		f.otherThreads += m.Repeat
	case !f.kinds.has(m.Kind):
		f.otherKinds += m.Repeat
	default:
		return false
	}
	return true
}

// wants: worker_0, wrk:worker_0 and, of main_thread, main are names of one thread.
func (f *filter) wants(th *thread) bool {
	if len(f.threads) == 0 {
		return true
	}
	if th == nil {
		return false
	}
	for _, name := range f.threads {
		if name == th.name || moment.ShortName(name) == th.short {
			f.found[name] = true
			return true
		}
	}
	return false
}

// tellFiltered says what was left out, and which threads there never were. It is the last line.
func (t *Tree) tellFiltered() {
	f := &t.filter
	var what []string
	if f.otherKinds > 0 {
		what = append(what, fmt.Sprintf("%d of other kinds", f.otherKinds))
	}
	if f.otherThreads > 0 {
		what = append(what, fmt.Sprintf("%d of other threads", f.otherThreads))
	}
	if len(what) > 0 {
		t.put(styleDim, "not shown: "+strings.Join(what, ", "))
	}
	for _, name := range f.threads {
		if !f.found[name] {
			t.put(styleFailed, fmt.Sprintf("there was no thread %s. The threads were %s", moment.Clean(name),
				strings.Join(t.threadNames(), ", ")))
		}
	}
}

func (t *Tree) threadNames() (names []string) {
	for _, th := range t.threads {
		names = append(names, moment.Clean(th.short))
	}
	slices.Sort(names)
	return names
}
