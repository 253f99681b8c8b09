package grade

import (
	"strings"

	"envoywalk/scripts/book/exercise"
)

// refusedConfig is told of a configuration with which the program did not even start, where the exercise does
// not know better.
var refusedConfig = exercise.Words{
	En: "the program does not start with this configuration, so nothing could be seen. The note has its words: " +
		"what, and at which line.",
	Zh: "程序用这份配置根本没有启动，所以什么也看不到。它说的话在附注里：错在哪里，在第几行。",
}

// refused: the learner's answer is a configuration, and the program ended at once with a complaint.
func (s *scene) refused() bool {
	return s.exercise.Kind == exercise.Experiment && s.exit != 0 && len(s.waited) > 0
}

// lastWords is what a program ended with: why it panicked, or its complaint, a sentence and, indented below
// it, the place and a hint.
// Paths are those that the learner knows.
func (s *scene) lastWords() string {
	if why := panicked(s.stderr.String(), s.exercise); why != "" {
		return why
	}
	return strings.ReplaceAll(complaint(s.stderr.String()), s.dir+"/", "")
}

func complaint(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := len(lines)
	if last > 1 && strings.HasPrefix(lines[last-1], "trace: wrote ") {
		last--
	}
	first := last - 1
	for first > 0 && strings.HasPrefix(lines[first], "  ") {
		first--
	}
	for i := first; i < last; i++ {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines[first:last], "; ")
}
