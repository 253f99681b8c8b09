package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"envoywalk/trace"
	"envoywalk/trace/saved"
	"envoywalk/trace/sink"
	"envoywalk/trace/tree"
)

// exportOptions are the flags of export.
type exportOptions struct {
	out, to    string
	kinds      string
	threads    []string
	envoy, all bool
}

func (o *exportOptions) define(f *flag.FlagSet) {
	f.StringVar(&o.out, "o", "", "")
	f.StringVar(&o.to, "to", "", "")
	f.StringVar(&o.kinds, "kinds", "", "")
	f.BoolVar(&o.envoy, "e", false, "")
	f.BoolVar(&o.all, "all", false, "")
	f.Func("thread", "", func(names string) error {
		o.threads = append(o.threads, strings.Split(names, ",")...)
		return nil
	})
}

// export writes a saved trace in another form: what a sink would have written while the program ran.
func (b *book) export(args []string) int {
	var o exportOptions
	f := flag.NewFlagSet("export", flag.ContinueOnError)
	o.define(f)
	paths, err := parseMixed(f, args)
	if err == nil && len(paths) != 1 {
		err = errors.New(b.text.exportOne)
	}
	if err != nil {
		return b.lacking(err.Error() + "\n" + b.text.usage["export"])
	}
	if o.to == "" {
		o.to = exportFormat(o.out)
	}
	if err := b.exportFile(paths[0], &o); err != nil {
		return b.lacking(fmt.Sprintf(b.text.noExport, err))
	}
	if o.out != "" {
		fmt.Fprintf(b.err, b.text.written+"\n", o.out)
	}
	return pass
}

// exportFormat is the format that a file's name asks for.
func exportFormat(out string) string {
	switch {
	case strings.HasSuffix(out, ".mmd"):
		return "mermaid"
	case strings.HasSuffix(out, ".strace"):
		return "strace"
	}
	return formatOf(out)
}

func (b *book) exportFile(path string, o *exportOptions) error {
	t, err := saved.Open(path)
	if err != nil {
		return err
	}
	if t.Cut != "" {
		fmt.Fprintf(b.err, b.text.exportCut+"\n", path, t.Cut)
	}
	if isSame(path, o.out) {
		return fmt.Errorf(b.text.exportSame, path)
	}
	options, err := b.sinkOptions(o)
	if err != nil {
		return err
	}
	options.Chapter, options.All = chapterOf(t.Service)
	options.All = options.All || o.all
	options.Since = t.Spans[0].StartTime()
	return play(t, o, options)
}

func (b *book) sinkOptions(o *exportOptions) (options sink.Options, err error) {
	options = sink.Options{Stdout: b.out, Envoy: o.envoy, Threads: o.threads,
		Tell: func(line string) { fmt.Fprintln(b.err, line) }}
	if o.kinds != "" {
		options.Kinds, err = tree.ParseKinds(o.kinds)
	}
	return options, err
}

// play gives the saved trace to the sink, just as a recorder would have.
func play(t *saved.Trace, o *exportOptions, options sink.Options) error {
	spec := o.to
	if o.out != "" {
		spec += "=" + o.out
	}
	sinks, err := sink.Open([]string{spec}, options)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "--trace "))
	}
	for _, p := range sinks.Processors {
		t.Play(p)
		err = errors.Join(err, p.Shutdown(context.Background()))
	}
	sinks.Stats(trace.Stats{Spans: uint64(len(t.Spans))})
	_, closed := sinks.Close()
	return errors.Join(err, closed)
}

// isSame: the file would be overwritten with what was made of it.
func isSame(path, out string) bool {
	a, err := os.Stat(path)
	b, other := os.Stat(out)
	return err == nil && other == nil && os.SameFile(a, b) && a.Mode().IsRegular()
}

var chapterName = regexp.MustCompile(`^envoywalk ([0-9][0-9])-`)

// chapterOf is the chapter whose program made the trace. What no chapter made is shown whole.
func chapterOf(service string) (number int, all bool) {
	found := chapterName.FindStringSubmatch(service)
	if found == nil {
		return 0, true
	}
	number, _ = strconv.Atoi(found[1])
	return number, false
}
