package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
	"envoywalk/trace/saved"
	"envoywalk/trace/sink"
)

// keptIn is where an exercise's pages, backups and seen hints are.
func (b *book) keptIn(e *exercise.Exercise) string {
	return filepath.Join(b.module, ".envoywalk", strings.ReplaceAll(e.ID, "/", "-"))
}

const (
	minePage      = "trace.html"
	referencePage = "reference.html"
)

// keepPages leaves the page of the run where the reader can open it, and beside it that of the solution, to
// be compared with d. A prediction's run would give its answers away before they are found.
func (b *book) keepPages(ctx context.Context, g *grade.Grader, o *outcome) (mine, reference string) {
	e, dir := o.exercise, b.keptIn(o.exercise)
	os.Remove(filepath.Join(dir, minePage)) // an older run's says nothing about this one
	if o.report.Trace == "" || e.Kind == exercise.Predict && o.code != pass || os.MkdirAll(dir, 0o755) != nil {
		return "", ""
	}
	mine = filepath.Join(dir, minePage)
	if !writePage(o.report.Trace, mine) {
		return "", ""
	}
	if o.code == pass {
		return mine, ""
	}
	return mine, b.referenceFor(ctx, g, e)
}

// referenceFor is the page of a run as it should be, made anew where anything is newer than it; "" where
// there is no such run.
func (b *book) referenceFor(ctx context.Context, g *grade.Grader, e *exercise.Exercise) string {
	path := filepath.Join(b.keptIn(e), referencePage)
	if made, err := os.Stat(path); err == nil && made.ModTime().After(b.newest(e)) {
		return path
	}
	var r *grade.Report
	var err error
	switch e.Kind {
	case exercise.Write, exercise.Experiment:
		r, err = g.Grade(ctx, e, exercise.Solution)
	case exercise.Hunt, exercise.Kill:
		r, err = g.Chapter(ctx, e)
	default:
		return ""
	}
	if err != nil || !writePage(r.Trace, path) {
		return ""
	}
	return path
}

// newest is when anything was written that the reference of an exercise is made of.
func (b *book) newest(e *exercise.Exercise) (newest time.Time) {
	for _, below := range []string{"chapters", "internal", "trace", "go.mod"} {
		filepath.WalkDir(filepath.Join(b.module, below), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil
			case d.IsDir() && d.Name() == "exercises":
				return filepath.SkipDir
			case d.IsDir():
				return nil
			}
			newest = later(newest, d)
			return nil
		})
	}
	for _, part := range []string{"exercise.yaml", "envoy.yaml", "run/main.go", "solution/" + e.Answer} {
		path := filepath.Join(b.module, filepath.FromSlash(e.Dir), filepath.FromSlash(part))
		if info, err := os.Stat(path); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}

func later(than time.Time, d fs.DirEntry) time.Time {
	if info, err := d.Info(); err == nil && info.ModTime().After(than) {
		return info.ModTime()
	}
	return than
}

func writePage(trace, path string) bool {
	if trace == "" {
		return false
	}
	t, err := saved.Open(trace)
	if err != nil {
		return false
	}
	return play(t, &exportOptions{to: "html", out: path}, sink.Options{Since: t.Spans[0].StartTime()}) == nil
}
