package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// traced is one run of a chapter's program under strace.
type traced struct {
	program, strace, trace string
	args                   []string
	options                *receiptOptions
	log                    logWatch
	exit                   error // how the program ended, nil for 0
}

// straced are the calls that strace shows: every one about an fd or a socket, so that a call the
// kernel door does not know is seen too, and the three door calls that are about neither.
const straced = "trace=%network,%desc,prctl,unlinkat,fchmodat"

// mayTrace tries strace on a program that does nothing.
func mayTrace(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return errors.New("strace and the chapters are for Linux, this is " + runtime.GOOS)
	}
	out, err := exec.CommandContext(ctx, "strace", "-qq", "-f", "-e", straced,
		"-o", os.DevNull, "true").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// run starts the program under strace and waits for its end. A program that serves is given its
// connections and then told to stop.
func (t *traced) run(ctx context.Context) error {
	args := []string{"-f", "-qq", "-s", "32", "-e", "signal=none", "-e", straced, "-o", t.strace}
	for _, spec := range t.options.inject {
		args = append(args, "-e", "inject="+spec)
	}
	args = append(args, t.program, "--trace", "json="+t.trace)
	cmd := exec.CommandContext(ctx, "strace", append(args, t.args...)...)
	cmd.Stderr = &t.log
	cmd.Cancel = func() error { // strace alone would leave its program running
		return errors.Join(signalChild(cmd.Process.Pid, "KILL"), cmd.Process.Kill())
	}
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	driving, ended := context.WithCancel(ctx)
	driven := make(chan error, 1)
	go func() { driven <- t.drive(driving, cmd.Process.Pid) }()
	t.exit = cmd.Wait()
	ended()
	err := <-driven
	if ctx.Err() != nil {
		return fmt.Errorf("not done within %s", t.options.timeout)
	}
	switch {
	case !errors.Is(err, context.Canceled):
		return err
	case t.clients() > 0:
		return errors.New("it ended before its clients came")
	}
	return nil
}

var configFlags = []string{"c", "config-path", "config-yaml"}

// serves reports whether the program was given a configuration, and so runs until it is told to
// stop.
func serves(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		return strings.HasPrefix(a, "-") && slices.Contains(configFlags, name)
	})
}

const patience = 10 * time.Second

// drive plays the clients and then stops the program. It does nothing to a program that ends by
// itself.
func (t *traced) drive(ctx context.Context, strace int) error {
	if !serves(t.args) {
		return nil
	}
	var err error
	if len(t.options.connect) == 0 { // clients find out by connecting
		err = t.log.waitReady(ctx)
	}
	for i := 0; err == nil && i < t.clients(); i++ {
		if err = t.options.visit(ctx, t.options.connect[i%len(t.options.connect)]); err == nil {
			err = sleep(ctx, t.options.pace)
		}
	}
	if settled := t.options.settle(ctx); err == nil {
		err = settled
	}
	if stop := signalChild(strace, "TERM"); err == nil {
		err = stop
	}
	return err
}

func (t *traced) clients() int {
	if len(t.options.connect) == 0 {
		return 0
	}
	return max(t.options.connections, len(t.options.connect))
}

// signalChild sends a signal to the one child of strace: the program. A signal to strace would only
// end the looking.
func signalChild(strace int, name string) error {
	pid := strconv.Itoa(strace)
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return fmt.Errorf("cannot tell which process strace follows: %w", err)
	}
	child := strings.Fields(string(children))
	if len(child) == 0 {
		return nil // it has ended already
	}
	return exec.Command("kill", "-"+name, child[0]).Run()
}
