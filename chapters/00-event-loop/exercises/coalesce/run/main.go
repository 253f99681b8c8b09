// Command run is chapter 00 with the exercise in it: a bell, a loop that is busy, and rings, in three stages.
//
//  1. The loop is busy, and main rings five times.
//  2. The loop is free again and answers.
//  3. Main rings once more; while the loop answers that, the bell rings again.
package main

import (
	"os"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/chapters/00-event-loop/exercises/coalesce"
	"envoywalk/chapters/00-event-loop/exercises/scene"
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
)

func main() { os.Exit(scene.Play(os.Args, play)) }

// house is the loop, its bell, and an eventfd that counts the answers.
type house struct {
	*scene.Scene
	loop    *eventloop.Dispatcher
	bell    *coalesce.Bell
	tally   int
	answers int
	busy    chan struct{} // closed when the loop is
	free    chan struct{} // close it, and the loop is free again
	ended   chan struct{}
}

func play(s *scene.Scene) {
	h := &house{Scene: s, loop: eventloop.New(s.Lane, "worker_0"), tally: s.Eventfd("tally"),
		busy: make(chan struct{}), free: make(chan struct{}), ended: make(chan struct{})}
	h.bell = coalesce.New(h.loop, h.answer)
	h.loop.PostOutside(s.Lane, "be busy", func() {
		h.loop.Lane().Flush()
		close(h.busy)
		<-h.free
	})
	go h.run()
	<-h.busy
	h.stages()
	h.loop.PostOutside(s.Lane, "the end", func() { h.loop.Exit(h.loop) })
	<-h.ended
	h.loop.Close(s.Lane)
	kernel.Close(s.Lane, h.tally)
}

func (h *house) run() {
	defer close(h.ended)
	lane := eventloop.LockThread(h.Recorder, "wrk:worker_0", 0)
	h.loop.Run(lane, eventloop.RunUntilExit)
	lane.End()
}

func (h *house) stages() {
	for range 5 {
		h.bell.Ring(h.Lane)
	}
	goOn := h.Pause()
	close(h.free)
	if !goOn {
		return
	}
	h.settle()
	if !h.Pause() {
		return
	}
	h.bell.Ring(h.Lane)
	h.settle()
	h.Pause()
}

// answer is what the bell is for. The second time somebody rings meanwhile; the twentieth is one too many: a
// bell that is never read stays ready, and the loop would go round for ever.
func (h *house) answer() {
	kernel.EventfdWrite(h.loop.Lane(), h.tally)
	switch h.answers++; h.answers {
	case 2:
		h.bell.Ring(h.loop.Lane())
	case 20:
		h.loop.Exit(h.loop)
	}
}

// settle waits until the loop has gone round three times more: what was ready has been answered by then.
func (h *house) settle() {
	done := make(chan struct{})
	h.loop.PostOutside(h.Lane, "three turns", func() { h.turns(3, done) })
	select {
	case <-done:
	case <-h.ended:
	}
}

// turns goes round by posting to itself: each post is run one turn later.
func (h *house) turns(n int, done chan struct{}) {
	if n == 0 {
		h.loop.Lane().Flush()
		close(done)
		return
	}
	h.loop.Post(h.loop, step.None, func() { h.turns(n-1, done) })
}
