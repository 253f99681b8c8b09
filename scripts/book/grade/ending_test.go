package grade

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		waited []string
		want   bool
	}{
		{exercise.Experiment, 1, []string{"workers"}, true}, {exercise.Experiment, 0, []string{"workers"}, false},
		{exercise.Experiment, 1, nil, false}, {exercise.Write, 1, []string{"workers"}, false},
	} {
		s := &scene{exercise: &exercise.Exercise{Kind: x.kind}, exit: x.exit, waited: x.waited}
		if got := s.refused(); got != x.want {
			t.Errorf("%+v: %t", x, got)
		}
	}
}

func TestACheckThatPanicsRejectsNothing(t *testing.T) {
	judge := filepath.Join(t.TempDir(), "judge")
	for script, want := range map[string]string{
		"echo 'panic: nil map'; echo 'goroutine 1'; exit 2": "does not come to an end: panic: nil map",
		"echo 'bound twice'; exit 1":                        "rejects it: bound twice",
		"exit 0":                                            "accepts it",
	} {
		if err := os.WriteFile(judge, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		seen := &Report{Results: []Result{{Check: &exercise.Check{}, Verdict: NotYet}}}
		r, err := opinion(t.Context(), judge, seen, "a")
		if err != nil || r.Answered != want || (r.Verdict == Pass) != strings.HasPrefix(want, "rejects") {
			t.Errorf("%s: %+v, %v", script, r, err)
		}
	}
}
