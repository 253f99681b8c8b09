package main

import (
	"flag"
	"fmt"
	"strings"

	"envoywalk/scripts/book/exercise"
)

// upNext is what next says of an exercise.
type upNext struct {
	Exercise string        `json:"exercise"`
	Kind     exercise.Kind `json:"kind"`
	Title    string        `json:"title"`
	Minutes  int           `json:"minutes"`
	Section  string        `json:"section"` // of the article
	Task     string        `json:"task"`
	Read     []string      `json:"read"`
	Edit     string        `json:"edit"`
	Check    string        `json:"check"`
}

// next shows the exercise that is named, or the one to do now.
func (b *book) next(args []string) int {
	var asJSON bool
	words, err := b.flags("next", args, 1, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "") })
	if err != nil {
		return b.lacking(err.Error())
	}
	all, err := b.exercises()
	if err != nil {
		return b.fault(err)
	}
	if len(all) == 0 {
		return b.lacking(b.lessons().none)
	}
	e := b.toDo(all)
	if len(words) == 1 {
		if e, err = b.find(words[0]); err != nil {
			return b.refused(err)
		}
	}
	switch {
	case e == nil && asJSON:
		return b.json(nil)
	case e == nil:
		fmt.Fprintf(b.out, b.lessons().allDone+"\n", len(all))
		return pass
	case asJSON:
		return b.json(b.upNext(e))
	}
	b.showNext(e)
	return pass
}

// toDo is the exercise that the reader stands in, else the first: that is not passed, or nil.
func (b *book) toDo(all []*exercise.Exercise) (first *exercise.Exercise) {
	here := b.here()
	for i, s := range standings(all, attempts(b.progressFile())) {
		switch {
		case s.State == statePassed:
		case all[i].Dir == here:
			return all[i]
		case first == nil:
			first = all[i]
		}
	}
	return first
}

func (b *book) upNext(e *exercise.Exercise) *upNext {
	return &upNext{Exercise: e.ID, Kind: e.Kind, Title: e.Title.In(b.text.lang), Minutes: e.Minutes,
		Section: e.Section, Task: b.taskPath(e), Read: e.ReadIn(b.text.lang), Edit: b.answerPath(e),
		Check: "go tool book check " + e.ID}
}

func (b *book) showNext(e *exercise.Exercise) {
	words := b.lessons()
	n := b.upNext(e)
	head := fmt.Sprintf(words.nextHead, n.Exercise, n.Title, words.kinds[n.Kind], n.Minutes)
	fmt.Fprintln(b.out, b.screen.paint(bold, head))
	b.line(words.task, n.Task)
	b.line(words.read, strings.Join(n.Read, "  |  "))
	switch e.Kind {
	case exercise.Predict:
		b.line(words.answer, "go tool book predict "+e.ID+"   ("+n.Edit+")")
	case exercise.Hunt:
		var runs []string
		for _, w := range e.Wrong {
			runs = append(runs, "go tool book run "+e.ID+"/"+w.Name)
		}
		b.line(words.runMutant, strings.Join(runs, "  |  "))
		b.line(words.answer, n.Edit)
	default:
		b.line(words.edit, n.Edit)
	}
	b.line(words.check, n.Check+"   "+fmt.Sprintf(words.orWatch, e.ID))
	b.line(words.stuck, "go tool book hint "+e.ID)
}
