// Package lastwords is the exercise 01/last-words: see task.md.
package lastwords

import (
	startup "envoywalk/chapters/01-startup"
	"envoywalk/chapters/01-startup/exercises/last-words/scribe"
	"envoywalk/internal/step"
)

// Register lets the server say goodbye: when it is about to end, s writes a line, and the server does not end
// before that line is written. Meanwhile its main loop goes on.
func Register(i *startup.Instance, s *scribe.Scribe) {
	i.RegisterCallback(startup.StageShutdownExit, func(func()) {
		s.Write("goodbye", func() {
			i.Dispatcher.Post(s.Dispatcher, step.None, func() { i.Dispatcher.Exit(i.Dispatcher) })
		})
	})
}
