package exercise

import (
	"slices"
	"strings"
	"testing"
)

// Each text of a real exercise is taken away, one at a time.
func TestAnExerciseSpeaksBothLanguages(t *testing.T) {
	all, err := All("../../..")
	if err != nil {
		t.Fatal(err)
	}
	e := all[slices.IndexFunc(all, func(e *Exercise) bool { return e.Kind == Predict })]
	check := &e.Checks[0]
	for name, text := range map[string]*string{
		"title": &e.Title.Zh, "hint": &e.Hints[2].Zh, "looks_like": &e.LooksLike[0].Say.En,
		"says": &check.Says.Zh, "ask": &check.Ask.Zh,
	} {
		was := *text
		*text = ""
		if err := e.complete(); err == nil || !strings.Contains(err.Error(), "both languages") {
			t.Errorf("%s is missing in one language: %v", name, err)
		}
		*text = was
	}
	if err := e.complete(); err != nil {
		t.Errorf("the exercise as it is: %v", err)
	}
}
