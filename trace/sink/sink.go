// Package sink opens what --trace names: where spans go.
package sink

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace"
	"envoywalk/trace/chrome"
	"envoywalk/trace/mermaid"
	"envoywalk/trace/otlp"
	"envoywalk/trace/otlp/push"
	"envoywalk/trace/page"
	"envoywalk/trace/strace"
	"envoywalk/trace/tree"
)

// Names lists the sinks, for --help.
const Names = "tree, html, live, json, otlp, chrome, mermaid, strace, none"

// Options are what some sinks want to know.
type Options struct {
	Chapter int        // the chapter of the binary: tree opens it and folds the earlier ones
	All     bool       // tree opens every chapter
	Envoy   bool       // tree's right column is Envoy's line instead of the Go line
	Kinds   tree.Kinds // what tree shows; the zero value is everything
	Threads []string   // whose lines tree shows; none: everybody's
	Stdout  io.Writer  // where a sink without a file goes

	Since time.Time // html: sources younger than this may have changed; zero is since the program was built

	Tell     func(string) // hears, as it happens, of what cannot be written; nil: only Close tells
	Nonblock int          // the flag of open(2) by which a FIFO that nobody reads is an error, not a wait
}

// Sinks are the open sinks of one process.
type Sinks struct {
	Processors []sdk.SpanProcessor
	stdout     *output
	files      []*output
	failed     *failures
	pages      []*page.Recording
	pushed     []*push.Pusher
}

// Open opens the sinks named by specs, each NAME or NAME=FILE. On an error nothing stays open.
func Open(specs []string, o Options) (*Sinks, error) {
	s := &Sinks{stdout: newOutput("stdout", o.Stdout, o.Tell), failed: &failures{}}
	for _, spec := range specs {
		if err := s.open(spec, o); err != nil {
			s.Close()
			return nil, fmt.Errorf("--trace %s: %w", spec, err)
		}
	}
	return s, nil
}

func (s *Sinks) open(spec string, o Options) error {
	name, file, toFile := strings.Cut(spec, "=")
	switch name {
	case "none", "live": // the admin's page takes what is live
		if toFile {
			return errors.New(name + " writes no file")
		}
		return nil
	case "tree", "json", "otlp", "html", "chrome", "mermaid", "strace":
	default:
		return errors.New("no such sink. The sinks are " + Names)
	}
	if name == "otlp" && !toFile && push.Endpoint() != "" {
		return s.push(o)
	}
	w := s.stdout
	if toFile {
		var err error
		if w, err = s.create(file, o); err != nil {
			return err
		}
	}
	return s.show(name, w, o)
}

// show sends every span to the sink. The collector's goroutine waits for it, and nobody else does.
func (s *Sinks) show(name string, w *output, o Options) error {
	switch name {
	case "tree":
		s.Processors = append(s.Processors, tree.New(w, treeOptions(w, o)))
	case "json":
		e, err := stdouttrace.New(stdouttrace.WithWriter(w))
		if err != nil {
			return err
		}
		s.export(e)
	case "otlp":
		s.export(otlp.New(w))
	case "html":
		s.record(w, o.Since)
	case "chrome":
		s.chrome(w)
	case "mermaid":
		s.Processors = append(s.Processors, mermaid.New(w, mermaid.Options{Chapter: fmt.Sprintf("%02d-", o.Chapter)}))
	case "strace":
		s.Processors = append(s.Processors, strace.New(w))
	}
	return nil
}

// push sends spans to where OTEL_EXPORTER_OTLP_ENDPOINT says.
func (s *Sinks) push(o Options) error {
	tell := o.Tell
	if tell == nil {
		tell = func(string) {} // close tells enough
	}
	p, err := push.New(tell)
	if err != nil {
		return err
	}
	s.pushed = append(s.pushed, p)
	s.Processors = append(s.Processors, p)
	return nil
}

// chrome writes trace events. A file that is opened anew gets a list of its own.
func (s *Sinks) chrome(w *output) {
	c := chrome.New(w)
	w.head, w.tail = []byte(chrome.Head), []byte(chrome.Tail)
	w.when = func(reopen func()) {
		c.Reopen(func() bool {
			reopen()
			return w.fresh
		})
	}
	w.begin()
	s.Processors = append(s.Processors, c)
}

// record writes the page. A file that is opened anew gets a page of its own.
func (s *Sinks) record(w *output, since time.Time) {
	r := page.NewRecording(w, since)
	w.head, w.when = page.Document(""), r.Reopen
	w.begin()
	s.pages = append(s.pages, r)
	s.Processors = append(s.Processors, r)
}

func (s *Sinks) export(e sdk.SpanExporter) {
	e = &collecting{e, s.failed}
	s.Processors = append(s.Processors, sdk.NewSimpleSpanProcessor(e))
}

// treeOptions: colours and a width are a terminal's. What COLUMNS says goes before what the terminal says.
func treeOptions(w *output, o Options) tree.Options {
	t := tree.Options{Chapter: o.Chapter, All: o.All, Envoy: o.Envoy, Kinds: o.Kinds, Threads: o.Threads}
	if wide, is := w.terminal(); is {
		t.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		t.Width = columns(os.Getenv("COLUMNS"), wide)
	}
	return t
}

// columns is how wide a line may be; 0 is unlimited, and so is what COLUMNS says and is no number.
func columns(said string, wide int) int {
	if said != "" {
		wide, _ = strconv.Atoi(said)
	}
	return max(wide, 0)
}

func (s *Sinks) create(file string, o Options) (*output, error) {
	if file == "" {
		return nil, errors.New("names no file after the =")
	}
	for _, other := range s.files {
		if other.name == file {
			return nil, errors.New("another sink writes this file")
		}
	}
	appending := os.O_WRONLY | os.O_CREATE | os.O_APPEND | o.Nonblock
	f, err := os.OpenFile(file, appending|os.O_TRUNC, 0o666)
	if err != nil {
		return nil, err
	}
	w := newOutput(file, f, o.Tell)
	w.file, w.open = f, func() (*os.File, error) { return os.OpenFile(file, appending, 0o666) }
	s.files = append(s.files, w)
	return w, nil
}

// Reopen has every file opened again by its path, after it was moved away (SIGUSR1). It does not
// wait: spans that were written before go to the old file, those that come to the new. Any thread
// may call it. Nil Sinks have no files.
func (s *Sinks) Reopen() {
	if s == nil {
		return
	}
	for _, w := range s.files {
		w.reopenSoon()
	}
}

// Stats tells those who can write it down how the recording ended. Call it after the recorder's Close and
// before ours.
func (s *Sinks) Stats(stats trace.Stats) {
	for _, p := range s.pages {
		p.Stats(stats)
	}
}

// Close writes what is buffered, closes the files and returns how many bytes they hold. The error
// is everything that could not be written since Open. Close the recorder first.
func (s *Sinks) Close() (bytes int64, err error) {
	errs := []error{s.failed.err(), s.stdout.close()}
	for _, p := range s.pushed {
		errs = append(errs, p.Err())
	}
	for _, w := range s.files {
		errs = append(errs, w.close())
		bytes += w.written
	}
	return bytes, errors.Join(errs...)
}

// Readable reports whether standard output is for people: no sink writes for programs there.
func Readable(specs []string) bool {
	for _, spec := range specs {
		name, _, file := strings.Cut(spec, "=")
		pushed := name == "otlp" && push.Endpoint() != ""
		if !file && !pushed && name != "tree" && name != "none" && name != "live" {
			return false
		}
	}
	return true
}
