package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// help teaches: the whole on one page, or one command.
func (b *book) help(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(b.out, b.text.help)
		return pass
	}
	usage, known := b.text.usage[args[0]]
	if !known {
		return b.lacking(b.noCommand(args[0]))
	}
	fmt.Fprintln(b.out, usage)
	return pass
}

func (b *book) version([]string) int {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	fmt.Fprintf(b.out, "envoywalk %s  after Envoy v1.17.0  %s %s/%s\n",
		version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return pass
}
