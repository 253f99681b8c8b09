package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"envoywalk/scripts/book/exercise"
)

var (
	row      = regexp.MustCompile(`^\| *([0-9]+) *\|`)
	rowNames = regexp.MustCompile(`[0-9]{2}/[a-z-]+`)
)

// A lesson has 45 minutes: so each table of teach.md has, and an exercise in it has its own minutes and five
// more, to read the task and to talk.
func TestALessonFitsItsMinutes(t *testing.T) {
	all, err := exercise.All("../..")
	if err != nil {
		t.Fatal(err)
	}
	minutes := map[string]int{}
	for _, e := range all {
		minutes[e.ID] = e.Minutes
	}
	pages, _ := filepath.Glob("../../chapters/*/teach*.md")
	if len(pages) < 14 {
		t.Fatalf("%d lessons", len(pages))
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, line := range append(linesOf(string(text)), "") {
			if line == "" {
				if sum != 0 && sum != 45 {
					t.Errorf("%s: a session of %d minutes", page, sum)
				}
				sum = 0
			}
			n := minutesOf(line)
			sum += n
			// The first that is named is done by all.
			if first := rowNames.FindString(line); n > 0 && first != "" && n < minutes[first]+5 {
				t.Errorf("%s: %d minutes for %s, which takes %d and five more", page, n, first, minutes[first])
			}
		}
	}
}

// minutesOf is the first column of a table's row.
func minutesOf(line string) int {
	if m := row.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

// `go tool book teach` lists what each exercise tells: the same sentence twice is a mistake of ours.
func TestNoExerciseTellsTwoMistakesTheSame(t *testing.T) {
	all, err := exercise.All("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		told := map[string]bool{}
		for _, l := range e.LooksLike {
			for _, say := range []string{l.Say.En, l.Say.Zh} {
				if told[say] {
					t.Errorf("%s tells it twice: %s", e.ID, say)
				}
				told[say] = true
			}
		}
	}
}

func TestTeachKeepsTheRowsOfATableWhole(t *testing.T) {
	t.Setenv("COLUMNS", "60")
	d := newDesk(t)
	for _, lang := range []string{"en", "zh"} {
		d.book.text = texts[lang]
		notes, err := os.ReadFile(d.book.teachPath("03-bind"))
		if err != nil {
			t.Fatal(err)
		}
		text := d.says(pass, "teach 03 --lang "+lang)
		for _, line := range linesOf(string(notes)) {
			if strings.HasPrefix(line, "|") && !strings.Contains(text, line+"\n") {
				t.Errorf("%s: no row %s", lang, line)
			}
		}
	}
	d.says(pass, "teach 03 --lang zh", "- 03/before-bind：")
}
