// Package grade runs an exercise and judges it by two witnesses: what the kernel says of the running
// program, and what the program's spans say of themselves.
package grade

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// Verdict is what both witnesses together say.
type Verdict int

// The four verdicts of two witnesses, and what a prediction or a name may be instead.
const (
	Pass        Verdict = iota // both say yes
	NotYet                     // both say no
	DoesNotTell                // it works, but it does not tell
	DoesNotHold                // it tells so, and it is not so
	CannotLook                 // a witness could not look: never a pass
)

// Result is the verdict on one claim.
type Result struct {
	Check        *exercise.Check
	Says         exercise.Words // the claim, or whose part it is
	Verdict      Verdict
	Amiss        Amiss // where it works: what is wrong about its spans
	Kernel, Span Answer
	Answered     exercise.Words // what the learner said, where that was asked
}

// Report is the verdict on an answer.
type Report struct {
	Exercise *exercise.Exercise
	Results  []Result // in order; the first that is no pass is the one to talk about
	Likely   exercise.Words
	Notes    []exercise.Words // how the program ended, what was waited for in vain
	Trace    string           // a page of the run, "" where there was none
}

// Broken is the first result that is no pass, or nil.
func (r *Report) Broken() *Result {
	for i := range r.Results {
		if r.Results[i].Verdict != Pass {
			return &r.Results[i]
		}
	}
	return nil
}

// Grader grades within one checkout.
type Grader struct {
	Root string // the module's
	Dir  string // where builds, configurations and traces go
	Race bool   // programs are built with the race detector
	// Shared builds what is nobody's answer, for many graders; nil: this one builds it itself.
	Shared *Programs
	// Witness begins to look at a child; nil is witness.Open.
	Witness func(pid int) (*witness.Process, error)
	// Waiting is told what a run keeps waiting for, and the empty text when that is over; nil: nobody is told.
	Waiting func(exercise.Words)
	// Patience is how long a program may take for one act; 0 is 15 s.
	Patience time.Duration
	runs     int
	own      *Programs
}

// Grade runs the exercise with the answer of a variant: "" for the learner's own, starter, solution, or
// wrong/NAME.
func (g *Grader) Grade(ctx context.Context, e *exercise.Exercise, variant string) (*Report, error) {
	switch e.Kind {
	case exercise.Predict:
		return g.predict(ctx, e, variant)
	case exercise.Hunt:
		return g.hunt(ctx, e, variant)
	case exercise.Kill:
		return g.kill(ctx, e, variant)
	}
	return g.run(ctx, e, variant)
}

// run grades a program or a configuration by running it.
func (g *Grader) run(ctx context.Context, e *exercise.Exercise, variant string) (*Report, error) {
	s, err := g.scene(e)
	if err != nil {
		return nil, err
	}
	answer := e.AnswerFile(g.Root, variant)
	replace := map[string]string{}
	if e.Kind == exercise.Experiment {
		s.config = answer
		text, err := os.ReadFile(answer)
		if err != nil {
			return nil, err
		}
		if _, err := readYAML(filepath.Base(answer), text); err != nil {
			return nil, err
		}
	} else if variant != "" {
		replace[e.AnswerFile(g.Root, "")] = answer
	}
	if s.program, err = g.build(ctx, e.Program, replace); err != nil {
		return nil, err
	}
	if err := s.play(ctx); err != nil {
		return nil, err
	}
	return s.report(answer), nil
}

// scene is a run of the exercise in a folder of its own, with the configuration that it names.
func (g *Grader) scene(e *exercise.Exercise) (*scene, error) {
	g.runs++
	dir := filepath.Join(g.Dir, fmt.Sprintf("run%d", g.runs))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &scene{exercise: e, dir: dir, witness: witness.Open, waiting: g.Waiting,
		patience: cmp.Or(g.Patience, patience)}
	if g.Witness != nil {
		s.witness = g.Witness
	}
	switch e.Config {
	case "-":
	case "":
		s.config = filepath.Join(g.Root, filepath.FromSlash(e.Dir), "envoy.yaml")
	default:
		s.config = filepath.Join(g.Root, filepath.FromSlash(e.Dir), filepath.FromSlash(e.Config))
	}
	return s, nil
}

// build builds a package with some files replaced and returns the program.
func (g *Grader) build(ctx context.Context, pkg string, replace map[string]string) (string, error) {
	if len(replace) == 0 && g.Shared != nil && !g.Race {
		return g.Shared.build(ctx, pkg, nil)
	}
	if g.own == nil || g.own.Race != g.Race {
		g.runs++
		g.own = &Programs{Root: g.Root, Dir: filepath.Join(g.Dir, fmt.Sprintf("programs%d", g.runs)), Race: g.Race}
	}
	return g.own.build(ctx, pkg, replace)
}

// report judges every check by what was seen.
func (s *scene) report(answer string) *Report {
	r := &Report{Exercise: s.exercise, Trace: s.traceFile()}
	for i := range s.exercise.Checks {
		c := &s.exercise.Checks[i]
		r.Results = append(r.Results, s.judge(c))
	}
	if s.exit > 0 {
		r.Notes = append(r.Notes, say("the program ended with status %d: %s", "程序以状态 %d 结束，它最后说：%s",
			s.exit, s.lastWords()))
	} else {
		for _, what := range s.waited {
			r.Notes = append(r.Notes, say("waited in vain for: %s", "一直没有等到：%s", what))
		}
	}
	if s.killed {
		r.Notes = append(r.Notes, s.stoodAt())
	}
	if b := r.Broken(); b != nil && b.Verdict != CannotLook { // who has not looked does not guess either
		r.Likely = s.likely(b.Check, answer)
	}
	return r
}

func (s *scene) judge(c *exercise.Check) Result {
	kernel, asked := s.said[c]
	if !asked {
		kernel = Answer{Asked: true, Could: true, Text: say("the program had ended before it could be asked",
			"还没来得及问，程序就结束了")}
	}
	r := Result{Check: c, Says: c.Says, Kernel: kernel, Span: s.askSpans(c.Span)}
	switch r.Verdict = verdict(kernel, r.Span); {
	case r.Verdict == DoesNotTell && (s.exit < 0 || s.cutShort):
		r.Verdict = NotYet // it may have told, and the spans died with it
	case r.Verdict == DoesNotTell:
		r.Amiss, _ = s.story.amiss(c.Span)
	}
	return r
}

func (s *scene) askSpans(q *exercise.Spans) Answer {
	if s.story == nil {
		return Answer{Asked: true, Could: true, Holds: q.Count.Holds(0), Text: say("there is no span at all",
			"一个 span 都没有")}
	}
	n, found := s.story.count(q)
	switch {
	case len(found) == 0:
		none := wanted(q)
		text := exercise.Words{En: "no " + none.En, Zh: "没有" + apart(none.Zh)}
		if _, other := s.story.amiss(q); other != nil {
			text = join([]exercise.Words{text, say("but there is %s", "有的是 %s", other.told())}, "; ", "；")
		}
		return counted(n, q.Count, text)
	case q.Distinct != "":
		return counted(n, q.Count, say("%s, by %s: %s", "%s，按 %s 分：%s",
			wanted(q), q.Distinct, tally(found, q)))
	}
	return counted(n, q.Count, same(found[len(found)-1].told()))
}

func verdict(kernel, span Answer) Verdict {
	switch {
	case !kernel.Could || !span.Could:
		return CannotLook
	case kernel.Holds && span.Holds:
		return Pass
	case kernel.Holds:
		return DoesNotTell
	case span.Holds:
		return DoesNotHold
	}
	return NotYet
}

// likely is the first known mistake whose symptoms are all there.
func (s *scene) likely(broken *exercise.Check, answer string) exercise.Words {
	if panicked(s.stderr.String(), s.exercise) != "" {
		return gaveUp
	}
	if s.cutShort && !s.refused() {
		return endedItself(s.exit)
	}
	text, _ := os.ReadFile(answer)
	for _, l := range s.exercise.LooksLike {
		switch {
		case l.Check != "" && l.Check != broken.Name, l.Refused != s.refused(), l.Still != (s.exit < 0):
		case l.Match != "" && !regexp.MustCompile(l.Match).Match(withoutComments(text)):
		case l.Span != nil && !s.has(l.Span), l.No != nil && s.has(l.No):
		default:
			return l.Say
		}
	}
	switch {
	case s.exit < 0:
		return standsStill
	case s.refused():
		return refusedConfig
	}
	return exercise.Words{}
}

func (s *scene) has(q *exercise.Spans) bool {
	n, _ := s.story.count(q)
	return q.Count.Holds(n)
}

var comment = regexp.MustCompile(`(?m)(//|#).*$`)

// withoutComments: comments are not read.
func withoutComments(text []byte) []byte { return comment.ReplaceAll(text, nil) }

// linesOf are a program's words, but for what it says of its trace at the end.
func linesOf(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if n := len(lines); n > 1 && strings.HasPrefix(lines[n-1], "trace: wrote ") {
		lines = lines[:n-1]
	}
	return lines
}

// lastLine is a program's last word.
func lastLine(text string) string {
	lines := linesOf(text)
	return strings.TrimSpace(lines[len(lines)-1])
}
