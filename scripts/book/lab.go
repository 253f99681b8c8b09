package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/term"

	"envoywalk/scripts/book/lab"
	"envoywalk/scripts/book/witness"
)

// labOptions are the flags of lab accept.
type labOptions struct {
	lab.Options
	html        string
	json, quick bool
}

// experiment runs a lab: accept is the one that there is.
func (b *book) experiment(args []string) int {
	o := labOptions{Options: lab.Options{Modes: lab.Modes}}
	words, err := b.flags("lab", args, 1, o.define)
	if err == nil && (len(words) != 1 || words[0] != "accept") {
		err = errors.New(b.text.usage["lab"])
	}
	if err == nil && o.quick {
		o.Connections, o.Rounds = 40, 1
	}
	if err == nil {
		err = o.Check()
	}
	if err != nil {
		return b.lacking(err.Error())
	}
	if err := b.canGrade(); err != nil {
		return b.lacking(err.Error())
	}
	return b.acceptLab(&o)
}

func (o *labOptions) define(f *flag.FlagSet) {
	f.IntVar(&o.Workers, "workers", 4, "")
	f.IntVar(&o.Connections, "connections", 100, "")
	f.IntVar(&o.Rounds, "rounds", 5, "")
	f.BoolVar(&o.quick, "quick", false, "")
	f.StringVar(&o.html, "html", "", "")
	f.BoolVar(&o.json, "json", false, "")
	f.Func("mode", "", func(modes string) error {
		o.Modes = strings.Split(modes, ",")
		return nil
	})
}

func (b *book) acceptLab(o *labOptions) int {
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l := &lab.Lab{Options: o.Options, Root: b.module, Dir: dir, Witness: b.witness, Progress: b.labProgress()}
	r, err := l.Run(ctx)
	b.labProgressEnds()
	if err != nil {
		return b.labFailed(err)
	}
	if o.html != "" {
		if err := writeLabPage(r, o.html, b.text.lang); err != nil {
			return b.lacking(err.Error())
		}
		fmt.Fprintf(b.err, b.text.written+"\n", o.html)
	}
	code := pass
	if len(r.Disagreements()) > 0 {
		code = notYet
	}
	if o.json {
		return max(code, b.json(r.WithAnswer()))
	}
	b.labTables(r)
	return code
}

func (b *book) labFailed(err error) int {
	switch {
	case errors.Is(err, context.Canceled):
		return b.lacking(b.lessons().stopped)
	case errors.Is(err, witness.ErrCannotLook):
		return b.lacking(err.Error() + "\n" + b.lessons().allow)
	case errors.Is(err, lab.ErrBuild):
		return b.lacking(err.Error())
	}
	return b.lacking(fmt.Sprintf(b.text.noLab, err))
}

// labProgress tells what is being done: on a terminal in one line that goes again, elsewhere a line a round.
func (b *book) labProgress() func(done, of, round int, mode, arrangement string) {
	said := -1
	return func(done, of, round int, mode, arrangement string) {
		switch {
		case onTerminal(b.err):
			line := fmt.Sprintf(b.text.labRun, done+1, of, round+1, lab.ModeTitle(mode, b.text.lang), arrangement)
			fmt.Fprintf(b.err, "\r\x1b[K%s", cut(line, b.screen.wide-1))
		case round != said:
			fmt.Fprintf(b.err, b.text.labRound+"\n", round+1, done, of)
			said = round
		}
	}
}

func (b *book) labProgressEnds() {
	if onTerminal(b.err) {
		fmt.Fprint(b.err, "\r\x1b[K")
	}
}

func onTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func writeLabPage(r *lab.Report, path, lang string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(r.Page(f, lang), f.Close())
}
