package exercise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"envoywalk/internal/config"
)

// Broken are exercises that cannot be read. The others are there all the same.
type Broken []*Unreadable

func (b Broken) Error() string {
	said := make([]string, len(b))
	for i, u := range b {
		said[i] = u.Error()
	}
	return strings.Join(said, "\n")
}

// Exercises have an ID and a folder, and nothing else that may be used.
func (b Broken) Exercises() (all []*Exercise) {
	for _, u := range b {
		all = append(all, u.Exercise)
	}
	return all
}

// Unreadable is one of them: Line of its exercise.yaml, below the module's root, is why.
type Unreadable struct {
	*Exercise
	Line int
	Says string
}

func (u *Unreadable) Error() string {
	return fmt.Sprintf("%s/exercise.yaml:%d: %s", u.Dir, u.Line, u.Says)
}

var (
	yamlLine = regexp.MustCompile(`line ([0-9]+): (.*)`)
	noField  = regexp.MustCompile(`field (\S+) not found in type \S+`)
)

func unreadable(e *Exercise, path string, err error) *Unreadable {
	u := &Unreadable{Exercise: e, Line: 1, Says: err.Error()}
	var at *placed
	switch m := yamlLine.FindStringSubmatch(u.Says); {
	case errors.As(err, &at):
		u.Line = at.line(path)
	case errors.Is(err, io.EOF):
		u.Says = "the file is empty"
	case strings.HasPrefix(u.Says, "yaml: line "): // no YAML at all
		text, _ := os.ReadFile(path) // it was read a moment ago
		u.Line, u.Says = config.SyntaxError(text, err)
	case m != nil: // the first of them
		u.Line, _ = strconv.Atoi(m[1])
		u.Says = noField.ReplaceAllString(m[2], "there is no field called $1")
	}
	return u
}

// placed is an error about a field, or about one of the list that it holds.
type placed struct {
	error
	field string
	item  int
}

func (p *placed) Unwrap() error { return p.error }

// line is where the field stands; 1 where it does not.
func (p *placed) line(path string) int {
	text, _ := os.ReadFile(path) // it was read a moment ago
	var file yaml.Node
	if yaml.Unmarshal(text, &file) != nil || len(file.Content) == 0 {
		return 1
	}
	top := file.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		field, value := top[i], top[i+1]
		switch {
		case field.Value != p.field:
		case value.Kind == yaml.SequenceNode && p.item < len(value.Content):
			return value.Content[p.item].Line
		default:
			return field.Line
		}
	}
	return 1
}
