package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// written, asked and hunted are exercises whose programs are small: what is tried here is the book.
const (
	written = "00/coalesce"
	asked   = "00/wakes"
	hunted  = "00/lost"
)

func TestCheckTellsTheOneBrokenExpectationAndThenPasses(t *testing.T) {
	d := newDesk(t)
	e := d.exercise(written)
	known := e.Wrong[0]
	d.answers(written, "wrong/"+known.Name)
	text := d.says(notYet, "check "+written, written+"   try 1   ", "  NO  ", "kernel says  ", "span says    ", "Looks like: ",
		e.Read[0].En, minePage, "go tool book hint "+written)
	if strings.Contains(text, "\x1b") {
		t.Error("there is colour where no terminal is")
	}
	d.says(notYet, "diff "+written, " the same, ")
	d.answers(written, exercise.Solution)
	d.says(pass, "check "+written, "try 2   ", "hold, by both witnesses.", "go tool book next")
	tried := attempts(d.book.progressFile())
	if len(tried) != 2 || tried[0].Broken != known.Fails || !strings.Contains(tried[0].Mistake, known.Told) ||
		!strings.ContainsFunc(tried[0].MistakeZh, isHan) ||
		tried[1].Verdict != verdictPass || tried[1].Passed != len(e.Checks) {
		t.Errorf("noted is %+v", tried)
	}
	d.answers(written, "wrong/"+known.Name)
	var again []outcome
	if err := json.Unmarshal([]byte(d.says(notYet, "check --all --json")), &again); err != nil ||
		len(again) != 1 || again[0].Verdict != verdictNotYet || again[0].Broken != known.Fails {
		t.Errorf("%v: all that was passed is proved again, and this does not hold any more: %+v", err, again)
	}
}

func TestCheckAllWithoutAPassHasNothingToProve(t *testing.T) {
	newDesk(t).says(couldNotLook, "check --all", "nothing to prove again")
}

func TestABuildErrorIsTheCompilersFirstLines(t *testing.T) {
	d := newDesk(t)
	path := d.exercise(written).AnswerFile(d.book.module, "")
	if err := os.WriteFile(path, []byte("package coalesce\n\nfunc New() { nonsense() }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	text := d.says(notYet, "check "+written, "It does not build yet", "bell.go:3:14: undefined: nonsense")
	if strings.Contains(text, "\n# ") || strings.Contains(text, "    # ") {
		t.Errorf("the compiler's headings tell nothing: %s", text)
	}
	long := (&book{text: &english}).compilers("# a/b\n" + strings.Repeat("x.go:1: no\n", 20))
	if lines := linesOf(long); len(lines) != mostCompilerLines+1 || lines[mostCompilerLines] != "    ... and 14 more lines" {
		t.Errorf("a long list is %q", lines)
	}
}

func TestWhereTheKernelMayNotBeAskedNothingPassesAndNothingFails(t *testing.T) {
	d := newDesk(t)
	d.answers(written, exercise.Solution)
	d.book.witness = func(int) (*witness.Process, error) {
		return nil, fmt.Errorf("%w: pidfd_open: operation not permitted", witness.ErrCannotLook)
	}
	d.says(couldNotLook, "check "+written, "??", "could not look: pidfd_open: operation not permitted", "counts as nothing",
		"--cap-add SYS_PTRACE")
	if got := d.verdicts(); !slices.Equal(got, []string{verdictBlind}) {
		t.Errorf("noted are %v", got)
	}
	d.says(couldNotLook, "doctor", "--  a child's sockets")
}

func TestElsewhereThanOnLinuxGradingSaysSoAndReadingWorks(t *testing.T) {
	d := newDesk(t)
	d.book.goos = "darwin"
	for _, command := range []string{"check reuseport", "check --all", "watch reuseport", "diff reuseport",
		"run 04/deaf/a"} {
		d.says(couldNotLook, command, "the chapters are for Linux, not darwin")
	}
	d.says(pass, "read 03 setupSocket", "func setupSocket")
	d.says(pass, "hint reuseport", "hint 1 of 3")
	d.says(pass, "next", "about")
	d.says(pass, "teach 03", "Demo")
	if len(d.verdicts()) != 1 {
		t.Errorf("%v: a check that could not be made is no try", d.verdicts())
	}
}

func TestPredictAsksOneByOneThenGradesAndGivesNothingAway(t *testing.T) {
	d := newDesk(t)
	e := d.exercise(asked)
	said := d.says(couldNotLook, "predict "+asked, e.Checks[0].Ask.En[:20], "no terminal", "answers.yaml", "go tool book check")
	if !strings.HasPrefix(d.err.String(), "Nobody is asked") || strings.Contains(d.out.String(), "no terminal") {
		t.Errorf("the refusal does not come first: %s", said)
	}
	d.book.interactive = true
	d.book.in = strings.NewReader("")
	before := d.answer(e.ID)
	d.says(notYet, "predict "+asked, "Nothing was changed.")
	if d.answer(e.ID) != before {
		t.Error("who goes away has answered nothing")
	}
	d.book.in = strings.NewReader("３\n")
	d.says(notYet, "predict "+asked, "What you have answered is in ", "the rest: go tool book predict "+asked)
	if !strings.Contains(d.answer(e.ID), e.Checks[0].Name+": 3") {
		t.Errorf("what was answered is not kept:\n%s", d.answer(e.ID))
	}
	d.book.in = strings.NewReader("nonsense\n" + guesses(e))
	text := d.says(notYet, "predict "+asked, "a number, please", "Now it runs.", "you say  997", "A run shows something else.")
	if strings.Contains(text, "kernel says") || strings.Contains(text, minePage) {
		t.Errorf("the truth was given away:\n%s", text)
	}
	var o outcome
	if err := json.Unmarshal([]byte(d.says(notYet, "check --json "+asked)), &o); err != nil {
		t.Fatal(err)
	}
	for _, c := range o.Checks {
		if c.Verdict != "pass" && (c.Kernel != nil || c.Span != nil) {
			t.Errorf("--json gives %s away: %+v", c.Name, c)
		}
	}
	if _, err := os.Stat(filepath.Join(d.book.keptIn(e), minePage)); err == nil {
		t.Error("a page of the run gives all answers away")
	}
	d.answers(e.ID, exercise.Solution)
	solution := d.answer(e.ID)
	d.book.in = strings.NewReader(strings.Repeat("\n", len(e.Checks)))
	d.says(pass, "predict "+asked, "hold, by both witnesses", minePage)
	if d.answer(e.ID) != solution {
		t.Errorf("what was kept has changed:\n%s", d.answer(e.ID))
	}
}

// guesses answer every question, and wrongly where that is a number.
func guesses(e *exercise.Exercise) (lines string) {
	for i := range e.Checks {
		if e.Checks[i].YesNo {
			lines += "y\n"
			continue
		}
		lines += "997\n"
	}
	return lines
}

// typed is what a terminal shows, to be waited on.
type typed struct {
	mu   sync.Mutex
	text string
	more chan struct{}
}

func (o *typed) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text += string(p)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (o *typed) wait(t *testing.T, part string) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		o.mu.Lock()
		text := o.text
		o.mu.Unlock()
		if strings.Contains(text, part) {
			return
		}
		select {
		case <-o.more:
		case <-deadline:
			t.Fatalf("%q never came:\n%s", part, text)
		}
	}
}

func TestWatchGradesAtEverySaveUntilItPasses(t *testing.T) {
	d := newDesk(t)
	e := d.exercise(written)
	shown := &typed{more: make(chan struct{}, 1)}
	d.book.out, d.book.err, d.book.screen = shown, io.Discard, screen{wide: usualWidth}
	ended := make(chan int)
	go func() { ended <- d.book.watchUntil(t.Context(), e) }()
	shown.wait(t, "try 1   ")
	shown.wait(t, "go tool book hint")
	path := e.AnswerFile(d.book.module, "")
	os.Remove(path) // as some editors save
	d.answers(written, "wrong/"+e.Wrong[0].Name)
	shown.wait(t, "saved at")
	shown.wait(t, "try 2   ")
	d.answers(written, exercise.Solution)
	shown.wait(t, "so the watch ends")
	if code := <-ended; code != pass {
		t.Errorf("exit %d after a pass", code)
	}
	if got := d.verdicts(); !slices.Equal(got, []string{verdictNotYet, verdictNotYet, verdictPass}) {
		t.Errorf("each save is one try: %v", got)
	}
}

func TestCtrlCEndsAWatchAndTheGradingInIt(t *testing.T) {
	d := newDesk(t)
	e := d.exercise(written)
	for _, when := range []string{"Watching", "go tool book hint"} {
		shown := &typed{more: make(chan struct{}, 1)}
		d.book.out, d.book.err, d.book.screen = shown, io.Discard, screen{wide: usualWidth}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan int)
		go func() { ended <- d.book.watchUntil(ctx, e) }()
		shown.wait(t, when)
		stop()
		if code := <-ended; code != notYet {
			t.Errorf("%s: exit %d", when, code)
		}
	}
	if got := d.verdicts(); len(got) > 2 || slices.Contains(got, verdictNoBuild) {
		t.Errorf("what was stopped is no try: %v", got)
	}
}

func TestAMutantOfAHuntCanBeRunAndCompared(t *testing.T) {
	d := newDesk(t)
	names := mutantNames(d.exercise(hunted))
	first := hunted + "/" + names[0]
	d.says(couldNotLook, "run "+hunted, "Which one? "+hunted+" has "+strings.Join(names, ", "), "go tool book run "+first)
	d.says(couldNotLook, "run "+hunted+"/zz", "no mutant")
	d.says(couldNotLook, "diff "+hunted, "Which one?")
	d.says(notYet, "diff "+first, " the same, ")
	// It ran, and with these flags; what it does otherwise may be never to end.
	d.says(notYet, "run --lang en "+first+" -- --nonsense", "nonsense")
	t.Chdir(filepath.Join(d.book.module, d.exercise(hunted).Dir))
	d.says(notYet, "diff "+names[0], " the same, ", "Not compared: times, turns of the loops")
}

func TestAMutantGetsTheExercisesConfigurationUnlessToldOtherwise(t *testing.T) {
	d := newDesk(t)
	for _, id := range []string{"04/deaf", "04/even"} {
		args, err := usualArgs(d.book.grader(t.TempDir()), d.exercise(id))
		at := slices.Index(args, "-c")
		if err != nil || at < 0 || !slices.Equal(args[:2], []string{"--trace", "tree"}) {
			t.Fatalf("%s gets %q, %v", id, args, err)
		}
		if text, err := os.ReadFile(args[at+1]); err != nil || !strings.Contains(string(text), "static_resources") {
			t.Errorf("its configuration is %s, %v", text, err)
		}
	}
}

// breaks puts other text in the place of some of an exercise.yaml, until the test ends.
func (d *desk) breaks(id, old, new string) {
	d.t.Helper()
	path := filepath.Join(d.book.module, filepath.FromSlash(d.exercise(id).Dir), "exercise.yaml")
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		d.t.Fatalf("%v: no %q in %s", err, old, path)
	}
	d.t.Cleanup(func() {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			d.t.Error(err)
		}
	})
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func TestABrokenExerciseIsToldAndStopsNoOther(t *testing.T) {
	d := newDesk(t)
	d.breaks("03/reuseport", "\nminutes:", "\nminuets:")
	const place = "chapters/03-bind/exercises/reuseport/exercise.yaml:"
	for _, command := range []string{"next", "progress", "hint 04/even", "teach 03", "class " + room(t)} {
		text := d.says(pass, command, "This is our fault: "+place, "there is no field called minuets")
		if strings.Count(text, place) != 1 {
			t.Errorf("%s tells it more than once:\n%s", command, text)
		}
	}
	d.says(ourFault, "check 03/reuseport", place, "03/reuseport cannot be used before that is mended")
	d.says(ourFault, "hint reuseport --lang zh", place, "这里修好之前，03/reuseport 没法用")
	d.passes("03/reuseport")
	d.says(ourFault, "check --all", place)
	other := d.exercise("03/before-bind").AnswerFile(d.book.module, "")
	if err := os.WriteFile(other, []byte("nonsense"), 0o644); err != nil { // so that nothing is run
		t.Fatal(err)
	}
	d.says(ourFault, "check 03", place, "It does not build yet")
	t.Chdir(filepath.Join(d.book.module, "chapters/03-bind/exercises/reuseport"))
	d.says(ourFault, "check", place)
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }
