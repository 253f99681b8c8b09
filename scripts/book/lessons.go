package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// errOurs marks what is broken about the book itself.
type errOurs struct{ error }

// refused says why a command cannot go on, and whose fault that is.
func (b *book) refused(err error) int {
	var ours errOurs
	if errors.As(err, &ours) {
		return b.fault(ours.error)
	}
	return b.lacking(err.Error())
}

// exercises are all that can be used. Of the others it is told once what is wrong with them.
func (b *book) exercises() ([]*exercise.Exercise, error) {
	all, err := exercise.All(b.module)
	var broken exercise.Broken
	if !errors.As(err, &broken) {
		return all, err
	}
	if b.unread == nil {
		b.fault(broken)
	}
	b.unread = broken
	return all, nil
}

// leftOut is ourFault where one that was meant cannot be used.
func (b *book) leftOut(isMeant func(*exercise.Exercise) bool) int {
	if slices.ContainsFunc(b.unread.Exercises(), isMeant) {
		return ourFault
	}
	return pass
}

// find is the exercise that the reader means: by its name, 03/reuseport or reuseport, or, without one, the
// exercise in whose folder the reader stands.
func (b *book) find(name string) (*exercise.Exercise, error) {
	all, err := b.exercises()
	if err != nil {
		return nil, errOurs{err}
	}
	if name == "" {
		name = b.here()
	}
	meant := matching(all, name)
	if isBroken := matching(b.unread.Exercises(), name); len(meant) == 0 && len(isBroken) > 0 {
		return nil, errOurs{fmt.Errorf(b.lessons().broken, isBroken[0].ID)}
	}
	switch {
	case len(meant) == 1:
		return meant[0], nil
	case len(all) == 0:
		return nil, errors.New(b.lessons().none)
	case name == "" || len(meant) > 1:
		return nil, fmt.Errorf(b.lessons().which, b.listed(all))
	}
	said := fmt.Sprintf(b.lessons().noSuch, name, b.listed(all))
	if near := nearest(name, namesOf(all)); near != "" {
		said += "\n" + fmt.Sprintf(b.lessons().nearest, near)
	}
	return nil, errors.New(said)
}

// matching are the exercises of that name: 03/reuseport, reuseport, or their folder.
func matching(all []*exercise.Exercise, name string) (meant []*exercise.Exercise) {
	name = strings.TrimSuffix(name, "/")
	for _, e := range all {
		if _, short, _ := strings.Cut(e.ID, "/"); e.ID == name || short == name || e.Dir == name {
			meant = append(meant, e)
		}
	}
	return meant
}

// several are the exercises that a name means: one, a chapter's, or those of where the reader stands.
func (b *book) several(name string) ([]*exercise.Exercise, error) {
	all, err := b.exercises()
	if err != nil {
		return nil, errOurs{err}
	}
	in := name
	if name == "" && b.here() == "" {
		in = b.chapterHere()
	}
	if chapter, err := b.chapter(in); err == nil {
		of := slices.DeleteFunc(slices.Clone(all), func(e *exercise.Exercise) bool { return e.Chapter != chapter })
		if len(of) > 0 {
			return of, nil
		}
	}
	e, err := b.find(name)
	return []*exercise.Exercise{e}, err
}

// here is the folder of the exercise that the reader stands in, "" elsewhere.
func (b *book) here() string {
	if parts := b.standing(); len(parts) > 3 && parts[2] == "exercises" {
		return strings.Join(parts[:4], "/")
	}
	return ""
}

// chapterHere is the chapter in whose folder the reader stands, "" elsewhere.
func (b *book) chapterHere() string {
	if parts := b.standing(); len(parts) > 1 {
		return parts[1]
	}
	return ""
}

// standing is the reader's folder below the module, where that is a chapter's.
func (b *book) standing() []string {
	dir, err := os.Getwd()
	if err != nil {
		return nil
	}
	below, err := filepath.Rel(b.module, dir)
	if parts := strings.Split(filepath.ToSlash(below), "/"); err == nil && parts[0] == "chapters" {
		return parts
	}
	return nil
}

func (b *book) listed(all []*exercise.Exercise) string {
	var lines []string
	for _, e := range all {
		line := fmt.Sprintf("  %s %s", padded(e.ID, 22), e.Title.In(b.text.lang))
		lines = append(lines, cut(line, b.screen.wide))
	}
	return strings.Join(lines, "\n")
}

func namesOf(all []*exercise.Exercise) (names []string) {
	for _, e := range all {
		_, short, _ := strings.Cut(e.ID, "/")
		names = append(names, e.ID, short)
	}
	return names
}

// canGrade says so where nothing can be graded at all.
func (b *book) canGrade() error {
	if b.goos != "linux" {
		return fmt.Errorf(b.lessons().notHere, b.goos)
	}
	return nil
}

// shown is a path as seen from where the reader stands.
func (b *book) shown(path string) string {
	if dir, err := os.Getwd(); err == nil {
		below, err := filepath.Rel(dir, path)
		if err == nil && !strings.HasPrefix(filepath.ToSlash(below), "../../..") {
			return below
		}
	}
	return path
}

// answerPath is the file that the learner edits.
func (b *book) answerPath(e *exercise.Exercise) string { return b.shown(e.AnswerFile(b.module, "")) }

// taskPath is the task in the reader's language.
func (b *book) taskPath(e *exercise.Exercise) string {
	name := "task.md"
	if b.text.lang == "zh" {
		name = "task.zh.md"
	}
	return b.shown(filepath.Join(b.module, filepath.FromSlash(e.Dir), name))
}
