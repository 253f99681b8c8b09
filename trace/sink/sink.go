// Package sink opens what --trace names: where spans go.
package sink

import (
	"fmt"
	"io"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Names lists the sinks, for --help.
const Names = "tree, json, otlp, none"

// Options are what some sinks want to know.
type Options struct {
	Chapter int       // the chapter of the binary: tree opens it and folds the earlier ones
	All     bool      // tree opens every chapter
	Stdout  io.Writer // where a sink without a file goes
}

// Sinks are the open sinks of one process.
type Sinks struct {
	Processors []sdk.SpanProcessor
	written    []*countingFile
}

// Open opens the sinks named by specs, each NAME or NAME=FILE. On an error nothing stays open.
func Open(specs []string, o Options) (*Sinks, error) {
	s := &Sinks{}
	for _, spec := range specs {
		if err := s.open(spec, o); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

func (s *Sinks) open(spec string, o Options) error {
	name, file, _ := strings.Cut(spec, "=")
	w, err := s.writer(name, file, o)
	if err != nil {
		return err
	}
	switch name {
	case "none":
		return nil
	case "json":
		return s.export(stdouttrace.New(stdouttrace.WithWriter(w)))
	}
	return fmt.Errorf("--trace %s: no such sink. The sinks are %s", spec, Names)
}

// export sends every span to e as it ends. The collector's goroutine waits for e, and nobody else does.
func (s *Sinks) export(e sdk.SpanExporter, err error) error {
	if err == nil {
		s.Processors = append(s.Processors, sdk.NewSimpleSpanProcessor(e))
	}
	return err
}

func (s *Sinks) writer(name, file string, o Options) (io.Writer, error) {
	if file == "" || name == "none" {
		return o.Stdout, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("--trace %s: %w", name, err)
	}
	c := &countingFile{file: f}
	s.written = append(s.written, c)
	return c, nil
}

// Close closes the files and returns how many bytes they hold.
func (s *Sinks) Close() (bytes int64, err error) {
	for _, c := range s.written {
		bytes += c.bytes
		if e := c.file.Close(); err == nil {
			err = e
		}
	}
	return bytes, err
}

type countingFile struct {
	file  *os.File
	bytes int64
}

func (c *countingFile) Write(p []byte) (int, error) {
	n, err := c.file.Write(p)
	c.bytes += int64(n)
	return n, err
}
