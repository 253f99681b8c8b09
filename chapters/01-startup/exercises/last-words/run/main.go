// Command run is chapter 01 with a scribe, and with the exercise in it.
package main

import (
	"os"

	startup "envoywalk/chapters/01-startup"
	lastwords "envoywalk/chapters/01-startup/exercises/last-words"
	"envoywalk/chapters/01-startup/exercises/last-words/scribe"
)

func main() {
	s := startup.Wire()
	overload := s.OverloadManager
	var clerk *scribe.Scribe
	s.OverloadManager = func(i *startup.Instance) startup.OverloadManager {
		clerk = scribe.New(i)
		lastwords.Register(i, clerk)
		return &withScribe{overload(i), clerk}
	}
	code := s.Main(os.Args)
	if clerk != nil && clerk.TooLate {
		code = 3
	}
	os.Exit(code)
}

// withScribe stops the scribe when the server is taken down: Stop is the first thing that happens then.
type withScribe struct {
	startup.OverloadManager
	scribe *scribe.Scribe
}

func (w *withScribe) Stop() {
	w.scribe.Stop()
	w.OverloadManager.Stop()
}
