package grade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// ErrWitnessesDiffer: kernel and spans count differently where nothing of the learner's runs.
var ErrWitnessesDiffer = errors.New("kernel and spans differ in a run of our own")

// predict runs what the learner was asked about, and compares.
func (g *Grader) predict(ctx context.Context, e *exercise.Exercise, variant string) (*Report, error) {
	var names []string
	for i := range e.Checks {
		names = append(names, e.Checks[i].Name)
	}
	answers, err := readAnswers[string](e.AnswerFile(g.Root, variant), names...)
	if err != nil {
		return nil, err
	}
	s, err := g.scene(e)
	if err != nil {
		return nil, err
	}
	if s.program, err = g.build(ctx, e.Program, nil); err != nil {
		return nil, err
	}
	if err := s.play(ctx); err != nil {
		return nil, err
	}
	r := &Report{Exercise: e, Trace: s.traceFile()}
	for i := range e.Checks {
		c := &e.Checks[i]
		result, err := s.compare(c, strings.TrimSpace(answers[c.Name]))
		if err != nil {
			return nil, err
		}
		r.Results = append(r.Results, result)
	}
	if b := r.Broken(); b != nil {
		r.Likely = s.mistaken(b)
	}
	return r, nil
}

// compare holds one answer against what both witnesses counted.
func (s *scene) compare(c *exercise.Check, answer string) (Result, error) {
	r := s.judge(c)
	r.Says, r.Answered = c.Ask, same(answer)
	if r.Verdict == CannotLook {
		return r, nil
	}
	kernel, span := r.Kernel.Found, r.Span.Found
	if c.YesNo {
		kernel, span = min(kernel, 1), min(span, 1)
	}
	if kernel != span {
		return r, fmt.Errorf("%w: %s: kernel %d (%s), spans %d (%s)", ErrWitnessesDiffer, c.Name, kernel,
			r.Kernel.Text, span, r.Span.Text)
	}
	truth := strconv.Itoa(span)
	if c.YesNo {
		truth = [...]string{"no", "yes"}[span]
	}
	r.Verdict = NotYet
	if meant(c, answer) == truth {
		r.Verdict = Pass
	}
	return r, nil
}

// yesNo are the ways in which yes and no are written, in small letters.
var yesNo = map[string]string{"yes": "yes", "y": "yes", "true": "yes", "是": "yes", "对": "yes", "会": "yes",
	"no": "no", "n": "no", "false": "no", "否": "no", "不": "no", "不是": "no", "不对": "no", "不会": "no"}

// meant is an answer as it is compared: a yes is written in several ways.
func meant(c *exercise.Check, answer string) string {
	if word := yesNo[strings.ToLower(answer)]; c.YesNo && word != "" {
		return word
	}
	if n, err := Number(answer); err == nil && !c.YesNo {
		return strconv.Itoa(n)
	}
	return answer
}

// Number reads a number as people write it: 6, 06, 6.0, and the wide ６ of an input method for Chinese.
func Number(said string) (int, error) {
	whole, rest, _ := strings.Cut(strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return '0' + r - '０'
		case r == '．':
			return '.'
		}
		return r
	}, said), ".")
	if strings.Trim(rest, "0") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(whole)
}

// noAnswer is what was written where no number, or no yes or no, stands: it says nothing about the run.
func noAnswer(c *exercise.Check, answer string) bool {
	if c.YesNo {
		return yesNo[strings.ToLower(answer)] == ""
	}
	_, err := Number(answer)
	return err != nil
}

var (
	wantNumber = exercise.Words{En: "this is no answer yet: a number, please.", Zh: "这还不是答案：请写一个数。"}
	wantYesNo  = exercise.Words{En: "this is no answer yet: yes or no, please.",
		Zh: "这还不是答案：请写 yes 或 no（也可以写“是”或“否”）。"}
)

// mistaken is what a wrong prediction looks like: its match is held against that one answer.
func (s *scene) mistaken(b *Result) exercise.Words {
	answer := b.Answered.En
	if answer != "" && noAnswer(b.Check, answer) {
		if b.Check.YesNo {
			return wantYesNo
		}
		return wantNumber
	}
	for _, l := range s.exercise.LooksLike {
		if l.Check == b.Check.Name && answer != "" && (l.Match == "" || l.Match == meant(b.Check, answer)) {
			return l.Say
		}
	}
	return exercise.Words{}
}

func (g *Grader) mutantFile(e *exercise.Exercise, name string) string {
	return filepath.Join(g.Root, filepath.FromSlash(e.Dir), "wrong", name, "mutant.go")
}

// mutant runs the chapter with one function swapped. "" is the chapter as it is.
func (g *Grader) mutant(ctx context.Context, e *exercise.Exercise, name string) (*Report, error) {
	s, err := g.scene(e)
	if err != nil {
		return nil, err
	}
	if s.program, err = g.mutantProgram(ctx, e, name); err != nil {
		return nil, err
	}
	if err := s.play(ctx); err != nil {
		return nil, err
	}
	return s.report(g.mutantFile(e, name)), nil
}

func (g *Grader) mutantProgram(ctx context.Context, e *exercise.Exercise, name string) (string, error) {
	replace := map[string]string{}
	if name != "" {
		file := filepath.Join(g.Root, filepath.FromSlash(e.Replaces))
		source, _, _, _, err := exercise.Swap(file, g.mutantFile(e, name))
		if err != nil {
			return "", err
		}
		swapped := filepath.Join(g.Dir, strings.ReplaceAll(e.ID, "/", "-")+"-"+name+".go") // once more is built once
		if err := os.WriteFile(swapped, source, 0o600); err != nil {
			return "", err
		}
		replace[file] = swapped
	}
	return g.build(ctx, e.Program, replace)
}
