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
	return counted(len(fds), q.Count, fmt.Sprintf("%s: fd %s", q.Kind, or(strings.Join(fds, " "), "none")))
}

func (s *scene) askCounter(q *exercise.Counter) Answer {
	all, err := s.fdsCalled(q.Label)
	if err != nil {
		return blind(err)
	}
	for _, f := range all {
		if f.Kind == "eventfd" {
			return counted(int(f.Counter), q.Count,
				fmt.Sprintf("fd %d<%s>: the counter stands at %d", f.FD, q.Label, f.Counter))
		}
	}
	return counted(0, q.Count, "no eventfd is called "+q.Label)
}

func (s *scene) askFile(q *exercise.File) Answer {
	text, err := os.ReadFile(filepath.Join(s.dir, q.Name))
	if err != nil {
		return counted(0, q.Count, "there is no file "+q.Name)
	}
	n := bytes.Count(text, []byte{'\n'})
	return counted(n, q.Count, fmt.Sprintf("%s: %d lines", q.Name, n))
}
