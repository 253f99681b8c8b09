// Command run is chapter 00 with five loops that are posted to in five ways. Then it stops, so that there is
// time to look: nobody reads any wake-up before that.
package main

import (
	"os"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/chapters/00-event-loop/exercises/scene"
	"envoywalk/internal/step"
)

func main() { os.Exit(scene.Play(os.Args, play)) }

func play(s *scene.Scene) {
	// early has no thread yet. Main posts to it four times.
	early := eventloop.New(s.Lane, "early")
	post(s, early, 4)

	// busy is in the middle of a callback. Main posts to it four times.
	busy := start(s, "busy", func(*eventloop.Dispatcher) {})
	post(s, busy.loop, 4)

	// own, in the middle of a callback, has posted to itself four times.
	own := start(s, "own", func(d *eventloop.Dispatcher) { postItself(d, 4) })

	// both has posted to itself once and is still in the callback that did it. Main posts to it four times.
	both := start(s, "both", func(d *eventloop.Dispatcher) { postItself(d, 1) })
	post(s, both.loop, 4)

	// leaving is in the middle of a callback. Main posts to it twice, and then asks it to exit.
	leaving := start(s, "leaving", func(*eventloop.Dispatcher) {})
	post(s, leaving.loop, 2)
	mainLoop := eventloop.New(s.Lane, "main_thread")
	leaving.loop.Exit(mainLoop)

	s.Pause() // here you look

	for _, l := range []*runner{busy, own, both, leaving} {
		close(l.free)
		<-l.ended
		l.loop.Close(s.Lane)
	}
	early.Close(s.Lane)
	mainLoop.Close(s.Lane)
}

// post is main posting n times.
func post(s *scene.Scene, d *eventloop.Dispatcher, n int) {
	for range n {
		d.PostOutside(s.Lane, "nothing", func() {})
	}
}

// postItself is a loop posting to itself n times, on its own thread.
func postItself(d *eventloop.Dispatcher, n int) {
	for range n {
		d.Post(d, step.None, func() {})
	}
}

// runner is a loop with a thread, which is in the middle of a callback until free is closed.
type runner struct {
	loop        *eventloop.Dispatcher
	free, ended chan struct{}
}

// start makes a loop and its thread, and returns when the loop runs and its first callback has done f.
func start(s *scene.Scene, name string, f func(*eventloop.Dispatcher)) *runner {
	r := &runner{eventloop.New(s.Lane, name), make(chan struct{}), make(chan struct{})}
	inside := make(chan struct{})
	r.loop.PostOutside(s.Lane, "be busy", func() {
		f(r.loop)
		r.loop.Lane().Flush()
		close(inside)
		<-r.free
		r.loop.Exit(r.loop)
	})
	go func() {
		defer close(r.ended)
		lane := eventloop.LockThread(s.Recorder, "wrk:"+name, 0)
		r.loop.Run(lane, eventloop.RunUntilExit)
		lane.End()
	}()
	<-inside
	return r
}
