// Command run is chapter 00 with a loop that is busy while main posts to it five times, in two stages.
//
//  1. The loop is in the middle of a callback, and main has posted five times.
//  2. The loop has had time to run what was posted. Each post counts itself in an eventfd, tally.
//
// So that a fault in posting cannot hang it, the program itself says "go round" and "the end" by an eventfd
// that the loop watches, knock.
package main

import (
	"os"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/chapters/00-event-loop/exercises/scene"
	"envoywalk/internal/kernel"
)

func main() { os.Exit(scene.Play(os.Args, play)) }

type house struct {
	*scene.Scene
	loop         *eventloop.Dispatcher
	tally, knock int
	knocks       int
	busy, free   chan struct{}
	settled      chan struct{}
	ended        chan struct{}
}

func play(s *scene.Scene) {
	h := &house{Scene: s, loop: eventloop.New(s.Lane, "worker_0"), tally: s.Eventfd("tally"),
		knock: s.Eventfd("knock"), busy: make(chan struct{}), free: make(chan struct{}),
		settled: make(chan struct{}), ended: make(chan struct{})}
	h.loop.PostOutside(s.Lane, "be busy", h.beBusy)
	go h.run()
	<-h.busy
	for range 5 {
		h.loop.PostOutside(s.Lane, "count me", func() { kernel.EventfdWrite(h.loop.Lane(), h.tally) })
	}
	goOn := h.Pause()
	close(h.free)
	kernel.EventfdWrite(s.Lane, h.knock)
	<-h.settled
	if goOn {
		h.Pause()
	}
	kernel.EventfdWrite(s.Lane, h.knock)
	<-h.ended
	h.loop.Close(s.Lane)
	kernel.Close(s.Lane, h.tally)
	kernel.Close(s.Lane, h.knock)
}

func (h *house) run() {
	defer close(h.ended)
	lane := eventloop.LockThread(h.Recorder, "wrk:worker_0", 0)
	h.loop.Run(lane, eventloop.RunUntilExit)
	lane.End()
}

// beBusy is the loop's first callback.
func (h *house) beBusy() {
	h.loop.CreateFileEvent(h.knock, eventloop.Level, eventloop.Read, h.knocked)
	h.loop.Lane().Flush()
	close(h.busy)
	<-h.free
}

// knocked goes round: after the third turn whatever can run has run. What main knocks after that is the end.
func (h *house) knocked(eventloop.FileReady) {
	kernel.EventfdRead(h.loop.Lane(), h.knock)
	switch h.knocks++; {
	case h.knocks < 4:
		kernel.EventfdWrite(h.loop.Lane(), h.knock)
	case h.knocks == 4:
		h.loop.Lane().Flush()
		close(h.settled)
	default:
		h.loop.Exit(h.loop)
	}
}
