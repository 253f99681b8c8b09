package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// find is the exercise that the reader means: by its name, 03/reuseport or reuseport, or, without one, the
// exercise in whose folder the reader stands.
func (b *book) find(name string) (*exercise.Exercise, error) {
	all, err := exercise.All(b.module)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = b.here()
	}
	var meant []*exercise.Exercise
	for _, e := range all {
		if _, short, _ := strings.Cut(e.ID, "/"); e.ID == name || short == name || e.Dir == name {
			meant = append(meant, e)
		}
	}
	switch {
	case len(meant) == 1:
		return meant[0], nil
	case len(all) == 0:
		return nil, errors.New(b.lessons().none)
	case name == "":
		return nil, fmt.Errorf(b.lessons().which, listed(all))
	}
	return nil, fmt.Errorf(b.lessons().noSuch, name, listed(all))
}

// here is the folder of the exercise that the reader stands in, "" elsewhere.
func (b *book) here() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	below, err := filepath.Rel(b.module, dir)
	if err != nil {
		return ""
	}
	parts := strings.Split(filepath.ToSlash(below), "/")
	if len(parts) < 4 || parts[0] != "chapters" || parts[2] != "exercises" {
		return ""
	}
	return strings.Join(parts[:4], "/")
}

func listed(all []*exercise.Exercise) string {
	var lines []string
	for _, e := range all {
		lines = append(lines, fmt.Sprintf("  %-22s %s", e.ID, e.Kind))
	}
	return strings.Join(lines, "\n")
}

// answerPath is the file that the learner edits, as seen from where the reader stands.
func (b *book) answerPath(e *exercise.Exercise) string {
	path := e.AnswerFile(b.module, "")
	if dir, err := os.Getwd(); err == nil {
		if below, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(below, "../../..") {
			return below
		}
	}
	return path
}

// taskPath is the task in the reader's language.
func (b *book) taskPath(e *exercise.Exercise) string {
	name := "task.md"
	if b.text.lang == "zh" {
		name = "task.zh.md"
	}
	return filepath.Join(filepath.Dir(b.answerPath(e)), name)
}
