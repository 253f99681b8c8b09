package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"time"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
)

// check grades an exercise, a chapter's, or again all that were passed before.
func (b *book) check(args []string) int {
	var everything, asJSON bool
	words, err := b.flags("check", args, 1, func(f *flag.FlagSet) {
		f.BoolVar(&everything, "all", false, "")
		f.BoolVar(&asJSON, "json", false, "")
	})
	if err != nil {
		return b.lacking(err.Error())
	}
	if err := b.canGrade(); err != nil {
		return b.lacking(err.Error())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	name := strings.Join(words, "")
	if everything && name == "" {
		return b.checkPassed(ctx, asJSON)
	}
	meant, err := b.several(name)
	if err != nil {
		return b.refused(err)
	}
	code, outcomes := b.checkEach(ctx, meant, asJSON)
	if of := meant[0].Chapter; len(matching(meant, cmp.Or(name, b.here()))) == 0 { // the chapter was meant
		code = max(code, b.leftOut(func(e *exercise.Exercise) bool { return e.Chapter == of }))
	}
	if everything && code == pass {
		before, again := b.checkEach(ctx, b.passedBefore(meant), asJSON)
		code, outcomes = max(code, before), append(outcomes, again...)
	}
	return b.told(code, outcomes, asJSON, len(outcomes) == 1)
}

// checkPassed proves again what was passed before: a later answer may have broken an earlier one.
func (b *book) checkPassed(ctx context.Context, asJSON bool) int {
	again := b.passedBefore(nil)
	lost := b.leftOut(func(e *exercise.Exercise) bool { return b.standingOf(e).State == statePassed })
	if len(again) == 0 && !asJSON {
		return max(lost, b.lacking(b.lessons().nothingPassed))
	}
	code, outcomes := b.checkEach(ctx, again, asJSON)
	code = max(code, lost)
	return b.told(code, outcomes, asJSON, false)
}

// passedBefore are the exercises that were passed, but for some.
func (b *book) passedBefore(but []*exercise.Exercise) (again []*exercise.Exercise) {
	all, err := b.exercises()
	if err != nil {
		return nil
	}
	skip := map[string]bool{}
	for _, e := range but {
		skip[e.ID] = true
	}
	for i, s := range standings(all, attempts(b.progressFile())) {
		if s.State == statePassed && !skip[s.Exercise] {
			again = append(again, all[i])
		}
	}
	return again
}

// checkEach grades one after the other and says what became of each, unless that is printed as JSON later.
// The worst of them is the exit code.
func (b *book) checkEach(ctx context.Context, meant []*exercise.Exercise, quiet bool) (int, []*outcome) {
	code := pass
	var outcomes []*outcome
	for i, e := range meant {
		o := b.grade(ctx, e)
		code, outcomes = max(code, o.code), append(outcomes, o)
		if !quiet {
			if i > 0 {
				fmt.Fprintln(b.out)
			}
			b.show(o)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return code, outcomes
}

// told prints outcomes as JSON where that is asked for: one as an object, several as a list.
func (b *book) told(code int, outcomes []*outcome, asJSON, single bool) int {
	if !asJSON {
		return code
	}
	var v any = outcomes
	if single {
		v = outcomes[0]
	} else if outcomes == nil {
		v = []int{}
	}
	return max(code, b.json(v))
}

// outcome is what became of grading one exercise, as the screen and --json tell it.
type outcome struct {
	attempt
	Try       int      `json:"try"`
	Checks    []claim  `json:"checks,omitempty"`
	LooksLike string   `json:"looks_like,omitempty"`
	Notes     []string `json:"notes,omitempty"`
	Page      string   `json:"page,omitempty"`      // the learner's run
	Reference string   `json:"reference,omitempty"` // the solution's
	Error     string   `json:"error,omitempty"`
	report    *grade.Report
	exercise  *exercise.Exercise
	err       error
	code      int
}

// claim is one check of an outcome. What the witnesses found is left out where it would give away what the
// learner is to find.
type claim struct {
	Name    string       `json:"name"`
	Says    string       `json:"says"`
	Verdict string       `json:"verdict"`
	Answer  string       `json:"answer,omitempty"`
	Kernel  *testimonial `json:"kernel,omitempty"`
	Span    *testimonial `json:"span,omitempty"`
}

type testimonial struct {
	Found int    `json:"found"`
	Text  string `json:"text"`
}

// grade grades the learner's answer and notes what became of it.
func (b *book) grade(ctx context.Context, e *exercise.Exercise) *outcome {
	o := &outcome{exercise: e, attempt: attempt{Exercise: e.ID, Of: len(e.Checks),
		Time: time.Now().UTC().Truncate(time.Second), SHA256: hashOf(e.AnswerFile(b.module, ""))}}
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return o.broke(err)
	}
	defer os.RemoveAll(dir)
	g := b.grader(dir)
	if _, err := os.Stat(e.AnswerFile(b.module, "")); errors.Is(err, fs.ErrNotExist) {
		o.Verdict, o.code, o.Error = verdictUnreadable, notYet, b.gone(e)
		b.note(o.attempt)
		o.Try = b.tries(e)
		return o
	}
	r, err := g.Grade(ctx, e, "")
	var unreadable *grade.Unreadable
	switch {
	case ctx.Err() != nil:
		o.Verdict, o.code = verdictStopped, couldNotLook
		return o
	case errors.Is(err, grade.ErrBuild):
		o.Verdict, o.code = verdictNoBuild, notYet
		o.Error = strings.TrimSpace(strings.TrimPrefix(err.Error(), grade.ErrBuild.Error()+": "))
	case errors.As(err, &unreadable):
		o.Verdict, o.code, o.Error = verdictUnreadable, notYet, unreadable.In(b.text.lang)
	case err != nil:
		return o.broke(err)
	default:
		o.take(r, b.text.lang)
		o.Page, o.Reference = b.keepPages(ctx, g, o)
	}
	b.note(o.attempt)
	o.Try = b.tries(e)
	return o
}

// broke: it is the book that is broken, so nothing is noted against the learner.
func (o *outcome) broke(err error) *outcome {
	o.err, o.Error, o.Verdict, o.code = err, err.Error(), verdictOurs, ourFault
	return o
}

// take writes down what the report says.
func (o *outcome) take(r *grade.Report, lang string) {
	o.report, o.Of = r, len(r.Results)
	for _, note := range r.Notes {
		o.Notes = append(o.Notes, note.In(lang))
	}
	for i := range r.Results {
		o.Checks = append(o.Checks, claimOf(&r.Results[i], lang))
		if r.Results[i].Verdict == grade.Pass {
			o.Passed++
		}
	}
	broken := r.Broken()
	switch {
	case broken == nil:
		o.Verdict, o.code = verdictPass, pass
	case broken.Verdict == grade.CannotLook:
		o.Verdict, o.code = verdictBlind, couldNotLook
	default:
		o.Verdict, o.code = verdictNotYet, notYet
		o.Broken, o.LooksLike = broken.Check.Name, r.Likely.In(lang)
		o.Mistake, o.MistakeZh = r.Likely.En, r.Likely.Zh
	}
}

func claimOf(r *grade.Result, lang string) claim {
	c := claim{Name: r.Check.Name, Says: r.Says.In(lang), Verdict: verdictWords[r.Verdict],
		Answer: r.Answered.In(lang)}
	if r.Verdict == grade.DoesNotTell && r.Amiss != grade.Untold {
		c.Verdict = "works but not as asked"
	}
	if !secret(r) {
		c.Kernel = &testimonial{r.Kernel.Found, r.Kernel.Text.In(lang)}
		c.Span = &testimonial{r.Span.Found, r.Span.Text.In(lang)}
	}
	return c
}

// secret: a prediction's truth is not given away before it was found.
func secret(r *grade.Result) bool {
	return r.Check.Ask.En != "" && r.Verdict != grade.Pass && r.Verdict != grade.CannotLook
}

var verdictWords = map[grade.Verdict]string{grade.Pass: "pass", grade.NotYet: "not yet",
	grade.DoesNotTell: "works but does not tell", grade.DoesNotHold: "tells but does not hold",
	grade.CannotLook: "could not look"}

func (b *book) tries(e *exercise.Exercise) (n int) {
	for _, a := range attempts(b.progressFile()) {
		if a.Exercise == e.ID && a.isTry() {
			n++
		}
	}
	return n
}

// grader grades in dir.
func (b *book) grader(dir string) *grade.Grader {
	g := &grade.Grader{Root: b.module, Dir: dir, Witness: b.witness}
	if isTerminal(b.err) {
		g.Waiting = b.waiting
	}
	return g
}

// waiting tells on a terminal what a run keeps waiting for, in one line that goes away again.
func (b *book) waiting(what exercise.Words) {
	line := ""
	if what.En != "" {
		line = cut(fmt.Sprintf(b.lessons().stillWaiting, what.In(b.text.lang)), b.screen.wide-1)
	}
	fmt.Fprint(b.err, "\r\x1b[K"+line)
}

func (b *book) gone(e *exercise.Exercise) string {
	return fmt.Sprintf(b.lessons().answerGone, e.Answer, e.ID)
}
