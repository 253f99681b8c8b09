package main

import (
	"bufio"
	"flag"
	"fmt"
	"strings"

	"envoywalk/trace/diff"
	"envoywalk/trace/saved"
)

// diff compares two saved traces and prints what is different about them.
func (b *book) diff(args []string) int {
	f := flag.NewFlagSet("diff", flag.ContinueOnError)
	calls := f.Bool("calls", false, "")
	paths, err := parseMixed(f, args)
	if err == nil && len(paths) != 2 {
		err = fmt.Errorf(b.text.diffTwo, len(paths))
	}
	if err != nil {
		return b.lacking(err.Error() + "\n" + b.text.usage["diff"])
	}
	var sides [2][]diff.Event
	for i, path := range paths {
		t, err := saved.Open(path)
		if err != nil {
			return b.lacking(fmt.Sprintf(b.text.diffNotRead, err))
		}
		if t.Cut != "" {
			fmt.Fprintf(b.err, b.text.diffCut+"\n", path, t.Cut)
		}
		sides[i] = diff.FromSpans(t.Spans)
	}
	r := diff.Compare(sides[0], sides[1], diff.Options{Calls: *calls})
	if r.Same+len(r.Missing)+len(r.Extra) == 0 {
		return b.lacking(b.text.diffNothing)
	}
	out := bufio.NewWriter(b.out)
	fmt.Fprintln(out, strings.Join(r.Lines(b.text.lang), "\n"))
	if err := out.Flush(); err != nil {
		return b.fault(err)
	}
	if r.Equal() {
		return pass
	}
	return notYet
}
