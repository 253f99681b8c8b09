package grade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"envoywalk/scripts/book/exercise"
)

// readAnswers reads what a learner wrote: one answer a name.
func readAnswers[T any](path string) (map[string]T, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	answers := map[string]T{}
	if err := yaml.Unmarshal(text, &answers); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrBuild, filepath.Base(path), misread(err, answers))
	}
	return answers, nil
}

// misread says what an answer should look like; yaml's own words name Go types.
func misread(err error, answers any) string {
	lines := strings.Join(regexp.MustCompile(`line \d+`).FindAllString(err.Error(), -1), ", ")
	if _, isHunt := answers.(map[string]found); isHunt {
		return lines + ": write an answer as  a: { symbol: Dispatcher.post, line: 51 }"
	}
	return lines + ": write an answer as  name: 3  or  name: yes"
}

// ErrWitnessesDiffer: kernel and spans count differently where nothing of the learner's runs.
var ErrWitnessesDiffer = errors.New("kernel and spans differ in a run of our own")

// predict runs what the learner was asked about, and compares.
func (g *Grader) predict(ctx context.Context, e *exercise.Exercise, variant string) (*Report, error) {
	answers, err := readAnswers[yaml.Node](e.AnswerFile(g.Root, variant))
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
		node := answers[c.Name]
		result, err := s.compare(c, strings.TrimSpace(node.Value))
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
	r.Says, r.Answered = c.Ask, answer
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
	if answer == truth || c.YesNo && answer == [...]string{"false", "true"}[span] {
		r.Verdict = Pass
	}
	return r, nil
}

// noAnswer is what was written where no number, or no yes or no, stands: it says nothing about the run.
func noAnswer(c *exercise.Check, answer string) bool {
	if c.YesNo {
		return !slices.Contains([]string{"yes", "no", "true", "false"}, answer)
	}
	_, err := strconv.Atoi(answer)
	return err != nil
}

var (
	wantNumber = exercise.Words{En: "this is no answer yet: a number, please.", Zh: "这还不是答案：请写一个数。"}
	wantYesNo  = exercise.Words{En: "this is no answer yet: yes or no, please.", Zh: "这还不是答案：请写 yes 或 no。"}
)

// mistaken is what a wrong prediction looks like: its match is held against that one answer.
func (s *scene) mistaken(b *Result) exercise.Words {
	if b.Answered != "" && noAnswer(b.Check, b.Answered) {
		if b.Check.YesNo {
			return wantYesNo
		}
		return wantNumber
	}
	for _, l := range s.exercise.LooksLike {
		if l.Check == b.Check.Name && b.Answered != "" && (l.Match == "" || l.Match == b.Answered) {
			return l.Say
		}
	}
	return exercise.Words{}
}

// found is the answer to a hunt: where a mutant is wrong.
type found struct {
	Symbol string `yaml:"symbol"`
	Line   int    `yaml:"line"`
}

// hunt compares the learner's names with where the mutants really differ. Each mutant runs, so that the
// report shows what breaks.
func (g *Grader) hunt(ctx context.Context, e *exercise.Exercise, variant string) (*Report, error) {
	if name, isMutant := strings.CutPrefix(variant, "wrong/"); isMutant {
		return g.mutant(ctx, e, name)
	}
	answers, err := readAnswers[found](e.AnswerFile(g.Root, variant))
	if err != nil {
		return nil, err
	}
	r := &Report{Exercise: e}
	for _, w := range e.Wrong {
		seen, err := g.mutant(ctx, e, w.Name)
		if err != nil {
			return nil, err
		}
		broken := seen.Broken()
		if broken == nil {
			return nil, fmt.Errorf("the mutant %s breaks nothing", w.Name)
		}
		file := filepath.Join(g.Root, filepath.FromSlash(e.Replaces))
		_, symbol, first, last, err := exercise.Swap(file, g.mutantFile(e, w.Name))
		if err != nil {
			return nil, err
		}
		result := *broken
		answer := answers[w.Name]
		result.Says = exercise.Words{En: w.Name + ": " + broken.Says.En, Zh: w.Name + "：" + broken.Says.Zh}
		if answer != (found{}) {
			result.Answered = strings.TrimSpace(fmt.Sprintf("%s %d", answer.Symbol, answer.Line))
		} else {
			result.Answered = ""
		}
		result.Verdict = NotYet
		if sameSymbol(answer.Symbol, symbol) && answer.Line >= first && answer.Line <= last {
			result.Verdict = Pass
		}
		if result.Verdict != Pass && r.Likely.En == "" {
			r.Likely, r.Trace = seen.Likely, seen.Trace
		}
		r.Results = append(r.Results, result)
	}
	return r, nil
}

// sameSymbol: (*Dispatcher).Post, Dispatcher.Post, with its package or not, and Post alone are one.
func sameSymbol(said, is string) bool {
	said = strings.NewReplacer("(", "", ")", "", "*", "").Replace(said)
	said = said[strings.LastIndex(said, "/")+1:]
	return said == is || strings.HasSuffix(said, "."+is) || said != "" && strings.HasSuffix(is, "."+said)
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
