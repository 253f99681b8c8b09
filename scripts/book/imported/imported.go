// Package imported makes a trace of what strace saw of any process, so that a reader can lay the real
// thing beside ours: a lane per thread, a span per system call, and what can be told for certain of who
// caused what.
//
// Nothing is guessed. strace sees no function, no post and no file event, so there are none. A turn is
// what a thread did from one wait to the next, and is named as derived. A story is that of an fd that
// accept made, from there to its last close. A write is linked to the turn that it woke only where
// nobody else can have done it.
package imported

import (
	"errors"
	"fmt"
	"io"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace/saved"
)

// Source is one file of strace's output.
type Source struct {
	Name string
	TID  int // the thread whose file it is (strace -ff), where its lines name none; 0: not known
	From io.Reader
}

// Options say how to import.
type Options struct {
	Name     string          // service.name; "": what was executed first
	Progress func(lines int) // hears now and then how far it is; nil: nobody does
}

// Report is what an import has to say beside its spans.
type Report struct {
	Lines, Calls, Threads, Connections, Signals int

	Unfinished    int      // calls that never returned
	NotUnderstood int      // lines that no span tells of
	Examples      []string // the first of them, and what should have stood there
	NoTimes       bool     // no line has a time: a line counts as a microsecond
	NoDurations   bool     // -T is missing: a wait lasts until the thread's next call
}

// ErrNoCalls: not one line of the files tells a system call.
var ErrNoCalls = errors.New("no system call is told in it. It should hold lines such as\n" +
	"    4711  1795383878.933203 read(3, \"x\", 1) = 1\n" +
	"as strace -f -ttt -y -T -o FILE PROGRAM writes them")

// Read imports the files as one trace. The report is there even with an error.
func Read(sources []Source, o Options) (*saved.Trace, *Report, error) {
	g := newGathering(o)
	for _, s := range sources {
		if err := g.read(s, len(sources) > 1); err != nil {
			return nil, &g.report, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	if g.report.Calls == 0 {
		return nil, &g.report, errors.Join(append(g.examples(), ErrNoCalls)...)
	}
	if len(sources) > 1 && g.report.NoTimes {
		return nil, &g.report, errors.New("the lines of several files have an order only by their times: " +
			"run strace with -ttt")
	}
	w := newWalk(g)
	w.all()
	t := &saved.Trace{Service: w.run.service, Spans: make([]sdk.ReadOnlySpan, len(w.spans))}
	for i, s := range w.spans {
		t.Spans[i] = s
	}
	return t, &g.report, nil
}
