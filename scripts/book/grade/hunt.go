package grade

import (
	"context"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"envoywalk/internal/config"
	"envoywalk/scripts/book/exercise"
)

// found is the answer to a hunt: where a mutant is wrong.
type found struct {
	Symbol string
	Line   int
}

// UnmarshalYAML takes a line in quotes too.
func (f *found) UnmarshalYAML(n *yaml.Node) error {
	var said struct{ Symbol, Line string }
	if err := n.Decode(&said); err != nil || said.Line == "" {
		f.Symbol = said.Symbol
		return err
	}
	line, err := Number(said.Line)
	f.Symbol, f.Line = said.Symbol, line
	return err
}

// hunt compares the learner's names with where the mutants really differ. Each mutant runs, so that the
// report shows what breaks.
func (g *Grader) hunt(ctx context.Context, e *exercise.Exercise, variant string) (*Report, error) {
	if name, isMutant := strings.CutPrefix(variant, "wrong/"); isMutant {
		return g.mutant(ctx, e, name)
	}
	answers, err := readAnswers[found](e.AnswerFile(g.Root, variant), mutants(e)...)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(g.Root, filepath.FromSlash(e.Replaces))
	functions, err := exercise.Functions(file)
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
		_, symbol, first, last, err := exercise.Swap(file, g.mutantFile(e, w.Name))
		if err != nil {
			return nil, err
		}
		result, answer := *broken, answers[w.Name]
		result.Answered, result.Verdict = answer.told(), answer.verdict(symbol, first, last)
		result.Says = claimed(w.Name, broken.Says, result.Verdict)
		if result.Verdict != Pass && r.Trace == "" {
			r.Likely, r.Trace = answer.nowhere(e.Replaces, functions), seen.Trace
			switch {
			case r.Likely.En == "" && answer.Symbol != "":
				r.Likely = say("you named %s: that one is as it should be. The symptom: %s",
					"你说的是 %s，它没有问题。症状：%s", answer.Symbol, seen.Likely)
			case r.Likely.En == "":
				r.Likely = seen.Likely
			}
		}
		r.Results = append(r.Results, result)
	}
	return r, nil
}

// claimed is a line of a hunt. A claim is just what the program does not do, so of what was found that is said.
func claimed(name string, claim exercise.Words, v Verdict) exercise.Words {
	if v == Pass {
		return say("%s: found; it breaks: %s", "%s：找到了；它做不到的是：%s", name, claim)
	}
	return say("%s: %s", "%s：%s", name, claim)
}

func (f found) verdict(symbol string, first, last int) Verdict {
	if sameSymbol(f.Symbol, symbol) && first <= f.Line && f.Line <= last {
		return Pass
	}
	return NotYet
}

// told is the answer as it was given, "" where it was not.
func (f found) told() exercise.Words {
	switch {
	case f == found{}:
		return exercise.Words{}
	case f.Line == 0:
		return same(f.Symbol)
	case f.Symbol == "":
		return say("line %d", "第 %d 行", f.Line)
	}
	return say("%s, line %d", "%s，第 %d 行", f.Symbol, f.Line)
}

// nowhere says what is wrong about an answer that names no place at all: no function of that name is in the
// file, or the line is not one of its lines. It is empty where the answer names a place, the right one or not.
func (f found) nowhere(file string, functions map[string]exercise.Lines) exercise.Words {
	file = path.Base(file)
	switch {
	case f == found{}:
		return exercise.Words{}
	case f.Symbol == "":
		return say("the symbol is missing: in which function of %s is line %d?",
			"还缺符号：%s 的第 %d 行在哪个函数里？", file, f.Line)
	}
	var named []string
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		if !sameSymbol(f.Symbol, name) {
			continue
		}
		if at := functions[name]; at.First <= f.Line && f.Line <= at.Last {
			return exercise.Words{}
		}
		named = append(named, name)
	}
	if len(named) == 0 {
		names := slices.Sorted(maps.Keys(functions))
		if near := alike(f.Symbol, names); len(near) > 0 {
			return say("%s has no function %s. Nearest: %s.", "%s 里没有函数 %s。名字相近的有：%s。",
				file, f.Symbol, listed(near))
		}
		return say("%s has no function %s. It has %s.", "%s 里没有函数 %s，有的是：%s。", file, f.Symbol, listed(names))
	}
	at := functions[named[0]]
	if f.Line == 0 {
		return say("the line is missing. %s stands in %s from line %d to line %d.",
			"还缺行号。%s 在 %s 的第 %d 到 %d 行。", named[0], file, at.First, at.Last)
	}
	return say("line %d of %s is not in %s, which stands from line %d to line %d.",
		"%[2]s 的第 %[1]d 行不在 %[3]s 里：它在第 %[4]d 到 %[5]d 行。", f.Line, file, named[0], at.First, at.Last)
}

func listed(names []string) exercise.Words {
	return exercise.Words{En: strings.Join(names, ", "), Zh: strings.Join(names, "、")}
}

// mostAlike is how many names are told to who has written one that is not there.
const mostAlike = 3

// alike are the names that come nearest to what was written, receivers aside; none where nothing is near.
func alike(said string, names []string) (near []string) {
	last := func(name string) string { return name[strings.LastIndexAny(name, ".:")+1:] }
	left := map[string]string{}
	for _, name := range names {
		left[last(name)] = name
	}
	for range mostAlike {
		best := config.Nearest(last(said), slices.Sorted(maps.Keys(left)))
		if best == "" {
			break
		}
		near = append(near, left[best])
		delete(left, best)
	}
	return near
}

// sameSymbol: (*Dispatcher).Post, Dispatcher.Post, with its package or not, and Post alone are one.
func sameSymbol(said, is string) bool {
	said = strings.NewReplacer("(", "", ")", "", "*", "").Replace(said)
	said = said[strings.LastIndex(said, "/")+1:]
	return said == is || strings.HasSuffix(said, "."+is) || said != "" && strings.HasSuffix(is, "."+said)
}
