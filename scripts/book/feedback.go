package main

import (
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
	if o.Verdict == verdictNoBuild {
		fmt.Fprintf(b.out, words.noBuild+"\n", b.compilers(o.Error))
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
			fmt.Fprintf(b.out, "     "+words.moreFollow+"\n", rest)
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
	asked := result.Check.Ask.En != "" || r.Exercise.Kind == exercise.Hunt
	if result.Answered != "" || asked {
		said := result.Answered
		if said == "" {
			said = words.blank
		}
		b.print(inset+words.answered+"  ", said)
	}
	if !secret(result) {
		wide := max(columns(words.kernel), columns(words.span))
		b.print(inset+padded(words.kernel, wide)+"  ", witnessed(result.Kernel))
		b.print(inset+padded(words.span, wide)+"  ", witnessed(result.Span))
	}
	b.print(inset, b.verdict(r, result))
	if result.Verdict == grade.CannotLook {
		b.print(inset, words.allow)
	}
	if likely := r.Likely.In(b.text.lang); likely != "" {
		b.print(inset, words.looksLike+": "+likely)
	}
	for _, note := range r.Notes {
		b.print(inset, words.note+": "+note)
	}
}

// witnessed is what a witness says; one who could not look has counted nothing.
func witnessed(a grade.Answer) string {
	if !a.Could {
		return "?   " + a.Text
	}
	return fmt.Sprintf("%d   %s", a.Found, a.Text)
}

func (b *book) verdict(r *grade.Report, result *grade.Result) string {
	words := b.lessons()
	if r.Exercise.Kind == exercise.Predict && result.Verdict == grade.NotYet && result.Answered != "" {
		return words.notSo
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
	b.line(words.read, strings.Join(o.exercise.Read, "  |  "))
	if o.Page != "" {
		line := b.shown(o.Page)
		if o.Reference != "" {
			line += "   (" + fmt.Sprintf(words.reference, b.shown(o.Reference)) + ")"
		}
		b.line(words.look, line)
	}
	b.line(words.next, "go tool book hint "+o.Exercise)
}
