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

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

func TestCheckTellsTheOneBrokenExpectationAndThenPasses(t *testing.T) {
	d := newDesk(t)
	d.answers("reuseport", "wrong/late")
	text := d.says(notYet, "check 03/reuseport", "try 1   3 of 4", "4  NO  it was set before bind", "kernel says  1",
		"Looks like: the option was set, but after bind", "man 7 socket", "trace.html", "go tool book hint 03/reuseport")
	if strings.Contains(text, "\x1b") {
		t.Error("there is colour where no terminal is")
	}
	d.says(notYet, "diff 03/reuseport", "missing (-)")
	d.answers("reuseport", exercise.Solution)
	d.says(pass, "check 03/reuseport", "try 2   4 of 4", "All 4 hold, by both witnesses.", "go tool book next")
	if got := d.verdicts(); !slices.Equal(got, []string{verdictNotYet, verdictPass}) {
		t.Errorf("noted are %v", got)
	}
	d.answers("reuseport", "wrong/late")
	var again []outcome
	if err := json.Unmarshal([]byte(d.says(notYet, "check --all --json")), &again); err != nil ||
		len(again) != 1 || again[0].Verdict != verdictNotYet || again[0].Broken != "before-bind" {
		t.Errorf("%v: all that was passed is proved again, and this does not hold any more: %+v", err, again)
	}
}

func TestCheckAllWithoutAPassHasNothingToProve(t *testing.T) {
	newDesk(t).says(couldNotLook, "check --all", "nothing to prove again")
}

func TestABuildErrorIsTheCompilersFirstLines(t *testing.T) {
	d := newDesk(t)
	path := d.exercise("reuseport").AnswerFile(d.book.module, "")
	if err := os.WriteFile(path, []byte("package reuseport\n\nfunc Fill() { nonsense() }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	text := d.says(notYet, "check reuseport", "It does not build yet", "reuseport.go:3:15: undefined: nonsense")
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
	d.answers("reuseport", exercise.Solution)
	d.book.witness = func(int) (*witness.Process, error) {
		return nil, fmt.Errorf("%w: pidfd_open: operation not permitted", witness.ErrCannotLook)
	}
	d.says(couldNotLook, "check reuseport", "??", "could not look: pidfd_open: operation not permitted", "counts as nothing",
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
	e := d.exercise("04/who-listens")
	d.says(notYet, "predict 04/who-listens", e.Checks[0].Ask.En[:20], "no terminal")
	d.book.interactive = true
	d.book.in = strings.NewReader("")
	before := d.answer(e.ID)
	d.says(notYet, "predict 04/who-listens", "Nothing was changed.")
	if d.answer(e.ID) != before {
		t.Error("who goes away has answered nothing")
	}
	d.book.in = strings.NewReader("nonsense\n" + guesses(e))
	text := d.says(notYet, "predict 04/who-listens", "a number, please", "Now it runs.", "you say  997", "A run shows something else.")
	if strings.Contains(text, "kernel says") || strings.Contains(text, minePage) {
		t.Errorf("the truth was given away:\n%s", text)
	}
	var o outcome
	if err := json.Unmarshal([]byte(d.says(notYet, "check 04/who-listens --json")), &o); err != nil {
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
	d.says(pass, "predict 04/who-listens", "hold, by both witnesses", minePage)
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
	e := d.exercise("reuseport")
	shown := &typed{more: make(chan struct{}, 1)}
	d.book.out, d.book.err, d.book.screen = shown, io.Discard, screen{wide: usualWidth}
	ended := make(chan int)
	go func() { ended <- d.book.watchUntil(t.Context(), e) }()
	shown.wait(t, "try 1   2 of 4")
	shown.wait(t, "go tool book hint")
	path := e.AnswerFile(d.book.module, "")
	os.Remove(path) // as some editors save
	copyFile(t, e.AnswerFile(d.book.module, "wrong/late"), path)
	shown.wait(t, "saved at")
	shown.wait(t, "try 2   3 of 4")
	copyFile(t, e.AnswerFile(d.book.module, exercise.Solution), path)
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
	e := d.exercise("reuseport")
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
	d.says(couldNotLook, "run 04/deaf", "Which one? 04/deaf has a, b, c: go tool book run 04/deaf/a")
	d.says(couldNotLook, "run 04/deaf/zz", "no mutant")
	d.says(couldNotLook, "diff 04/deaf", "Which one?")
	config := filepath.Join(d.book.module, d.exercise("04/deaf").Dir, "envoy.yaml")
	d.says(pass, "run --lang en 04/deaf/a -- --mode validate -c "+config)
	d.says(notYet, "diff 04/deaf/a", "the same")
	args, err := usualArgs(d.book.grader(t.TempDir()), d.exercise("04/deaf"))
	if err != nil || !slices.Contains(args, "-c") || args[1] != "tree" {
		t.Errorf("without flags it gets %q, %v", args, err)
	}
}

func TestWhatIsBrokenAboutTheBookIsOurFault(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(d.book.module, d.exercise("reuseport").Dir, "exercise.yaml")
	if err := os.WriteFile(path, []byte("kind: nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"next", "check reuseport", "hint reuseport", "progress"} {
		d.says(ourFault, command, "This is our fault")
	}
}
