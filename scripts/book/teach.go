package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// fewMistakes of an exercise are told where not all are asked for.
const fewMistakes = 2

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
	var everything, asJSON bool
	words, err := b.flags("teach", args, 1, func(f *flag.FlagSet) {
		f.BoolVar(&everything, "all", false, "")
		f.BoolVar(&asJSON, "json", false, "")
	})
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
	b.showLesson(l, everything)
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
	all, err := b.exercises()
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
		l.Mistakes = append(l.Mistakes, b.mistakesOf(e)...)
	}
	return l, nil
}

// mistakesOf are those that an exercise knows, each once: several symptoms may be told in the same words. A
// configuration that is refused says so itself, and so comes last.
func (b *book) mistakesOf(e *exercise.Exercise) (all []commonMistake) {
	for _, refused := range []bool{false, true} {
		for _, known := range e.LooksLike {
			m := commonMistake{e.ID, known.Say.In(b.text.lang)}
			if known.Refused == refused && !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	return all
}

func (b *book) showLesson(l *lesson, everything bool) {
	words := b.lessons()
	for _, line := range paragraphs(l.Notes) {
		switch indent := listPoint.FindString(line); {
		case strings.HasPrefix(line, "#"):
			fmt.Fprintln(b.out, b.screen.paint(bold, line))
		case strings.HasPrefix(line, "|"): // a row that is wrapped is none
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
	b.showMistakes(l, everything)
}

func (b *book) showMistakes(l *lesson, everything bool) {
	for _, e := range l.Exercises {
		others := func(m commonMistake) bool { return m.Exercise != e.Exercise }
		of := slices.DeleteFunc(slices.Clone(l.Mistakes), others)
		told := len(of)
		if !everything {
			told = min(told, fewMistakes)
		}
		for _, m := range of[:told] {
			b.print("- "+m.Exercise+b.lessons().colon, m.Says)
		}
		if more := len(of) - told; more > 0 {
			b.print("- ", fmt.Sprintf(b.lessons().teachMore, e.Exercise, more, l.Chapter[:2]))
		}
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
