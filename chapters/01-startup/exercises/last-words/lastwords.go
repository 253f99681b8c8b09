// Package lastwords is the exercise 01/last-words: see task.md.
package lastwords

import (
	startup "envoywalk/chapters/01-startup"
	"envoywalk/chapters/01-startup/exercises/last-words/scribe"
)

// Register lets the server say goodbye: when it is about to end, s writes a line, and the server does not end
// before that line is written. Meanwhile its main loop goes on.
func Register(i *startup.Instance, s *scribe.Scribe) {
	// Your code: i.RegisterCallback for the right stage, and in it s.Write.
	// 你的代码：选对阶段，调用 i.RegisterCallback，在回调里调用 s.Write。
}
