package grade

import (
	"path"
	"regexp"
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
	return s.exercise.Kind == exercise.Experiment && s.exit > 0 && len(s.waited) > 0
}

// standsStill is told of a program that had to be killed, where the exercise does not know of one that stands still.
// What it did before is told in part: the last spans died with it.
var standsStill = exercise.Words{
	En: "the program stands still: it did not end when it was asked to. A loop without an end, a lock that is never " +
		"given back, or a wait for what never comes? The note says where it stood, if that could be seen.",
	Zh: "程序卡住了：要它结束，它没有结束。是没有尽头的循环，是一直没放开的锁，还是在等永远不会来的东西？" +
		"如果看得出停在哪里，附注里有。",
}

// stoodAt says that a program was killed, and at which line of the learner's it stood.
func (s *scene) stoodAt() exercise.Words {
	own := regexp.MustCompile(`(?m)^(\S+)\(.*\n\s+\S*/` +
		regexp.QuoteMeta(path.Join(s.exercise.Dir, s.exercise.Answer)) + `:(\d+)`)
	if found := own.FindStringSubmatch(s.stderr.String()); found != nil {
		at := path.Base(s.exercise.Answer) + ":" + found[2]
		if found[2] == "1" { // an empty loop has no line of its own
			at = found[1][strings.LastIndex(found[1], "/")+1:]
		}
		return say("it did not end when it was asked to, and was killed. It stood at %s",
			"要它结束，它没有结束，只好强行终止。当时停在 %s", at)
	}
	return say("it did not end when it was asked to, and was killed", "要它结束，它没有结束，只好强行终止")
}

// endedItself is told of a program that ended without taking itself down first.
func endedItself(status int) exercise.Words {
	return say("the program ended by itself, with status %d, before the server was taken down: something called os.Exit, "+
		"or log.Fatal, which does. Whatever was to come after that never came.",
		"程序自己结束了，状态 %d，没有经过收尾：有什么调用了 os.Exit，或者调用了会这样做的 log.Fatal。之后的事都没有发生。",
		status)
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
	lines := linesOf(text)
	first := len(lines) - 1
	for first > 0 && strings.HasPrefix(lines[first], "  ") {
		first--
	}
	for i := first; i < len(lines); i++ {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines[first:], "; ")
}
