package grade

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// kill runs the right program and every wrong one, and asks the learner's check about their spans. What is
// right is said by the exercise's own claims and both their witnesses.
func (g *Grader) kill(ctx context.Context, e *exercise.Exercise, variant string) (*Report, error) {
	if name, isMutant := strings.CutPrefix(variant, "wrong/"); isMutant {
		return g.mutant(ctx, e, name)
	}
	replace := map[string]string{}
	if variant != "" {
		replace[e.AnswerFile(g.Root, "")] = e.AnswerFile(g.Root, variant)
	}
	judge, err := g.build(ctx, "./"+e.Dir+"/run", replace)
	if err != nil {
		return nil, err
	}
	r := &Report{Exercise: e}
	for _, name := range append([]string{""}, mutants(e)...) {
		seen, err := g.mutant(ctx, e, name)
		if err != nil {
			return nil, err
		}
		if broken := seen.Broken() != nil; broken != (name != "") {
			return nil, fmt.Errorf("%w: %q", ErrWitnessesDiffer, name)
		}
		result, err := opinion(ctx, judge, seen, name)
		if err != nil {
			return nil, err
		}
		if result.Verdict != Pass && r.Trace == "" {
			r.Likely, r.Trace = seen.Likely, seen.Trace
			if name == "" {
				r.Likely = tooStrict(e)
			}
		}
		r.Results = append(r.Results, result)
	}
	return r, nil
}

// tooStrict is what to say to a check that rejects the right program: the entry for "right".
func tooStrict(e *exercise.Exercise) exercise.Words {
	for _, l := range e.LooksLike {
		if l.Check == "right" {
			return l.Say
		}
	}
	return exercise.Words{}
}

func mutants(e *exercise.Exercise) (names []string) {
	for _, w := range e.Wrong {
		names = append(names, w.Name)
	}
	return names
}

// opinion is what the learner's check says of a run, beside what is so. A check that panics has no opinion.
func opinion(ctx context.Context, judge string, seen *Report, name string) (Result, error) {
	cmd := exec.CommandContext(ctx, judge, seen.Trace)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Result{}, err
	}
	accepts, rejects := err == nil, exit != nil && exit.ExitCode() == 1
	r := Result{Verdict: NotYet, Answered: say("accepts it", "接受它")}
	switch {
	case rejects:
		r.Answered = say("rejects it: %s", "拒绝它：%s", lastLine(string(out)))
	case !accepts:
		r.Answered = say("does not come to an end: %s", "没能运行到底：%s", lastGasp(string(out), seen.Exercise))
	}
	if broken := seen.Broken(); broken != nil {
		r.Check, r.Kernel, r.Span = broken.Check, broken.Kernel, broken.Span
		r.Says = exercise.Words{En: "your check rejects " + name, Zh: "你的检查应拒绝 " + name}
		if rejects {
			r.Verdict = Pass
		}
		return r, nil
	}
	r.Check = seen.Results[0].Check
	r.Kernel, r.Span = seen.Results[0].Kernel, seen.Results[0].Span
	r.Says = exercise.Words{En: "your check accepts the chapter as it is", Zh: "你的检查应接受原样的章节程序"}
	if accepts {
		r.Verdict = Pass
	}
	return r, nil
}

// lastGasp is why a program did not come to an end: its panic, else the first thing that it said.
func lastGasp(text string, e *exercise.Exercise) string {
	if why := panicked(text, e); why != "" {
		return why
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}
