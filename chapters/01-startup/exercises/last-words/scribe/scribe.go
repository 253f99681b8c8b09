// Package scribe is what the exercise 01/last-words is given: somebody who writes slowly.
package scribe

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/kernel"
	"envoywalk/trace"
)

// File is where the last words are written, in the folder in which the server runs.
const File = "last-words"

// Scribe writes down what a server says last, on a thread of its own. It is slow: it first asks main whether
// it is still there, and then waits for SIGUSR1.
type Scribe struct {
	Dispatcher *eventloop.Dispatcher
	TooLate    bool // the server did not end when the words were written. For main, when it has ended

	server  *startup.Instance
	answers int // an eventfd: main's answers
	goOn    chan os.Signal
	over    chan struct{} // closed when the server is being taken down
	ended   chan struct{}
	late    *eventloop.Timer
}

// New starts the thread. Main thread.
func New(i *startup.Instance) *Scribe {
	s := &Scribe{Dispatcher: eventloop.New(i.Lane(), "scribe"), server: i, goOn: make(chan os.Signal, 1),
		over: make(chan struct{}), ended: make(chan struct{})}
	fd, errno := kernel.Eventfd(i.Lane())
	if errno != 0 {
		panic(errno)
	}
	i.Lane().Label(fd, "answers")
	s.answers = fd
	s.late = s.Dispatcher.CreateTimer("too late", s.endServer)
	signal.Notify(s.goOn, syscall.SIGUSR1)
	go s.run(i.Recorder, i.Lane().Current())
	return s
}

func (s *Scribe) run(recorder *trace.Recorder, cause uint64) {
	defer close(s.ended)
	lane := eventloop.LockThread(recorder, "scribe", cause)
	lane.StartupDone()
	s.Dispatcher.Run(lane, eventloop.RunUntilExit)
	lane.End()
}

// Write takes the words and returns at once. When they are in the file, written runs, on the scribe's
// thread. Main thread.
func (s *Scribe) Write(words string, written func()) {
	s.Dispatcher.PostAbout(s.server.Dispatcher, "last words", func() { s.write(words, written) })
}

// write runs on the scribe's thread.
func (s *Scribe) write(words string, written func()) {
	answered := make(chan struct{})
	s.server.Dispatcher.PostAbout(s.Dispatcher, "are you there?", func() {
		kernel.EventfdWrite(s.server.Lane(), s.answers)
		s.server.Lane().Flush()
		close(answered)
	})
	lane := s.Dispatcher.Lane()
	lane.Flush()
	select {
	case <-answered:
	case <-time.After(2 * time.Second): // main stands still
		s.goOn <- syscall.SIGUSR1
	case <-s.over:
	}
	select {
	case <-s.over:
		return // nobody waited: the words are lost
	case <-s.goOn:
	}
	time.Sleep(100 * time.Millisecond) // he is slow. The signal has woken main too, which sleeps again by now
	lane.ReadClock()
	if err := os.WriteFile(File, []byte(words+"\n"), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	kernel.Chmod(lane, File, 0o400) // nobody changes last words
	s.late.Enable(3 * time.Second)
	written()
}

// endServer runs on the scribe's thread, when the server has waited long enough for nothing.
func (s *Scribe) endServer() {
	fmt.Fprintln(os.Stderr, "the last words are written, and the server does not end: I end it")
	s.server.Dispatcher.PostAbout(s.Dispatcher, "too late", func() {
		s.TooLate = true
		s.server.Dispatcher.Exit(s.server.Dispatcher)
	})
}

// Stop ends the thread. Main thread, while the server is taken down.
func (s *Scribe) Stop() {
	close(s.over)
	s.Dispatcher.PostAbout(s.server.Dispatcher, "the end", func() { s.Dispatcher.Exit(s.Dispatcher) })
	<-s.ended
	s.Dispatcher.Close(s.server.Lane())
	kernel.Close(s.server.Lane(), s.answers)
}
