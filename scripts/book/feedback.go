package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"envoywalk/scripts/book/grade"
)

// feedback is one screen: what holds, the one expectation that is broken with what both witnesses say, what it
// looks like, and where to go on.
func (b *book) feedback(r *grade.Report, tries int, page string) {
	words := b.lessons()
	passed := 0
	for _, result := range r.Results {
		if result.Verdict == grade.Pass {
			passed++
		}
	}
	fmt.Fprintf(b.out, words.head+"\n", r.Exercise.ID, tries, passed, len(r.Results))
	for i := range r.Results {
		result := &r.Results[i]
		fmt.Fprintf(b.out, "%3d  %s  %s\n", i+1, b.mark(result.Verdict), result.Says.In(b.text.lang))
		if result.Verdict != grade.Pass {
			b.broken(r, result)
			if rest := len(r.Results) - i - 1; rest > 0 {
				fmt.Fprintf(b.out, "     "+words.moreFollow+"\n", rest)
			}
			b.whereNext(r, page)
			return
		}
	}
	fmt.Fprintf(b.out, words.allPass+"\n", len(r.Results))
	fmt.Fprintf(b.out, "%-8s go tool book next\n", words.next)
}

func (b *book) mark(v grade.Verdict) string {
	switch v {
	case grade.Pass:
		return b.lessons().ok
	case grade.CannotLook:
		return b.lessons().dim
	}
	return b.lessons().no
}

func (b *book) broken(r *grade.Report, result *grade.Result) {
	words := b.lessons()
	if result.Answered != "" || result.Check.Ask.En != "" {
		said := result.Answered
		if said == "" {
			said = words.blank
		}
		fmt.Fprintf(b.out, "        %s  %s\n", words.answered, said)
	}
	if result.Check.Ask.En == "" || result.Verdict == grade.CannotLook { // a prediction's truth is not given away
		fmt.Fprintf(b.out, "        %s  %d   %s\n", words.kernel, result.Kernel.Found, result.Kernel.Text)
		fmt.Fprintf(b.out, "        %s  %d   %s\n", words.span, result.Span.Found, result.Span.Text)
	}
	verdicts := map[grade.Verdict]string{grade.NotYet: words.notYet, grade.DoesNotTell: words.doesNotTell,
		grade.DoesNotHold: words.doesNotHold, grade.CannotLook: words.cannotLook}
	fmt.Fprintf(b.out, "        %s\n", verdicts[result.Verdict])
	if likely := r.Likely.In(b.text.lang); likely != "" {
		fmt.Fprintf(b.out, "        %s: %s\n", words.looksLike, likely)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b.out, "        %s: %s\n", words.note, note)
	}
}

func (b *book) whereNext(r *grade.Report, page string) {
	words := b.lessons()
	fmt.Fprintf(b.out, "%-8s %s\n", words.read, strings.Join(r.Exercise.Read, "  |  "))
	if page != "" {
		line := page
		if reference := filepath.Join(filepath.Dir(page), "reference.html"); isThere(reference) {
			line += "   (d: " + reference + ")"
		}
		fmt.Fprintf(b.out, "%-8s %s\n", words.look, line)
	}
	fmt.Fprintf(b.out, "%-8s go tool book hint %s\n", words.next, r.Exercise.ID)
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
