package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"envoywalk/scripts/book/exercise"
)

// solved is what solution shows.
type solved struct {
	Exercise string   `json:"exercise"`
	File     string   `json:"file"`
	Solution string   `json:"solution"`
	Yours    string   `json:"yours"`
	Mutants  []mutant `json:"mutants,omitempty"` // of a hunt, a kill
	lines    []changed
}

// mutant is where a program of a hunt differs from the chapter.
type mutant struct {
	Name   string `json:"name"`
	Symbol string `json:"symbol"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	lines  []changed
}

// solution shows the solution and where the learner's answer differs from it: after a pass, or to one who
// gives up, which is noted.
func (b *book) solution(args []string) int {
	var giveUp, asJSON bool
	e, err := b.oneExercise("solution", args, func(f *flag.FlagSet) {
		f.BoolVar(&giveUp, "give-up", false, "")
		f.BoolVar(&asJSON, "json", false, "")
	})
	if err != nil {
		return b.refused(err)
	}
	if s := b.standingOf(e); !s.hasPassed() {
		if !giveUp {
			fmt.Fprintf(b.out, b.lessons().solutionFirst+"\n", e.ID)
			return notYet
		}
		b.note(attempt{Exercise: e.ID, Of: len(e.Checks), Verdict: verdictSolution,
			SHA256: hashOf(e.AnswerFile(b.module, ""))})
	}
	s, err := b.solved(e)
	if err != nil {
		return b.fault(err)
	}
	if asJSON {
		return b.json(s)
	}
	b.showSolution(s)
	return pass
}

func (b *book) solved(e *exercise.Exercise) (*solved, error) {
	text, err := os.ReadFile(e.AnswerFile(b.module, exercise.Solution))
	if err != nil {
		return nil, err
	}
	mine, _ := os.ReadFile(e.AnswerFile(b.module, "")) // gone: all of the solution is new
	s := &solved{Exercise: e.ID, File: b.answerPath(e), Solution: string(text), Yours: string(mine),
		lines: overlay(string(mine), string(text))}
	if e.Replaces == "" {
		return s, nil
	}
	for _, w := range e.Wrong {
		m, err := b.mutantOf(e, w.Name)
		if err != nil {
			return nil, err
		}
		s.Mutants = append(s.Mutants, m)
	}
	return s, nil
}

// mutantOf lays a mutant's function over the chapter's.
func (b *book) mutantOf(e *exercise.Exercise, name string) (mutant, error) {
	file := filepath.Join(b.module, filepath.FromSlash(e.Replaces))
	swapped, symbol, first, last, err := exercise.Swap(file, b.grader("").MutantFile(e, name))
	if err != nil {
		return mutant{}, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return mutant{}, err
	}
	was := linesOf(string(text))
	is := linesOf(string(swapped))
	behind := len(was) - last
	m := mutant{Name: name, Symbol: symbol, File: e.Replaces, Line: first}
	m.lines = overlay(joined(was[first-1:last]), joined(is[first-1:len(is)-behind]))
	return m, nil
}

func (b *book) showSolution(s *solved) {
	words := b.lessons()
	if s.Yours == s.Solution {
		fmt.Fprintln(b.out, b.screen.paint(bold, fmt.Sprintf(words.solutionSame, s.File)))
	} else {
		fmt.Fprintln(b.out, b.screen.paint(bold, fmt.Sprintf(words.solutionIs, s.File)))
	}
	fmt.Fprint(b.out, b.screen.printOverlay(s.lines))
	for _, m := range s.Mutants {
		head := fmt.Sprintf(words.solutionMutant, m.Name, m.Symbol, m.File, m.Line)
		fmt.Fprintln(b.out, "\n"+b.screen.paint(bold, head))
		fmt.Fprint(b.out, b.screen.printOverlay(m.lines))
	}
}
