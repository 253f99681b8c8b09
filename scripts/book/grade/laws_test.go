package grade

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"envoywalk/scripts/book/exercise"
)

// times is how often each answer is graded: scripts/soak asks for 20.
func times() int {
	n, _ := strconv.Atoi(os.Getenv("ENVOYWALK_EXERCISES"))
	return max(1, n)
}

// Most of a grading is waiting for programs, so more of them are under way than there are processors.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "4")
	os.Exit(m.Run())
}

// underRace: these tests are, and so the solutions are too.
var underRace bool

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestEveryExerciseKeepsTheLaws(t *testing.T) {
	all, err := exercise.All(root(t))
	if err != nil {
		t.Fatal(err)
	}
	shared := &Programs{Root: root(t), Dir: t.TempDir()}
	for _, e := range all {
		t.Run(e.ID, func(t *testing.T) {
			t.Parallel()
			g := &Grader{Root: root(t), Dir: t.TempDir(), Shared: shared}
			wantEveryCheckToCatchSomebody(t, e)
			wantStarter(t, g, e)
			together(t, g, e)
			wantSolution(t, g, e)
			for _, w := range e.Wrong {
				wantWrong(t, g, e, w)
			}
		})
	}
}

// wantEveryCheckToCatchSomebody: a check at which no wrong answer fails shows nothing; and two mistakes that are
// told the same are one.
func wantEveryCheckToCatchSomebody(t *testing.T, e *exercise.Exercise) {
	caught, told := map[string]bool{}, map[string]string{}
	for _, w := range e.Wrong {
		caught[w.Fails] = true
		if other := told[w.Told]; other != "" || w.Told == "" {
			t.Errorf("wrong/%s and wrong/%s are told the same: %q", w.Name, other, w.Told)
		}
		told[w.Told] = w.Name
	}
	for _, task := range []string{"task.md", "task.zh.md"} {
		if text, err := os.ReadFile(filepath.Join(root(t), e.Dir, task)); len(text) < 200 {
			t.Errorf("%s does not say what to do: %v", task, err)
		}
	}
	for i := range e.Checks {
		if name := e.Checks[i].Name; !caught[name] {
			t.Errorf("no wrong answer fails at the check %s: it shows nothing", name)
		}
	}
}

func graded(t *testing.T, g *Grader, e *exercise.Exercise, variant string) *Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // linking with -race takes its time
	defer cancel()
	r, err := g.Grade(ctx, e, variant)
	if err != nil {
		t.Fatalf("%s: %v", variant, err)
	}
	return r
}

func wantStarter(t *testing.T, g *Grader, e *exercise.Exercise) {
	mine, err := os.ReadFile(e.AnswerFile(root(t), ""))
	if err != nil {
		t.Fatal(err)
	}
	starter, _ := os.ReadFile(e.AnswerFile(root(t), exercise.Starter))
	if string(mine) != string(starter) {
		t.Errorf("%s is not the starter any more: somebody did the exercise", e.Answer)
	}
	if b := graded(t, g, e, exercise.Starter).Broken(); b == nil {
		t.Error("the starter passes")
	}
}

func wantSolution(t *testing.T, g *Grader, e *exercise.Exercise) {
	if underRace {
		g = &Grader{Root: g.Root, Dir: t.TempDir(), Race: true}
	}
	for range times() {
		if r := graded(t, g, e, exercise.Solution); r.Broken() != nil {
			t.Errorf("the solution fails: %+v, %q", *r.Broken(), r.Notes)
		}
	}
}

func wantWrong(t *testing.T, g *Grader, e *exercise.Exercise, w exercise.Wrong) {
	for range times() {
		r := graded(t, g, e, "wrong/"+w.Name)
		b := r.Broken()
		switch {
		case b == nil:
			t.Errorf("wrong/%s passes", w.Name)
		case b.Check.Name != w.Fails:
			t.Errorf("wrong/%s fails at %s, not at %s: %+v, %q", w.Name, b.Check.Name, w.Fails, *b, r.Notes)
		case !strings.Contains(r.Likely.En, w.Told):
			t.Errorf("wrong/%s is told %q, not %q", w.Name, r.Likely.En, w.Told)
		}
	}
}
