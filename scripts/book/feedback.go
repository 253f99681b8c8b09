package main

import (
	"cmp"
	"fmt"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
)

// show is one screen: what holds, the one expectation that is broken with what both witnesses say, what it
// looks like, and where to go on.
func (b *book) show(o *outcome) {
	words := b.lessons()
	switch o.Verdict {
	case verdictStopped:
		fmt.Fprintln(b.err, words.stopped)
		return
	case verdictOurs:
		b.fault(o.err)
		return
	}
	head := fmt.Sprintf(words.head, o.Exercise, o.Try, o.Passed, o.Of)
	fmt.Fprintln(b.out, b.screen.paint(bold, head))
	if o.report == nil {
		b.ungraded(o)
		b.whereNext(o)
		return
	}
	for i := range o.report.Results {
		result := &o.report.Results[i]
		b.print(fmt.Sprintf("%3d  %s  ", i+1, b.mark(result.Verdict)), result.Says.In(b.text.lang))
		if result.Verdict == grade.Pass {
			continue
		}
		b.broken(o.report, result)
		if rest := len(o.report.Results) - i - 1; rest > 0 {
			follow := words.moreFollow
			if rest == 1 {
				follow = words.oneFollows
			}
			fmt.Fprintf(b.out, "     "+follow+"\n", rest)
		}
		b.whereNext(o)
		return
	}
	fmt.Fprintln(b.out, b.screen.paint(green, fmt.Sprintf(words.allPass, o.Of)))
	if o.Page != "" {
		b.line(words.look, b.shown(o.Page))
	}
	b.line(words.next, "go tool book next")
}

// ungraded says why the answer could not even be run.
func (b *book) ungraded(o *outcome) {
	words := b.lessons()
	if o.Verdict == verdictUnreadable {
		fmt.Fprintln(b.out, words.unreadable)
		b.print("    ", o.Error)
		return
	}
	fmt.Fprintf(b.out, words.noBuild+"\n", b.compilers(o.Error))
}

// print is text behind a first column that has colours in it.
func (b *book) print(first, text string) {
	bare := uncolored.Replace(first)
	laid := b.screen.hang(strings.Repeat(" ", columns(bare)), text)
	fmt.Fprint(b.out, first+laid[columns(bare):])
}

var uncolored = strings.NewReplacer("\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[1m", "",
	"\x1b[2m", "", "\x1b[0m", "")

// line is one of the lines below: where to read, to look, to go.
func (b *book) line(what, text string) { b.print(padded(what, 8)+" ", text) }

func (b *book) mark(v grade.Verdict) string {
	switch v {
	case grade.Pass:
		return b.screen.paint(green, b.lessons().ok)
	case grade.CannotLook:
		return b.screen.paint(yellow, b.lessons().dim)
	}
	return b.screen.paint(red, b.lessons().no)
}

const inset = "        "

func (b *book) broken(r *grade.Report, result *grade.Result) {
	words := b.lessons()
	asked, who := result.Check.Ask.En != "" || r.Exercise.Kind == exercise.Hunt, words.answered
	if r.Exercise.Kind == exercise.Kill {
		who = words.yourCheck
	}
	wide := max(columns(words.kernel), columns(words.span))
	if secret(result) {
		wide = 0 // nothing stands below it
	}
	if said := result.Answered.In(b.text.lang); said != "" || asked {
		b.print(inset+padded(who, wide)+"  ", cmp.Or(said, words.blank))
	}
	if !secret(result) {
		b.print(inset+padded(words.kernel, wide)+"  ", b.testimony(result.Kernel))
		b.print(inset+padded(words.span, wide)+"  ", b.testimony(result.Span))
	}
	b.print(inset, b.verdict(r, result))
	if result.Verdict == grade.CannotLook {
		b.print(inset, words.allow)
	}
	if likely := r.Likely.In(b.text.lang); likely != "" {
		b.print(inset, words.looksLike+words.colon+likely)
	}
	for _, note := range r.Notes {
		b.print(inset, words.note+words.colon+note.In(b.text.lang))
	}
}

// testimony is what a witness says; one who could not look has counted nothing.
func (b *book) testimony(a grade.Answer) string {
	if !a.Could {
		return "?   " + a.Text.In(b.text.lang)
	}
	return fmt.Sprintf("%d   %s", a.Found, a.Text.In(b.text.lang))
}

func (b *book) verdict(r *grade.Report, result *grade.Result) string {
	words := b.lessons()
	if r.Exercise.Kind == exercise.Predict && result.Verdict == grade.NotYet && result.Answered.En != "" {
		return words.notSo
	}
	if result.Verdict == grade.DoesNotTell && result.Amiss != grade.Untold {
		return words.amiss[result.Amiss]
	}
	return map[grade.Verdict]string{grade.NotYet: words.notYet, grade.DoesNotTell: words.doesNotTell,
		grade.DoesNotHold: words.doesNotHold, grade.CannotLook: words.cannotLook}[result.Verdict]
}

// mostCompilerLines: what is wrong first is what is wrong.
const mostCompilerLines = 6

// compilers are the compiler's lines that say something, and not too many.
func (b *book) compilers(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "# ") {
			lines = append(lines, "    "+line)
		}
	}
	if more := len(lines) - mostCompilerLines; more > 0 {
		lines = append(lines[:mostCompilerLines], "    "+fmt.Sprintf(b.lessons().moreLines, more))
	}
	return strings.Join(lines, "\n")
}

func (b *book) whereNext(o *outcome) {
	words := b.lessons()
	b.line(words.read, strings.Join(o.exercise.ReadIn(b.text.lang), "  |  "))
	if o.Page != "" {
		line := b.shown(o.Page)
		if o.Reference != "" {
			line += fmt.Sprintf(words.reference, b.shown(o.Reference))
		}
		b.line(words.look, line)
	}
	b.line(words.next, "go tool book hint "+o.Exercise)
}
