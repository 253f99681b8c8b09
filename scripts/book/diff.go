package main

import (
	"flag"
	"fmt"
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
	return b.differ(paths[0], paths[1], *calls, "")
}
