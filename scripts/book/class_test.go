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

// learnerFile writes a learner's progress: an exercise with its verdict and the mistake in both languages, a |
// between them.
func learnerFile(t *testing.T, path string, lines ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, line := range lines {
		parts := append(strings.Split(line, "|"), "", "")
		line, err := json.Marshal(attempt{Exercise: parts[0], Verdict: parts[1], Mistake: parts[2], MistakeZh: parts[3]})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

const afterBind = "the option was set, but after bind. The kernel decides at bind who may share a port; later is too late for that." +
	"|选项设置了，但在 bind 之后。谁能共用端口，内核在 bind 那一刻就定了，事后再设已经晚了。"

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
	text := d.says(pass, "class "+dir, "bo is stuck in 03/reuseport", "03/reuseport: 2 learners: the option was set, but after bind", "…")
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
	d.says(pass, "class --json "+dir)
	if err := json.Unmarshal(d.out.Bytes(), &c); err != nil || len(c.Learners) != 3 {
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
	d.says(notYet, "class "+t.TempDir(), "There is no progress file")
	d.says(couldNotLook, "class", "go tool book class DIR")
	if text := d.says(notYet, "class /nonsense/dir"); text != "There is no folder /nonsense/dir.\n" {
		t.Errorf("%q", text)
	}
	d.says(notYet, "class /nonsense/dir --lang zh", "没有 /nonsense/dir 这个目录")
}

func TestAPassThatWasResetIsStillSeen(t *testing.T) {
	d := newDesk(t)
	dir := t.TempDir()
	learnerFile(t, filepath.Join(dir, "ann.jsonl"), "03/reuseport|pass", "03/reuseport|reset", "03/reuseport|not yet")
	text := d.says(pass, "class "+dir, "(ok) passed once, reset since")
	if !regexp.MustCompile(`(?m)^ann .* \(ok\)`).MatchString(text) {
		t.Errorf("no (ok) for ann in\n%s", text)
	}
	var c classroom
	err := json.Unmarshal([]byte(d.says(pass, "class --json "+dir)), &c)
	if err != nil || len(c.Learners) != 1 || c.Learners[0].Passed != 1 || c.Learners[0].Stuck != nil {
		t.Fatalf("%v %+v", err, c.Learners)
	}
	for _, x := range c.Exercises {
		if x.Exercise == "03/reuseport" && (x.Passed != 1 || x.Tried != 0) {
			t.Errorf("the class has %+v", x)
		}
	}
}

func TestAClassNamesFilesWithNoProgressInThem(t *testing.T) {
	d := newDesk(t)
	dir := room(t)
	rubbish := filepath.Join(dir, "dan", "progress.jsonl")
	learnerFile(t, rubbish)
	if err := os.WriteFile(rubbish, []byte("no JSON\n{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	learnerFile(t, filepath.Join(dir, "bo", "testdata", "left.jsonl")) // a checkout's own
	text := d.says(pass, "class "+dir, "empty.jsonl: no progress in it\n", filepath.Join("dan", "progress.jsonl")+": no progress")
	if strings.Contains(text, "left.jsonl") {
		t.Errorf("test data is no progress:\n%s", text)
	}
	d.says(pass, "class --lang zh "+dir, "empty.jsonl：里面没有进度\n")
	d.says(pass, "class --json "+dir)
	if !json.Valid(d.out.Bytes()) || !strings.Contains(d.err.String(), "empty.jsonl") {
		t.Errorf("with --json it says\n%s%s", d.out, d.err)
	}
	nobody := t.TempDir()
	learnerFile(t, filepath.Join(nobody, "dan.jsonl"))
	d.says(notYet, "class "+nobody, "dan.jsonl: no progress in it\n", "There is no progress file")
}

// A file that was written before both languages were in it.
func TestAMistakeThatWasNotedInEnglishOnlyIsTold(t *testing.T) {
	d := newDesk(t)
	dir := t.TempDir()
	for _, name := range []string{"ann", "bo"} {
		learnerFile(t, filepath.Join(dir, name+".jsonl"), "00/lost|not yet|the line is missing.")
	}
	d.says(pass, "class --lang zh "+dir, "00/lost：2 人：the line is missing.")
}

func TestAClassIsNoWiderThanTheScreen(t *testing.T) {
	t.Setenv("COLUMNS", "60")
	d := newDesk(t)
	dir := room(t)
	for _, lang := range []string{"en", "zh"} {
		text := d.says(pass, "class "+dir+" --lang "+lang, "…")
		for line := range strings.Lines(text) {
			if columns(strings.TrimRight(line, "\n")) > 60 {
				t.Errorf("%d columns: %s", columns(line), line)
			}
		}
	}
}

var (
	headMinutes = regexp.MustCompile(`(?m)^# .*[(（](two sessions of |两节课，各 )?([0-9]+) `)
	rowMinutes  = regexp.MustCompile(`(?m)^\| ([0-9]+) \|`)
	commandIn   = regexp.MustCompile("`go tool book ([^`]+)`")
)

func TestEveryChapterCanBeTaughtInBothLanguages(t *testing.T) {
	module := findModule(".")
	for _, lang := range []string{"en", "zh"} {
		b := &book{module: module, text: texts[lang], err: os.Stderr, screen: screen{wide: usualWidth}}
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
			head := headMinutes.FindStringSubmatch(string(notes))
			if head != nil && head[1] != "" {
				minutes /= 2 // each has its own
			}
			if head == nil || head[2] != strconv.Itoa(minutes) {
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
	if _, err := b.chapter(words[1]); err == nil || words[0] == "class" || words[0] == "lab" {
		return
	}
	if _, _, err := b.findMutant(words[1]); err != nil {
		t.Errorf("%s: %s: %v", chapter, line, err)
	}
}

func TestTeachTellsTheFirstMistakesAndCountsTheRest(t *testing.T) {
	d := newDesk(t)
	text := d.says(pass, "teach 04", "- 04/who-listens: ", "more: go tool book teach 04 --all")
	if n := strings.Count(text, "- 04/who-listens: "); n != fewMistakes+1 {
		t.Errorf("%d lines of one exercise:\n%s", n, text)
	}
	d.says(pass, "teach 04 --lang zh", "条：go tool book teach 04 --all")
	all := d.says(pass, "teach 04 --all")
	if n := strings.Count(all, "- 04/who-listens: "); n < 10 || strings.Contains(all, "--all") {
		t.Errorf("%d of one exercise with --all", n)
	}
	var l lesson
	if err := json.Unmarshal([]byte(d.says(pass, "teach 05 --json")), &l); err != nil {
		t.Fatal(err)
	}
	told := map[commonMistake]bool{}
	for _, m := range l.Mistakes {
		if told[m] {
			t.Errorf("told twice: %+v", m)
		}
		told[m] = true
	}
}
