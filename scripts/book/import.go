package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"envoywalk/scripts/book/imported"
	"envoywalk/trace/saved"
)

// importOptions are the flags of import: those of export, and what to call it.
type importOptions struct {
	exportOptions
	name string
}

// importStrace reads what strace wrote of any process and writes it as every other trace.
func (b *book) importStrace(args []string) int {
	var o importOptions
	f := flag.NewFlagSet("import", flag.ContinueOnError)
	o.define(f)
	f.StringVar(&o.name, "name", "", "")
	paths, err := parseMixed(f, args)
	if err != nil {
		return b.lacking(err.Error() + "\n" + b.text.usage["import"])
	}
	if len(paths) == 0 {
		return b.lacking(b.text.usage["import"])
	}
	if o.to == "" {
		o.to = exportFormat(o.out)
	}
	if err := b.importFiles(paths, &o); err != nil {
		return b.lacking(fmt.Sprintf(b.text.noImport, err))
	}
	if o.out != "" {
		fmt.Fprintf(b.err, b.text.written+"\n", o.out)
	}
	return pass
}

// importFiles shows all of what it reads: what strace saw is of no chapter.
func (b *book) importFiles(paths []string, o *importOptions) error {
	options, err := b.sinkOptions(&o.exportOptions)
	if err != nil {
		return err
	}
	options.All = true
	for _, path := range paths {
		if isSame(path, o.out) {
			return fmt.Errorf(b.text.exportSame, path)
		}
	}
	t, report, err := b.readStrace(paths, o)
	if err != nil {
		return err
	}
	b.tellImport(paths, report)
	return play(t, &o.exportOptions, options)
}

// parseMixed reads flags that stand before, between and behind the other arguments.
func parseMixed(f *flag.FlagSet, args []string) (others []string, err error) {
	f.SetOutput(io.Discard)
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			return others, nil
		}
		others, args = append(others, f.Arg(0)), f.Args()[1:]
	}
}

// formatOf is the format that a file's name asks for.
func formatOf(out string) string {
	switch strings.ToLower(filepath.Ext(out)) {
	case ".html", ".htm":
		return "html"
	case ".json":
		return "json"
	case ".jsonl", ".otlp":
		return "otlp"
	}
	return "tree"
}

// readStrace reads the files; - is standard input.
func (b *book) readStrace(paths []string, o *importOptions) (*saved.Trace, *imported.Report, error) {
	var sources []imported.Source
	for _, path := range paths {
		s := imported.Source{Name: path, TID: tidOf(path), From: os.Stdin}
		if path != "-" {
			f, err := os.Open(path)
			if err != nil {
				return nil, nil, err
			}
			defer f.Close()
			s.From = f
		}
		sources = append(sources, s)
	}
	return imported.Read(sources, imported.Options{Name: o.name, Progress: func(lines int) {
		fmt.Fprintf(b.err, b.text.importGoesOn+"\n", lines)
	}})
}

// tidOf is the thread id that strace -ff puts at the end of a file's name, 0 if there is none.
func tidOf(path string) int {
	tid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(path), "."))
	if err != nil || tid < 0 {
		return 0
	}
	return tid
}

// one is where English has no s.
var one = regexp.MustCompile(`\b(1 (?:line|system call|call|thread|connection|signal))s\b`)

// tellImport says what was read, and what no span tells.
func (b *book) tellImport(paths []string, r *imported.Report) {
	say := func(format string, args ...any) {
		fmt.Fprint(b.err, one.ReplaceAllString(fmt.Sprintf(format+"\n", args...), "$1"))
	}
	say(b.text.importHas, strings.Join(paths, " "), r.Lines, r.Calls, r.Threads, r.Connections)
	if r.NotUnderstood > 0 {
		say(b.text.importNotUnderstood, r.NotUnderstood, strings.Join(r.Examples, "\n    "))
	}
	if r.Unfinished > 0 {
		say(b.text.importUnfinished, r.Unfinished)
	}
	if r.Signals > 0 {
		say(b.text.importSignals, r.Signals)
	}
	if r.NoTimes {
		say(b.text.importNoTimes)
	} else if r.NoDurations {
		say(b.text.importNoDurations)
	}
}
