package eventloop

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
	"envoywalk/trace/sink"
	"envoywalk/trace/tree"
)

const usage = `envoywalk 00-event-loop: two threads, two event loops, and what they say to each other.

  --trace SINK[=FILE]   %s; may be given again; default tree
  --tree=all            nothing is folded in this chapter; accepted so that all chapters take it
  -e, --envoy           in the tree, Envoy's symbol and line instead of the Go line
  --kinds LIST          in the tree, only functions, syscalls, posts, loop, threads, or 1 to 5
  --thread NAME[,NAME]  in the tree, only these threads, such as main,worker_0

Next: chapter 01, a server whose main thread runs such a loop: go run ./chapters/01-startup/run
`

// Main is the chapter's binary: it returns the exit status.
func Main(args []string) int {
	kernel.IgnoreSIGPIPE()
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong is said once, below
	var sinks []string
	o := sink.Options{Stdout: os.Stdout}
	flags.Func("trace", "", func(s string) error { sinks = append(sinks, s); return nil })
	flags.Func("tree", "", func(s string) error { o.All = s == "all"; return nil })
	flags.BoolVar(&o.Envoy, "e", false, "")
	flags.BoolVar(&o.Envoy, "envoy", false, "")
	flags.Func("kinds", "", func(s string) (err error) { o.Kinds, err = tree.ParseKinds(s); return err })
	flags.Func("thread", "", func(s string) error { o.Threads = strings.Split(s, ","); return nil })
	err := flags.Parse(args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Printf(usage, sink.Names)
		return 0
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("%s is not a flag: see --help", flags.Arg(0))
	case err == nil:
		if len(sinks) == 0 {
			sinks = []string{"tree"}
		}
		err = Demo(sinks, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Demo is one minute of reading: a main thread and one worker, each with its loop. Main posts to
// the worker before the worker runs and after; a file becomes ready; a timer fires; the worker
// posts back; both stop.
func Demo(sinks []string, o sink.Options) error {
	s, err := sink.Open(sinks, o)
	if err != nil {
		return err
	}
	rec := trace.New(trace.Config{Service: "envoywalk 00-event-loop", Processors: s.Processors})
	runDemo(rec)
	stats, err := rec.Close(context.Background())
	if _, e := s.Close(); err == nil {
		err = e
	}
	if stats.Dropped > 0 {
		return fmt.Errorf("trace: dropped %d records", stats.Dropped)
	}
	if sink.Readable(sinks) {
		fmt.Fprintln(o.Stdout, "Next: chapter 01, a server whose main thread runs such a loop.")
	}
	return err
}

func runDemo(rec *trace.Recorder) {
	lane := LockThread(rec, "main_thread", 0)
	main := New(lane, "main_thread")
	worker := New(lane, "worker_0")
	bell := must(kernel.Eventfd(lane))
	lane.Label(bell, "bell")
	worker.Post(main, step.None, func() { watchBell(worker, main, bell) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		workerLane := LockThread(rec, "wrk:worker_0", 0) // createThread is chapter 04's
		worker.Run(workerLane, Block)
		workerLane.End()
	}()
	main.Run(lane, RunUntilExit)
	<-done
	kernel.Close(lane, bell)
	worker.Close(lane)
	main.Close(lane)
	lane.End()
}

// watchBell runs on the worker, posted before the worker had a thread. A first ring comes from
// main, by post; a second from the file event's own injection; then a timer ends it all.
func watchBell(worker, main *Dispatcher, bell int) {
	var rings int
	var event *FileEvent
	last := worker.CreateTimer("last orders", func() {
		event.Close()
		main.Post(worker, step.None, func() { main.Exit(main) })
	})
	event, _ = worker.CreateFileEvent(bell, Level, Read, func(FileReady) {
		kernel.EventfdRead(worker.Lane(), bell)
		if rings++; rings == 1 {
			event.Activate(Read)
			return
		}
		last.Enable(2 * time.Millisecond)
	})
	main.Post(worker, step.None, func() { kernel.EventfdWrite(main.Lane(), bell) })
}
