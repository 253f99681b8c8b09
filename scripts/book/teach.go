package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// lesson is what a teacher gets for a chapter.
type lesson struct {
	Chapter   string          `json:"chapter"`
	Notes     string          `json:"notes"` // chapters/NN-name/teach.md
	Exercises []lessonPart    `json:"exercises"`
	Minutes   int             `json:"exercise_minutes"`
	Mistakes  []commonMistake `json:"mistakes"`
}

type lessonPart struct {
	Exercise string        `json:"exercise"`
	Kind     exercise.Kind `json:"kind"`
	Title    string        `json:"title"`
	Minutes  int           `json:"minutes"`
}

// commonMistake is a mistake that the grader knows by its symptoms.
type commonMistake struct {
	Exercise string `json:"exercise"`
	Says     string `json:"says"`
}

// teach prints a chapter's teaching notes: schedule, demo, questions with answers; and from its exercises, how
// long they take and which mistakes to expect.
func (b *book) teach(args []string) int {
	var asJSON bool
	words, err := b.flags("teach", args, 1, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "") })
	if err != nil {
		return b.lacking(err.Error())
	}
	name := strings.Join(words, "")
	if name == "" {
		if name = b.chapterHere(); name == "" {
			return b.lacking(b.text.usage["teach"])
		}
	}
	chapter, err := b.chapter(name)
	if err != nil {
		return b.lacking(err.Error())
	}
	l, err := b.lessonOf(chapter)
	if err != nil {
		return b.refused(err)
	}
	if asJSON {
		return b.json(l)
	}
	b.showLesson(l)
	return pass
}

// teachPath are the notes in the reader's language.
func (b *book) teachPath(chapter string) string {
	name := "teach.md"
	if b.text.lang == "zh" {
		name = "teach.zh.md"
	}
	return filepath.Join(b.module, "chapters", chapter, name)
}

func (b *book) lessonOf(chapter string) (*lesson, error) {
	notes, err := os.ReadFile(b.teachPath(chapter))
	if err != nil {
		return nil, errOurs{err}
	}
	all, err := exercise.All(b.module)
	if err != nil {
		return nil, errOurs{err}
	}
	l := &lesson{Chapter: chapter, Notes: strings.TrimLeft(stamp.ReplaceAllString(string(notes), ""), "\n")}
	for _, e := range all {
		if e.Chapter != chapter {
			continue
		}
		l.Minutes += e.Minutes
		l.Exercises = append(l.Exercises, lessonPart{e.ID, e.Kind, e.Title.In(b.text.lang), e.Minutes})
		for _, known := range e.LooksLike {
			l.Mistakes = append(l.Mistakes, commonMistake{e.ID, known.Say.In(b.text.lang)})
		}
	}
	return l, nil
}

func (b *book) showLesson(l *lesson) {
	words := b.lessons()
	for _, line := range paragraphs(l.Notes) {
		switch indent := listPoint.FindString(line); {
		case strings.HasPrefix(line, "#"):
			fmt.Fprintln(b.out, b.screen.paint(bold, line))
		case strings.HasPrefix(line, "|"):
			fmt.Fprintln(b.out, line)
		default:
			b.print(indent, line[len(indent):])
		}
	}
	if len(l.Exercises) == 0 {
		return
	}
	fmt.Fprintf(b.out, "\n%s\n\n", b.screen.paint(bold, "## "+fmt.Sprintf(words.teachExercises, l.Minutes)))
	for _, e := range l.Exercises {
		b.print("- ", fmt.Sprintf(words.nextHead, e.Exercise, e.Title, words.kinds[e.Kind], e.Minutes))
	}
	fmt.Fprintf(b.out, "\n%s\n\n", b.screen.paint(bold, "## "+words.teachMistakes))
	for _, m := range l.Mistakes {
		b.print("- "+m.Exercise+": ", m.Says)
	}
}

var listPoint = regexp.MustCompile(`^([0-9]+\.|-) `)

// paragraphs are a page's lines with each paragraph and each point of a list in one.
func paragraphs(page string) (lines []string) {
	open := false // the last line may go on
	for _, line := range linesOf(page) {
		text := strings.TrimSpace(line)
		apart := text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, "|")
		if open && !apart && !listPoint.MatchString(text) {
			lines[len(lines)-1] += " " + text
			continue
		}
		lines = append(lines, text)
		open = !apart
	}
	return lines
}
