package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"envoywalk/scripts/book/receipt"
)

// receiptOptions are the receipt's own flags.
type receiptOptions struct {
	json        bool
	keep        string
	timeout     time.Duration
	connections int
	pace        time.Duration
	connect     list
	send        string
	halfClose   bool
	reset       bool
	upstream    list
	inject      list
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// receipt runs a chapter's program under strace and compares the two accounts of the run.
func (b *book) receipt(args []string) int {
	ours, theirs := splitArgs(args)
	var o receiptOptions
	chapter, err := b.parse("receipt", ours, o.define)
	if err != nil {
		return b.lacking(err.Error())
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	if err := mayTrace(ctx); err != nil {
		return b.lacking(fmt.Sprintf(b.text.noStrace, err))
	}
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	program, err := b.build(ctx, chapter, dir)
	if err != nil {
		return b.lacking(err.Error())
	}
	if o.keep != "" {
		dir = o.keep
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return b.fault(err)
		}
	}
	t := &traced{program: program, args: theirs, options: &o,
		strace: filepath.Join(dir, "strace.txt"), trace: filepath.Join(dir, "trace.json")}
	for _, address := range o.upstream {
		if err := serve(ctx, address); err != nil {
			return b.lacking(err.Error())
		}
	}
	if err := t.run(ctx); err != nil {
		return b.lacking(fmt.Sprintf(b.text.noRun, chapter, err, t.log.lastLines()))
	}
	return b.compare(t)
}

func (o *receiptOptions) define(f *flag.FlagSet) {
	f.BoolVar(&o.json, "json", false, "")
	f.StringVar(&o.keep, "keep", "", "")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "")
	f.IntVar(&o.connections, "connections", 0, "")
	f.DurationVar(&o.pace, "pace", 0, "")
	f.Var(&o.connect, "connect", "")
	f.StringVar(&o.send, "send", "", "")
	f.BoolVar(&o.halfClose, "half-close", false, "")
	f.BoolVar(&o.reset, "reset", false, "")
	f.Var(&o.upstream, "upstream", "")
	f.Var(&o.inject, "inject", "")
}

// parse reads a subcommand's flags, which may stand before and after the chapter.
func (b *book) parse(name string, args []string, define func(*flag.FlagSet)) (string, error) {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(discard{})
	define(f)
	var names []string
	for {
		if err := f.Parse(args); err != nil {
			return "", fmt.Errorf("%w\n%s", err, b.text.usage[name])
		}
		if f.NArg() == 0 {
			break
		}
		names, args = append(names, f.Arg(0)), f.Args()[1:]
	}
	if len(names) != 1 {
		return "", fmt.Errorf("%s", b.text.usage[name])
	}
	return b.chapter(names[0])
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// compare reads what both witnesses wrote and prints the verdict.
func (b *book) compare(t *traced) int {
	r, err := t.compare()
	if err != nil {
		return b.lacking(fmt.Sprintf(b.text.noPair, err, t.log.lastLines()))
	}
	if t.options.json {
		encoder := json.NewEncoder(b.out)
		encoder.SetIndent("", "  ")
		encoder.Encode(struct {
			Verdict bool   `json:"agrees"`
			Summary string `json:"summary"`
			*receipt.Report
		}{r.Agrees(), r.Summary(), r})
	} else {
		r.Write(b.out)
	}
	if t.exit != nil && len(t.options.inject) == 0 {
		fmt.Fprintf(b.err, b.text.endedWith+"\n", t.exit, t.log.lastLines())
	}
	switch {
	case r.Calls == 0:
		return couldNotLook
	case !r.Agrees():
		return notYet
	}
	return pass
}

func (t *traced) compare() (*receipt.Report, error) {
	seen, err := os.Open(t.strace)
	if err != nil {
		return nil, err
	}
	defer seen.Close()
	told, err := os.Open(t.trace)
	if err != nil {
		return nil, err
	}
	defer told.Close()
	calls, err := receipt.ParseStrace(seen)
	if err != nil {
		return nil, err
	}
	spans, err := receipt.ReadTrace(told)
	if err != nil {
		return nil, err
	}
	return receipt.Compare(calls, spans, t.log.droppedRecords()), nil
}
