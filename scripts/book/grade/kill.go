package grade

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

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
		result, spoke, err := opinion(ctx, judge, seen, name)
		if err != nil {
			return nil, err
		}
		if result.Verdict != Pass && r.Trace == "" {
			r.Likely, r.Trace = seen.Likely, seen.Trace
			switch {
			case !spoke:
				r.Likely, judge = noOpinion, "" // it would be no wiser about the next run
			case name == "":
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

// noOpinion is told of a check that neither accepts nor rejects.
var noOpinion = exercise.Words{
	En: "your check itself does not come to an end, so it has accepted and rejected nothing.",
	Zh: "你的检查自己没有运行到底，所以既没有接受，也没有拒绝。",
}

// judging is how long a check may think about a run, which has some hundred spans.
const judging = 10 * time.Second

// opinion is what the learner's check says of a run, beside what is so. A check that panics, or never ends, has
// not spoken; without a judge nobody is asked.
func opinion(ctx context.Context, judge string, seen *Report, name string) (r Result, spoke bool, err error) {
	r.Verdict = NotYet
	accepts, rejects := false, false
	if judge != "" {
		if accepts, rejects, r.Answered, err = ask(ctx, judge, judging, seen); err != nil {
			return Result{}, false, err
		}
	}
	r.Check, r.Kernel, r.Span = seen.Results[0].Check, seen.Results[0].Kernel, seen.Results[0].Span
	r.Says = exercise.Words{En: "your check accepts the chapter as it is", Zh: "你的检查应接受原样的章节程序"}
	right := accepts
	if broken := seen.Broken(); broken != nil {
		r.Check, r.Kernel, r.Span = broken.Check, broken.Kernel, broken.Span
		r.Says = exercise.Words{En: "your check rejects " + name, Zh: "你的检查应拒绝 " + name}
		right = rejects
	}
	if right {
		r.Verdict = Pass
	}
	return r, accepts || rejects, nil
}

func ask(ctx context.Context, judge string, most time.Duration, seen *Report) (accepts, rejects bool,
	says exercise.Words, err error) {
	limited, stop := context.WithTimeout(ctx, most)
	defer stop()
	out, err := exec.CommandContext(limited, judge, seen.Trace).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, false, says, ctx.Err()
	case limited.Err() != nil:
		says = say("does not come to an end: after %v it was stopped", "没能运行到底：%v 之后被停下", most)
	case err == nil:
		return true, false, say("accepts it", "接受它"), nil
	case !errors.As(err, &exit):
		return false, false, says, err
	case exit.ExitCode() == 1:
		return false, true, say("rejects it: %s", "拒绝它：%s", lastLine(string(out))), nil
	default:
		says = say("does not come to an end: %s", "没能运行到底：%s", lastGasp(string(out), seen.Exercise))
	}
	return false, false, says, nil
}

// lastGasp is why a program did not come to an end: its panic, else the first thing that it said.
func lastGasp(text string, e *exercise.Exercise) string {
	if why := panicked(text, e); why != "" {
		return why
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}
