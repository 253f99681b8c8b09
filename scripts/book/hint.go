package main

import (
	"flag"
	"fmt"
)

// mostHints is how many an exercise has.
const mostHints = 3

// hinted is what hint has told so far.
type hinted struct {
	Exercise string   `json:"exercise"`
	Hints    []string `json:"hints"`
	Of       int      `json:"of"`
}

// hint gives one more hint, below those that were given before.
func (b *book) hint(args []string) int {
	var asJSON bool
	e, err := b.oneExercise("hint", args, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "") })
	if err != nil {
		return b.refused(err)
	}
	given := b.standingOf(e).Hints
	if given < mostHints {
		given++
		b.note(attempt{Exercise: e.ID, Of: len(e.Checks), Verdict: verdictHint,
			SHA256: hashOf(e.AnswerFile(b.module, ""))})
	}
	words, h := b.lessons(), hinted{Exercise: e.ID, Of: mostHints}
	for i, text := range e.Hints[:given] {
		h.Hints = append(h.Hints, text.In(b.text.lang))
		if !asJSON {
			b.print(fmt.Sprintf(words.hint, i+1, mostHints)+"  ", h.Hints[i])
		}
	}
	if asJSON {
		return b.json(h)
	}
	if given < mostHints {
		fmt.Fprintf(b.out, words.oneMoreHint+"\n", e.ID)
	} else {
		fmt.Fprintf(b.out, words.noMoreHints+"\n", e.ID)
	}
	return pass
}
