package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
	"envoywalk/trace/diff"
	"envoywalk/trace/saved"
)

// differences is the command diff: of two saved traces, of the learner's run and the reference of an exercise,
// or of a mutant and the chapter as it is.
func (b *book) differences(args []string) int {
	f := flag.NewFlagSet("diff", flag.ContinueOnError)
	calls := f.Bool("calls", false, "")
	words, err := parseMixed(f, args)
	if here := b.here(); err == nil && len(words) == 0 && here != "" {
		words = []string{here}
	}
	if err != nil || len(words) != 1 || isThere(words[0]) && !isDir(words[0]) || b.module == "" {
		return b.diff(args)
	}
	if err := b.canGrade(); err != nil {
		return b.lacking(err.Error())
	}
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	e, mutant, err := b.findMutant(words[0])
	if err != nil {
		return b.refused(err)
	}
	reference, mine, err := b.sides(b.grader(dir), e, mutant)
	if err != nil {
		return b.refused(err)
	}
	return b.differ(reference, mine, *calls, b.lessons().notCompared)
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// sides are the saved traces to compare: how it should be, and how it is.
func (b *book) sides(g *grade.Grader, e *exercise.Exercise, mutant string) (reference, mine string, err error) {
	words, ctx := b.lessons(), context.Background()
	if mutant != "" {
		right, err := g.Chapter(ctx, e)
		if err != nil {
			return "", "", errOurs{err}
		}
		wrong, err := g.Grade(ctx, e, "wrong/"+mutant)
		if err != nil {
			return "", "", errOurs{err}
		}
		return right.Trace, wrong.Trace, nil
	}
	if e.Kind == exercise.Hunt {
		names := mutantNames(e)
		return "", "", fmt.Errorf(words.whichMutant, e.ID, strings.Join(names, ", "), "diff", e.ID, names[0])
	}
	mine = filepath.Join(b.keptIn(e), minePage)
	if !isThere(mine) {
		return "", "", fmt.Errorf(words.checkFirst, e.ID, e.ID)
	}
	if reference = b.referenceFor(ctx, g, e); reference == "" {
		return "", "", fmt.Errorf(words.noReference, e.ID)
	}
	return reference, mine, nil
}

// differ prints what the second trace does and the first does not, and a remark on the count of both, if any.
func (b *book) differ(first, second string, calls bool, remark string) int {
	var sides [2][]diff.Event
	for i, path := range []string{first, second} {
		t, err := saved.Open(path)
		if err != nil {
			return b.lacking(fmt.Sprintf(b.text.diffNotRead, err))
		}
		if t.Cut != "" {
			fmt.Fprintf(b.err, b.text.diffCut+"\n", path, t.Cut)
		}
		sides[i] = diff.FromSpans(t.Spans)
	}
	r := diff.Compare(sides[0], sides[1], diff.Options{Calls: calls})
	if r.Same+len(r.Missing)+len(r.Extra) == 0 {
		return b.lacking(b.text.diffNothing)
	}
	out := bufio.NewWriter(b.out)
	lines := r.Lines(b.text.lang)
	if remark != "" {
		lines = slices.Insert(lines, 1, strings.TrimRight(b.screen.hang("", remark), "\n"))
	}
	fmt.Fprintln(out, strings.Join(lines, "\n"))
	if err := out.Flush(); err != nil {
		return b.fault(err)
	}
	if r.Equal() {
		return pass
	}
	return notYet
}

// findMutant finds an exercise, 02/hunt, or one of its mutants, 02/hunt/a. In the exercise's folder, a alone
// will do.
func (b *book) findMutant(name string) (*exercise.Exercise, string, error) {
	name = strings.TrimSuffix(filepath.ToSlash(name), "/")
	e, err := b.find(name)
	if err == nil {
		return e, "", nil
	}
	of, mutant := "", name
	if i := strings.LastIndex(name, "/"); i >= 0 {
		of, mutant = name[:i], name[i+1:]
	}
	if of == "" && b.here() == "" {
		return nil, "", err
	}
	owner, notFound := b.find(of)
	if notFound != nil {
		return nil, "", err
	}
	for _, known := range mutantNames(owner) {
		if known == mutant {
			return owner, mutant, nil
		}
	}
	return nil, "", fmt.Errorf(b.lessons().noMutant, owner.ID, mutant, strings.Join(mutantNames(owner), ", "))
}

// mutantNames are the programs that a hunt, or a kill, runs.
func mutantNames(e *exercise.Exercise) (names []string) {
	if e.Replaces == "" {
		return nil
	}
	for _, w := range e.Wrong {
		names = append(names, w.Name)
	}
	return names
}
