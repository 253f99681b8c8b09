package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"envoywalk/scripts/book/exercise"
)

// desk is a learner's: a checkout of their own, and what the book says there.
type desk struct {
	t        *testing.T
	book     *book
	out, err *bytes.Buffer
}

// copied is one copy of what exercises are made of, for all tests: what is built in it is built once.
var copied = sync.OnceValues(func() (root string, err error) {
	if root, err = deskDir(); err != nil {
		return "", err
	}
	module := findModule(".")
	for _, part := range []string{"chapters", "internal", "trace"} {
		err = errors.Join(err, copyTree(filepath.Join(module, part), filepath.Join(root, part)))
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		err = errors.Join(err, copyFile(filepath.Join(module, file), filepath.Join(root, file)))
	}
	return root, err
})

// deskIsOurs is a name that only one process has; the kernel takes it back however the process ends.
var deskIsOurs net.Listener

// deskDir is the same folder in every run, because go builds again what stands elsewhere, and keeps it. Who
// comes while somebody works there gets another one.
func deskDir() (string, error) {
	if runtime.GOOS == "linux" {
		deskIsOurs, _ = net.Listen("unix", "@envoywalk-desk")
	}
	if dir := filepath.Join(os.TempDir(), "envoywalk-desk"); deskIsOurs != nil {
		os.RemoveAll(dir) // a run that was killed may have left it
		if os.Mkdir(dir, 0o700) == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp("", "desk")
}

func TestMain(m *testing.M) {
	code := m.Run()
	if root, err := copied(); err == nil {
		os.RemoveAll(root)
	}
	os.Exit(code)
}

// newDesk is a desk on which nothing has been done yet.
func newDesk(t *testing.T) *desk {
	t.Helper()
	root, err := copied()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	d.book = &book{module: root, in: strings.NewReader(""), out: d.out, err: d.err, text: &english}
	all, err := exercise.All(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if err := copyFile(e.AnswerFile(root, exercise.Starter), e.AnswerFile(root, "")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(root, ".envoywalk")); err != nil {
		t.Fatal(err)
	}
	return d
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		below, _ := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, below), 0o755)
		case strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return copyFile(path, filepath.Join(to, below))
	})
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// says runs a command and wants its exit code and parts of what it says.
func (d *desk) says(code int, command string, parts ...string) string {
	d.t.Helper()
	d.out.Reset()
	d.err.Reset()
	args := strings.Fields(command)
	if !slices.Contains(args, "--lang") {
		args = append(args, "--lang", "en")
	}
	got := d.book.invoke(args)
	text := d.out.String() + d.err.String()
	if got != code {
		d.t.Errorf("%s: exit %d, not %d\n%s", command, got, code, text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			d.t.Errorf("%s does not say %q:\n%s", command, part, text)
		}
	}
	return text
}

func (d *desk) exercise(id string) *exercise.Exercise {
	d.t.Helper()
	e, err := d.book.find(id)
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

// answers puts a variant of the answer where the learner's is.
func (d *desk) answers(id, variant string) {
	d.t.Helper()
	e := d.exercise(id)
	if err := copyFile(e.AnswerFile(d.book.module, variant), e.AnswerFile(d.book.module, "")); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) answer(id string) string {
	d.t.Helper()
	text, err := os.ReadFile(d.exercise(id).AnswerFile(d.book.module, ""))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// verdicts are those that the progress file holds.
func (d *desk) verdicts() (all []string) {
	for _, a := range attempts(d.book.progressFile()) {
		all = append(all, a.Verdict)
	}
	return all
}

func (d *desk) passes(ids ...string) {
	for _, id := range ids {
		d.book.note(attempt{Exercise: id, Verdict: verdictPass})
	}
}

func TestNextIsTheFirstThatIsNotPassed(t *testing.T) {
	d := newDesk(t)
	all, err := exercise.All(d.book.module)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range all {
		d.says(pass, "next", e.ID, e.Title.En, "task.md", e.Answer, "go tool book check "+e.ID)
		var n upNext
		text := d.says(pass, "next --json")
		if err := json.Unmarshal([]byte(text), &n); err != nil || n.Exercise != e.ID || n.Minutes != e.Minutes {
			t.Errorf("%v: %s", err, text)
		}
		if i == 0 {
			d.says(pass, "next --lang zh", e.Title.Zh, "task.zh.md")
		}
		d.passes(e.ID)
	}
	d.says(pass, "next", "exercises pass")
}

func TestNextShowsWhatIsNamedOrStoodIn(t *testing.T) {
	d := newDesk(t)
	d.passes("05/half-close")
	d.says(pass, "next 05/half-close", "05/half-close   ", "go tool book check 05/half-close")
	d.says(pass, "next half-close --json", `"exercise": "05/half-close"`)
	d.says(couldNotLook, "next 05/halfclose", "Did you mean 05/half-close?")
	d.says(couldNotLook, "next 05/half-close more", "go tool book next [NN/name]")
	t.Chdir(filepath.Join(d.book.module, "chapters/03-bind/exercises/reuseport/solution"))
	d.says(pass, "next", "03/reuseport   ")
	d.passes("03/reuseport")
	if text := d.says(pass, "next", "go tool book check "); strings.Contains(text, "03/reuseport") {
		t.Errorf("what is passed is next:\n%s", text)
	}
}

func TestAnAnswerThatIsGoneIsPutBackWithoutABackup(t *testing.T) {
	d := newDesk(t)
	starter, e := d.answer("reuseport"), d.exercise("reuseport")
	for lang, says := range map[string]string{"en": "The starter is back.\n", "zh": "起始文件已放回。\n"} {
		if err := os.Remove(e.AnswerFile(d.book.module, "")); err != nil {
			t.Fatal(err)
		}
		if text := d.says(pass, "reset 03/reuseport --lang "+lang); text != says {
			t.Errorf("it says %q", text)
		}
		if d.answer("reuseport") != starter {
			t.Error("the starter is not back")
		}
	}
	if kept, _ := filepath.Glob(filepath.Join(d.book.keptIn(e), "*-reuseport.go")); kept != nil {
		t.Errorf("what was not there is kept as %v", kept)
	}
	if got := d.verdicts(); !slices.Equal(got, []string{verdictReset, verdictReset}) {
		t.Errorf("noted are %v", got)
	}
}

func TestAHintIsOneMoreEachTimeAndThreeAtMost(t *testing.T) {
	d := newDesk(t)
	hints := d.exercise("reuseport").Hints
	first, last := hints[0].En[:20], hints[2].En[:20]
	if text := d.says(pass, "hint 03/reuseport", "hint 1 of 3", first); strings.Contains(text, last) {
		t.Errorf("the last hint came first: %s", text)
	}
	d.says(pass, "hint reuseport", "hint 1 of 3", "hint 2 of 3", first)
	d.says(pass, "hint reuseport", "hint 3 of 3", last, "--give-up")
	d.says(pass, "hint reuseport", "hint 3 of 3", last, "--give-up")
	if got := d.verdicts(); len(got) != mostHints || d.book.standingOf(d.exercise("reuseport")).Tries != 0 {
		t.Errorf("%v: three hints are noted, and are no tries", got)
	}
	d.says(pass, "progress", "hints: 3")
}

func TestTheSolutionIsShownAfterAPassOrToWhoGivesUp(t *testing.T) {
	d := newDesk(t)
	line := "+ \t\terrno := kernel.SetsockoptInt"
	if text := d.says(notYet, "solution 03/reuseport", "--give-up"); strings.Contains(text, "SetsockoptInt") {
		t.Errorf("it was shown before a pass: %s", text)
	}
	d.says(pass, "solution 03/reuseport --give-up", line, "- is yours, + is the solution's")
	d.says(pass, "progress", "given up")
	if got := d.verdicts(); !slices.Equal(got, []string{verdictSolution}) {
		t.Errorf("%v: giving up is noted once", got)
	}
	d.passes("04/deaf")
	d.says(pass, "solution 04/deaf", "- is the chapter, + is the mutant")
	d.answers("reuseport", exercise.Solution)
	d.says(pass, "solution 03/reuseport --give-up", "letter by letter")
}

func TestResetAsksAndKeepsWhatWasThere(t *testing.T) {
	d := newDesk(t)
	starter := d.answer("reuseport")
	d.answers("reuseport", "wrong/late")
	mine := d.answer("reuseport")
	for _, said := range []string{"", "n\n", "nonsense\n"} {
		d.book.in = strings.NewReader(said)
		d.says(notYet, "reset 03/reuseport", "Nothing was changed.")
	}
	if d.answer("reuseport") != mine {
		t.Fatal("it was reset without a yes")
	}
	d.passes("03/reuseport")
	d.book.in = strings.NewReader("y\n")
	d.says(pass, "reset 03/reuseport", "The starter is back")
	if d.answer("reuseport") != starter {
		t.Error("the starter is not back")
	}
	kept, _ := filepath.Glob(filepath.Join(d.book.keptIn(d.exercise("reuseport")), "*-reuseport.go"))
	if len(kept) != 1 {
		t.Fatalf("kept are %v", kept)
	}
	if text, _ := os.ReadFile(kept[0]); string(text) != mine {
		t.Errorf("kept is %s", text)
	}
	if s := d.book.standingOf(d.exercise("reuseport")); s.State != stateOpen {
		t.Errorf("after a reset it is %s", s.State)
	}
	d.says(pass, "progress", "passed once, reset since", "1 of ")
	d.says(pass, "progress --lang zh", "通过过一次")
	d.says(pass, "reset 03/reuseport --yes", "is the starter already")
}

func TestAnExerciseIsNamedOrStoodIn(t *testing.T) {
	d := newDesk(t)
	d.says(couldNotLook, "hint", "Which exercise?", "03/reuseport")
	d.says(couldNotLook, "diff", "diff takes two saved traces, not 0.")
	d.says(couldNotLook, "hint 03/reusport", "There is no exercise", "Did you mean 03/reuseport?")
	t.Chdir(filepath.Join(d.book.module, "chapters/03-bind/exercises/reuseport/solution"))
	d.says(pass, "hint", "hint 1 of 3")
	d.says(notYet, "solution", "03/reuseport")
	d.book.goos = "linux" // nothing is run
	d.says(couldNotLook, "diff", "No trace of yours is kept for 03/reuseport")
	t.Chdir(filepath.Join(d.book.module, "chapters/03-bind"))
	meant, err := d.book.several("")
	if err != nil || len(meant) < 2 || meant[0].Chapter != "03-bind" {
		t.Errorf("in a chapter's folder its exercises are meant, not %v, %v", meant, err)
	}
	d.says(pass, "teach", "Teaching 03")
}

func TestDoctorWritesChineseColons(t *testing.T) {
	d := newDesk(t)
	if code := d.book.invoke([]string{"doctor", "--lang", "zh"}); code == ourFault {
		t.Fatal(d.err)
	}
	for _, what := range []string{chinese.doctorGo, chinese.doctorSystem, chinese.doctorWitness, chinese.doctorModule} {
		if !strings.Contains(d.out.String(), what+"：") {
			t.Errorf("no %s： in\n%s", what, d.out)
		}
	}
}
