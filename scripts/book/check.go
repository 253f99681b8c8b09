package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
	"envoywalk/trace/saved"
	"envoywalk/trace/sink"
)

// check grades an exercise, or all that were passed before as well.
func (b *book) check(args []string) int {
	var everything, asJSON bool
	words, err := b.flags("check", args, 1, func(f *flag.FlagSet) {
		f.BoolVar(&everything, "all", false, "")
		f.BoolVar(&asJSON, "json", false, "")
	})
	if err != nil {
		return b.lacking(err.Error())
	}
	if everything {
		return b.checkAll()
	}
	e, err := b.find(strings.Join(words, ""))
	if err != nil {
		return b.lacking(err.Error())
	}
	return b.checkOne(e, asJSON)
}

// checkAll proves again what was passed before: a later answer may have broken an earlier one.
func (b *book) checkAll() int {
	all, err := exercise.All(b.module)
	if err != nil {
		return b.fault(err)
	}
	worst, tried := pass, attempts(b.progressFile())
	for i, s := range standings(all, tried) {
		if s.State != "open" {
			worst = max(worst, b.checkOne(all[i], false))
		}
	}
	return worst
}

func (b *book) checkOne(e *exercise.Exercise, asJSON bool) int {
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	g := &grade.Grader{Root: b.module, Dir: dir}
	a := attempt{Exercise: e.ID, Of: len(e.Checks), SHA256: hashOf(e.AnswerFile(b.module, ""))}
	r, err := g.Grade(ctx, e, "")
	if errors.Is(err, grade.ErrBuild) {
		a.Verdict = verdictNoBuild
		b.note(a)
		fmt.Fprintf(b.out, b.lessons().noBuild+"\n", strings.TrimSpace(strings.TrimPrefix(err.Error(), grade.ErrBuild.Error()+": ")))
		return notYet
	}
	if err != nil {
		return b.fault(err)
	}
	code := a.take(r)
	b.note(a)
	if asJSON {
		return max(code, b.json(a))
	}
	page := b.keepPages(ctx, g, e, r)
	b.feedback(r, b.tries(e), page)
	return code
}

// take writes down what became of it, and returns the exit code.
func (a *attempt) take(r *grade.Report) int {
	a.Of = len(r.Results)
	for _, result := range r.Results {
		if result.Verdict == grade.Pass {
			a.Passed++
		}
	}
	broken := r.Broken()
	switch {
	case broken == nil:
		a.Verdict = verdictPass
		return pass
	case broken.Verdict == grade.CannotLook:
		a.Verdict = verdictBlind
		return couldNotLook
	}
	a.Verdict, a.Broken, a.Mistake = verdictNotYet, broken.Check.Name, r.Likely.En
	return notYet
}

func (b *book) tries(e *exercise.Exercise) (n int) {
	for _, a := range attempts(b.progressFile()) {
		if a.Exercise == e.ID && a.Verdict != verdictSolution {
			n++
		}
	}
	return n
}

// keepPages leaves the page of the run where the reader can open it, and beside it that of the solution, to be
// compared with d. It returns the first, "" where there is none.
func (b *book) keepPages(ctx context.Context, g *grade.Grader, e *exercise.Exercise, r *grade.Report) string {
	if r.Trace == "" || r.Broken() == nil {
		return ""
	}
	dir := filepath.Join(b.module, ".envoywalk", strings.ReplaceAll(e.ID, "/", "-"))
	if os.MkdirAll(dir, 0o755) != nil {
		return ""
	}
	mine := filepath.Join(dir, "trace.html")
	if !b.writePage(r.Trace, mine) {
		return ""
	}
	if e.Kind == exercise.Write || e.Kind == exercise.Experiment {
		if reference, err := g.Grade(ctx, e, exercise.Solution); err == nil {
			b.writePage(reference.Trace, filepath.Join(dir, "reference.html"))
		}
	}
	return mine
}

func (b *book) writePage(trace, path string) bool {
	t, err := saved.Open(trace)
	if err != nil {
		return false
	}
	return play(t, &exportOptions{to: "html", out: path}, sink.Options{Since: t.Spans[0].StartTime()}) == nil
}
