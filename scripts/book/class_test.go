package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// learnerFile writes a learner's progress: an exercise with its verdict, and the mistake after a |.
func learnerFile(t *testing.T, path string, lines ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, line := range lines {
		parts := append(strings.Split(line, "|"), "")
		line, err := json.Marshal(attempt{Exercise: parts[0], Verdict: parts[1], Mistake: parts[2]})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

const afterBind = "the option was set, but after bind. The kernel decides at bind who may share a port; later is too late for that."

func room(t *testing.T) string {
	dir := t.TempDir()
	late := "03/reuseport|not yet|" + afterBind
	learnerFile(t, filepath.Join(dir, "ann.jsonl"), late, "03/reuseport|pass")
	learnerFile(t, filepath.Join(dir, "bo", ".envoywalk", "progress.jsonl"), late, late, late, late, "03/reuseport|hint")
	learnerFile(t, filepath.Join(dir, "cy", "progress.jsonl"), "03/reuseport|solution", "03/reuseport|pass", "99/gone|pass")
	learnerFile(t, filepath.Join(dir, "empty.jsonl"))
	return dir
}

func TestAClassShowsWhoIsStuckAndWhichMistakeIsCommon(t *testing.T) {
	d := newDesk(t)
	dir := room(t)
	text := d.says(pass, "class "+dir, "bo is stuck in 03/reuseport", "03/reuseport: 2 learners: the option was set, but after bind")
	d.book.in = nil
	d.says(pass, "class "+dir+" --lang zh", "bo 卡在 03/reuseport", "03/reuseport：2 人：选项设置了，但在 bind 之后")
	for _, row := range []string{`(?m)^ann .* ok`, `(?m)^bo .* 4!`, `(?m)^cy .* ok\*`} {
		if !regexp.MustCompile(row).MatchString(text) {
			t.Errorf("no row %s in\n%s", row, text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "99/gone") && columns(line) > usualWidth+1 {
			t.Errorf("a table is wider than the screen: %s", line)
		}
	}
	var c classroom
	if err := json.Unmarshal([]byte(d.says(pass, "class --json "+dir)), &c); err != nil || len(c.Learners) != 3 {
		t.Fatalf("%v %+v", err, c)
	}
	if l := c.Learners[1]; l.Name != "bo" || l.Passed != 0 || len(l.Stuck) != 1 {
		t.Errorf("bo is %+v", l)
	}
	if l := c.Learners[2]; l.Passed != 2 {
		t.Errorf("what this checkout does not have counts too: %+v", l)
	}
}

func TestAClassWithoutFilesSaysSo(t *testing.T) {
	d := newDesk(t)
	d.says(couldNotLook, "class "+t.TempDir(), "There is no progress file")
	d.says(couldNotLook, "class", "go tool book class DIR")
	d.says(couldNotLook, "class /nonsense/dir", "no such file")
}

var (
	headMinutes = regexp.MustCompile(`(?m)^# .*[(（]([0-9]+) `)
	rowMinutes  = regexp.MustCompile(`(?m)^\| ([0-9]+) \|`)
	commandIn   = regexp.MustCompile("`go tool book ([^`]+)`")
)

func TestEveryChapterCanBeTaughtInBothLanguages(t *testing.T) {
	module := findModule(".")
	for _, lang := range []string{"en", "zh"} {
		b := &book{module: module, text: texts[lang]}
		for _, chapter := range b.chapters() {
			notes, err := os.ReadFile(b.teachPath(chapter))
			if err != nil {
				t.Error(err)
				continue
			}
			minutes := 0
			for _, row := range rowMinutes.FindAllStringSubmatch(string(notes), -1) {
				n, _ := strconv.Atoi(row[1])
				minutes += n
			}
			if head := headMinutes.FindStringSubmatch(string(notes)); head == nil || head[1] != strconv.Itoa(minutes) {
				t.Errorf("%s %s: the schedule has %d minutes, the heading says %v", chapter, lang, minutes, head)
			}
			for _, c := range commandIn.FindAllStringSubmatch(string(notes), -1) {
				b.canBeTyped(t, chapter, c[1])
			}
		}
	}
}

// canBeTyped: the command exists, and so does what it names.
func (b *book) canBeTyped(t *testing.T, chapter, line string) {
	t.Helper()
	words := strings.Fields(line)
	if _, known := commands[words[0]]; !known {
		t.Errorf("%s: there is no %s", chapter, line)
	}
	if len(words) < 2 {
		return
	}
	if _, err := b.chapter(words[1]); err == nil || words[0] == "class" {
		return
	}
	if _, _, err := b.findMutant(words[1]); err != nil {
		t.Errorf("%s: %s: %v", chapter, line, err)
	}
}
