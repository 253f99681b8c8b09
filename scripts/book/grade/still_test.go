package grade

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"envoywalk/scripts/book/exercise"
)

// with is the run of an exercise's solution in which something else stands in the place of a piece of text.
func with(t *testing.T, id, old, new string, tell func(exercise.Words)) *Report {
	t.Helper()
	all, err := exercise.All(root(t))
	if err != nil {
		t.Fatal(err)
	}
	e := all[slices.IndexFunc(all, func(e *exercise.Exercise) bool { return e.ID == id })]
	text, err := os.ReadFile(e.AnswerFile(root(t), exercise.Solution))
	if err != nil || strings.Count(string(text), old) != 1 {
		t.Fatalf("%q is not once in the solution of %s: %v", old, id, err)
	}
	answer, changed := filepath.Join(t.TempDir(), e.Answer), strings.Replace(string(text), old, new, 1)
	if strings.Contains(new, "os.") {
		changed = strings.Replace(changed, "import (", "import (\n\t\"os\"", 1)
	}
	if err := os.WriteFile(answer, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &Grader{Root: root(t), Dir: t.TempDir(), Patience: 5 * time.Second, Waiting: tell}
	s, err := g.scene(e)
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{e.AnswerFile(g.Root, ""): answer}
	if s.program, err = g.build(t.Context(), e.Program, replace); err != nil {
		t.Fatal(err)
	}
	if err := s.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.report(answer)
}

func TestAProgramThatStandsStillIsToldSoAndWhere(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ id, old, new, where, likely string }{
		{"00/coalesce", "if b.rung.", "for {\n\t}\n\tif b.rung.",
			"it did not end when it was asked to", "A Ring does not return."}, // Go may not see where it spins
		{"00/coalesce", "if b.rung.", "select {}\n\tif b.rung.", "It stood at bell.go:38", "A Ring does not return."},
		{"01/last-words", "s.Write(", "select {}\n\t\ts.Write(", "It stood at lastwords.go:14", standsStill.En},
	} {
		r := with(t, x.id, x.old, x.new, nil)
		note := r.Notes[len(r.Notes)-1].En
		if !strings.Contains(r.Likely.En, x.likely) || !strings.Contains(note, x.where) {
			t.Errorf("%s: %q, %q", x.new, r.Likely.En, r.Notes)
		}
		for _, result := range r.Results {
			if result.Verdict == DoesNotTell {
				t.Errorf("%s: its spans died with it, and it is told as one that does not tell: %+v", x.new, result)
			}
		}
		waits := slices.DeleteFunc(slices.Clone(r.Notes), func(w exercise.Words) bool {
			return !strings.HasPrefix(w.En, "waited in vain")
		})
		if len(waits) > 1 {
			t.Errorf("%s: after the first wait there were others: %q", x.new, waits)
		}
	}
}

func TestWhoWaitsIsToldWhatFor(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	with(t, "00/coalesce", "if b.rung.", "select {}\n\tif b.rung.", func(w exercise.Words) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, w.En)
	})
	want := []string{"write(<stage>, ...)", "", theEnd.En, ""}
	if last := told[max(0, len(told)-len(want)):]; !slices.Equal(last, want) { // on a busy machine it begins slowly
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestAProgramThatEndsBeforeItsTimeIsToldSo(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ old, new string }{
		{"s.Write(", "os.Exit(0)\n\t\ts.Write("},
		{"// Register lets", "func init() { os.Exit(0) }\n\n// Register lets"},
	} {
		r := with(t, "01/last-words", x.old, x.new, nil)
		if r.Likely != endedItself(0) {
			t.Errorf("%s: %q, %q", x.new, r.Likely.En, r.Notes)
		}
	}
}

// Where the spans may have died with the program, what is not told is not held against it.
func TestADeadProgramIsNotToldThatItDoesNotTell(t *testing.T) {
	check := &exercise.Check{Kernel: &exercise.Kernel{}, Span: &exercise.Spans{Kind: "x"}}
	for _, x := range []struct {
		exit     int
		cutShort bool
		want     Verdict
	}{{0, false, DoesNotTell}, {-1, false, NotYet}, {0, true, NotYet}} {
		s := &scene{exit: x.exit, cutShort: x.cutShort, said: map[*exercise.Check]Answer{
			check: {Asked: true, Could: true, Holds: true}}}
		if r := s.judge(check); r.Verdict != x.want {
			t.Errorf("%+v: the verdict is %d", x, r.Verdict)
		}
	}
}
