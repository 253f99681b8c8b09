// Package scene is what the programs of this chapter's exercises have in common: spans go where --trace says,
// and the program stops after each stage, so that there is time to look at it.
package scene

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/kernel"
	"envoywalk/trace"
	"envoywalk/trace/sink"
)

// Scene is a main thread that goes from stage to stage.
type Scene struct {
	Recorder *trace.Recorder
	Lane     *trace.Lane // main's

	stage   int // an eventfd: each stage adds 1 to it
	stages  int
	signals chan os.Signal
}

// Play runs f on the main thread and returns the exit status.
func Play(args []string, f func(*Scene)) int {
	var specs []string
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.Func("trace", "tree, html=FILE, otlp=FILE; may be given again; default tree", func(s string) error {
		specs = append(specs, s)
		return nil
	})
	if flags.Parse(args[1:]) != nil {
		return 1
	}
	if len(specs) == 0 {
		specs = []string{"tree"}
	}
	sinks, err := sink.Open(specs, sink.Options{Stdout: os.Stdout})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s := &Scene{signals: make(chan os.Signal, 64),
		Recorder: trace.New(trace.Config{Service: "envoywalk 00-event-loop", Processors: sinks.Processors})}
	all := make(chan os.Signal, 64)
	signal.Notify(all)
	go s.listen(all)
	s.Lane = eventloop.LockThread(s.Recorder, "main_thread", 0)
	s.stage = s.Eventfd("stage")
	f(s)
	kernel.Close(s.Lane, s.stage)
	s.Lane.End()
	s.Recorder.Close(context.Background())
	if _, err := sinks.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Eventfd makes one and gives it a name. There is no scene without it.
func (s *Scene) Eventfd(name string) int {
	fd, errno := kernel.Eventfd(s.Lane)
	if errno != 0 {
		panic(errno)
	}
	s.Lane.Label(fd, name)
	return fd
}

// listen takes all signals; Pause wants to know of three. To SIGQUIT the answer is the Go runtime's own,
// where every goroutine stands: so a program that stands still can be asked why.
func (s *Scene) listen(all <-chan os.Signal) {
	for x := range all {
		switch x.String() {
		case goOn, "terminated", "interrupt":
			s.signals <- x
		case "quit":
			signal.Reset(x)
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				self.Signal(x)
			}
		}
	}
}

const goOn = "user defined signal 1" // SIGUSR1: not every system has it

// Pause says that a stage is reached, and waits. It reports whether to go on: SIGUSR1 says so, SIGTERM and
// Ctrl-C say no.
func (s *Scene) Pause() bool {
	s.stages++
	kernel.EventfdWrite(s.Lane, s.stage)
	s.Lane.Flush()
	fmt.Fprintf(os.Stderr, "stage %d. Go on: kill -USR1 %d   End: Ctrl-C\n", s.stages, os.Getpid())
	x := <-s.signals
	s.Lane.ReadClock()
	return x.String() == goOn
}
