package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

// run builds a chapter's program and runs it in the reader's folder, as `go run` would, but with
// the program's own exit code. Ctrl-C reaches the program; this tool only waits.
func (b *book) run(args []string) int {
	ours, theirs := splitArgs(args)
	if len(ours) != 1 {
		return b.lacking(b.text.usage["run"])
	}
	chapter, err := b.chapter(ours[0])
	if err != nil {
		return b.lacking(err.Error())
	}
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	program, err := b.build(context.Background(), chapter, dir)
	if err != nil {
		return b.lacking(err.Error())
	}
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	cmd := exec.Command(program, theirs...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, b.out, b.err
	return b.exitCode(cmd.Run())
}

func (b *book) exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return pass
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	case errors.As(err, &exit):
		fmt.Fprintln(b.err, exit)
		return notYet
	}
	return b.fault(err)
}
