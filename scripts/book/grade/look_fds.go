package grade

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// fdsCalled are the eventfds and epoll sets that the spans call so.
func (s *scene) fdsCalled(label string) (found []witness.Fd, err error) {
	if s.process == nil {
		return nil, s.whyUnseen()
	}
	all, err := s.process.Fds()
	if err != nil {
		return nil, err
	}
	if s.story = s.read(); s.story == nil {
		return nil, nil
	}
	labels := s.story.labels()
	for _, f := range all {
		if labels[f.FD] != "" && glob(label, labels[f.FD]) {
			found = append(found, f)
		}
	}
	return found, nil
}

func (s *scene) askFds(q *exercise.Fds) Answer {
	all, err := s.fdsCalled(q.Label)
	if err != nil {
		return blind(err)
	}
	var fds []string
	for _, f := range all {
		if f.Kind == q.Kind {
			fds = append(fds, fmt.Sprint(f.FD))
		}
	}
	said := say("none called %[2]s is an %[1]s", "没有叫 %[2]s 的 %[1]s", q.Kind, alternatives(q.Label))
	if len(fds) > 0 {
		said = same(q.Kind + " fd " + strings.Join(fds, " "))
	}
	return counted(len(fds), q.Count, said)
}

func (s *scene) askCounter(q *exercise.Counter) Answer {
	all, err := s.fdsCalled(q.Label)
	if err != nil {
		return blind(err)
	}
	for _, f := range all {
		if f.Kind == "eventfd" {
			return counted(int(f.Counter), q.Count,
				say("fd %d<%s>: the counter stands at %d", "fd %d<%s>：计数器是 %d", f.FD, q.Label, f.Counter))
		}
	}
	return counted(0, q.Count, say("no eventfd is called %s", "没有叫 %s 的 eventfd", q.Label))
}

func (s *scene) askFile(q *exercise.File) Answer {
	text, err := os.ReadFile(filepath.Join(s.dir, q.Name))
	if err != nil {
		return counted(0, q.Count, say("there is no file %s", "没有文件 %s", q.Name))
	}
	n := bytes.Count(text, []byte{'\n'})
	return counted(n, q.Count, say("%s: %d lines", "%s：%d 行", q.Name, n))
}
