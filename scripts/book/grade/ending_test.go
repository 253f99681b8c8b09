package grade

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"envoywalk/scripts/book/exercise"
)

func TestAComplaintIsToldWithItsPlaceAndHint(t *testing.T) {
	for text, want := range map[string]string{
		"log\nerror: no key\n  at envoy.yaml:9:1\n":                   "error: no key; at envoy.yaml:9:1",
		"error: b\n  at x\n  hint: c\ntrace: wrote 20 spans, 32 kB\n": "error: b; at x; hint: c",
		"a\nb\n": "b", "": "", "  only": "only",
	} {
		if got := complaint(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAConfigurationThatIsRefusedIsNotGuessedAbout(t *testing.T) {
	for _, x := range []struct {
		kind   exercise.Kind
		exit   int
		waited []exercise.Words
		want   bool
	}{
		{exercise.Experiment, 1, []exercise.Words{same("workers")}, true}, {exercise.Experiment, 0, []exercise.Words{same("workers")}, false},
		{exercise.Experiment, 1, nil, false}, {exercise.Write, 1, []exercise.Words{same("workers")}, false},
	} {
		s := &scene{exercise: &exercise.Exercise{Kind: x.kind}, exit: x.exit, waited: x.waited}
		if got := s.refused(); got != x.want {
			t.Errorf("%+v: %t", x, got)
		}
	}
}

func TestACheckThatPanicsRejectsNothing(t *testing.T) {
	e := &exercise.Exercise{Dir: "chapters/03-bind/exercises/x", Answer: "check.go"}
	judge := filepath.Join(t.TempDir(), "judge")
	for script, want := range map[string]string{
		"echo 'panic: nil map'; echo 'goroutine 1'; exit 2": "does not come to an end: panic: nil map",
		"echo mine; echo 'panic: nil map'; echo '  /a/trace/x.go:7 +0x1'; " +
			"echo '  /a/chapters/03-bind/exercises/x/check.go:15 +0x2'; exit 2": "does not come to an end: " +
			"panic: nil map  (check.go:15)",
		"echo 'bound twice'; exit 1": "rejects it: bound twice",
		"exit 0":                     "accepts it",
	} {
		if err := os.WriteFile(judge, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		seen := &Report{Exercise: e, Results: []Result{{Check: &exercise.Check{}, Verdict: NotYet}}}
		r, spoke, err := opinion(t.Context(), judge, seen, "a")
		if spoke == strings.HasPrefix(want, "does") {
			t.Errorf("%s: it has spoken: %t", script, spoke)
		}
		if err != nil || r.Answered.En != want || (r.Verdict == Pass) != strings.HasPrefix(want, "rejects") {
			t.Errorf("%s: %+v, %v", script, r, err)
		}
	}
}

func TestAPanicIsToldWithTheLearnersOwnLine(t *testing.T) {
	s := &scene{exercise: &exercise.Exercise{Kind: exercise.Write, Dir: "chapters/03-bind/exercises/reuseport",
		Answer: "reuseport.go", Checks: []exercise.Check{{Name: "a", Kernel: &exercise.Kernel{}, Span: &exercise.Spans{}}},
		LooksLike: []exercise.Likely{{Say: same("a guess")}}}, exit: 2}
	io.WriteString(&s.stderr, `[info] starting
panic: assignment to entry in nil map

goroutine 1 [running, locked to thread]:
envoywalk/chapters/03-bind/exercises/reuseport.set(...)
	/home/me/envoywalk/chapters/03-bind/exercises/reuseport/reuseport.go:9
envoywalk/chapters/03-bind/exercises/reuseport.Fill.func1(0x1)
	/home/me/envoywalk/chapters/03-bind/exercises/reuseport/reuseport.go:15 +0x7c
main.main()
	/home/me/envoywalk/chapters/03-bind/exercises/reuseport/run/main.go:14 +0xa7
`)
	r := s.report("")
	want := "panic: assignment to entry in nil map  (reuseport.go:9)"
	if len(r.Notes) != 1 || !strings.HasSuffix(r.Notes[0].En, want) || !strings.HasSuffix(r.Notes[0].Zh, want) {
		t.Errorf("the note is %+v, want %q", r.Notes, want)
	}
	if r.Likely != gaveUp {
		t.Errorf("a panic is told as %q", r.Likely.En)
	}
}

// A check without an end must not stop the grading for ever.
func TestACheckThatNeverEndsIsStopped(t *testing.T) {
	judge := filepath.Join(t.TempDir(), "judge")
	if err := os.WriteFile(judge, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, _, says, err := ask(t.Context(), judge, 100*time.Millisecond, &Report{})
	if err != nil || says.En != "does not come to an end: after 100ms it was stopped" {
		t.Errorf("%q, %v", says.En, err)
	}
}
