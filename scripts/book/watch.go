package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"envoywalk/scripts/book/exercise"
)

// How often the file is looked at. It is graded when two looks in a row see the same: an editor may write
// in several steps.
const watchPace = 150 * time.Millisecond

// watch grades at once, and again whenever the answer is saved, until it passes or the reader stops it.
func (b *book) watch(args []string) int {
	e, err := b.oneExercise("watch", args, func(*flag.FlagSet) {})
	if err != nil {
		return b.refused(err)
	}
	if err := b.canGrade(); err != nil {
		return b.lacking(err.Error())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return b.watchUntil(ctx, e)
}

func (b *book) watchUntil(ctx context.Context, e *exercise.Exercise) int {
	words, path := b.lessons(), e.AnswerFile(b.module, "")
	fmt.Fprintf(b.out, words.watching+"\n\n", b.shown(path))
	for {
		graded := hashOf(path)
		o := b.grade(ctx, e)
		if ctx.Err() != nil {
			fmt.Fprintln(b.out)
			return notYet
		}
		b.show(o)
		if o.code == pass {
			fmt.Fprintln(b.out, words.watchPassed)
			return pass
		}
		if !nextSave(ctx, path, graded) {
			fmt.Fprintln(b.out)
			return o.code
		}
		head := fmt.Sprintf(words.saved, e.ID, time.Now().Format("15:04:05"))
		fmt.Fprintln(b.out, "\n"+b.screen.paint(faint, head))
	}
}

// nextSave waits until the file holds something else than was graded and is no longer being written. A file
// that is gone is about to be put back: many editors save so.
func nextSave(ctx context.Context, path, graded string) bool {
	tick := time.NewTicker(watchPace)
	defer tick.Stop()
	for before := graded; ; {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		now := hashOf(path)
		if now != "" && now != graded && now == before {
			return true
		}
		before = now
	}
}
