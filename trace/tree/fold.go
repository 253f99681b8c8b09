package tree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"envoywalk/internal/step"
	"envoywalk/trace/moment"
)

// fold counts a row of consecutive lines that earlier chapters have explained.
type fold struct {
	counts  []counts
	threads []*thread
	seq     int64 // the first line
	depth   int   // where the first line would have stood
	hinted  bool  // the way to open it has been told
}

// counts is what a fold hides of one chapter.
type counts struct {
	chapter             string
	number              int
	steps, calls, posts int64
}

func (f *fold) add(th *thread, m *event, number int) {
	if len(f.counts) == 0 {
		f.seq, f.depth = m.Seq, th.depth(len(th.stack))
	}
	if !slices.Contains(f.threads, th) {
		f.threads = append(f.threads, th)
	}
	i := slices.IndexFunc(f.counts, func(c counts) bool { return c.chapter == m.inherited })
	if i < 0 {
		i = len(f.counts)
		f.counts = append(f.counts, counts{chapter: m.inherited, number: number})
	}
	switch c := &f.counts[i]; m.Kind {
	case moment.KindFunction:
		c.steps++
	case moment.KindCall:
		c.calls += m.Repeat
	case moment.KindPost:
		c.posts++
	}
}

// isOnly: all that is folded is of this one thread.
func (f *fold) isOnly(th *thread) bool { return len(f.threads) == 1 && f.threads[0] == th }

// text names the youngest chapter first: it is the closest to what the reader came for.
func (f *fold) text() string {
	slices.SortStableFunc(f.counts, func(a, b counts) int { return b.number - a.number })
	var parts []string
	for _, c := range f.counts {
		var what []string
		what = appendCount(what, c.steps, "step")
		what = appendCount(what, c.calls, "system call")
		what = appendCount(what, c.posts, "post")
		if len(what) > 0 {
			parts = append(parts, c.chapter+" "+strings.Join(what, ", "))
		}
	}
	return "▸ " + strings.Join(parts, " · ")
}

func appendCount(what []string, n int64, name string) []string {
	switch n {
	case 0:
		return what
	case 1:
		return append(what, "1 "+name)
	}
	return append(what, fmt.Sprintf("%d %ss", n, name))
}

func (f *fold) names() string {
	var names []string
	for _, th := range f.threads {
		names = append(names, moment.Clean(th.short))
	}
	return strings.Join(names, ", ")
}

func (f *fold) reset() {
	f.counts, f.threads = f.counts[:0], f.threads[:0]
}

// flushFold prints the folded line, if there is one.
func (t *Tree) flushFold() {
	f := &t.fold
	if len(f.counts) == 0 {
		return
	}
	if text := f.text(); text != "▸ " {
		t.printFold(f, text)
	}
	f.reset()
}

// number is the number a chapter's name begins with; what has none is the event loop's.
func (t *Tree) number(chapter string) int {
	digits, _, _ := strings.Cut(chapter, "-")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

func chapterNames() []string {
	names := []string{"00"}
	for _, s := range step.All() {
		i := s.Info()
		for len(names) <= i.Number {
			names = append(names, fmt.Sprintf("%02d", len(names)))
		}
		names[i.Number] = i.Chapter
	}
	return names
}
