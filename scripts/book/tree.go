package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

type treeOptions struct {
	write, check, envoy bool
	tries               int
	kinds, threads      string
}

func (o *treeOptions) define(f *flag.FlagSet) {
	f.BoolVar(&o.write, "write", false, "")
	f.BoolVar(&o.check, "check", false, "")
	f.IntVar(&o.tries, "tries", 10, "")
	f.BoolVar(&o.envoy, "e", false, "")
	f.BoolVar(&o.envoy, "envoy", false, "")
	f.StringVar(&o.kinds, "kinds", "", "")
	f.StringVar(&o.threads, "thread", "", "")
}

// asked are the program's flags for what of the tree is shown. What is recorded in a page is the whole tree.
func (o *treeOptions) asked() (flags []string) {
	if o.envoy {
		flags = append(flags, "--envoy")
	}
	if o.kinds != "" {
		flags = append(flags, "--kinds", o.kinds)
	}
	if o.threads != "" {
		flags = append(flags, "--thread", o.threads)
	}
	return flags
}

// tree prints, records or checks the tree of a real run.
func (b *book) tree(args []string) int {
	ours, theirs := splitArgs(args)
	var o treeOptions
	chapter, err := b.parse("tree", ours, o.define)
	if err != nil {
		return b.lacking(err.Error())
	}
	asked := o.asked()
	if len(asked) > 0 && (o.write || o.check) {
		return b.lacking(b.text.wholeTree)
	}
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	program, err := b.build(context.Background(), chapter, dir)
	if err != nil {
		return b.lacking(err.Error())
	}
	run := func() (string, error) { return treeOf(program, append(asked, theirs...)) }
	switch {
	case o.check:
		return b.checkTree(chapter, run, o.tries)
	case o.write:
		return b.writeTree(chapter, run)
	}
	tree, err := run()
	if err != nil {
		return b.lacking(fmt.Sprintf(b.text.runFailed, chapter, err, tree))
	}
	fmt.Fprint(b.out, tree)
	return pass
}

// treeOf runs the program and returns its tree; with an error, its last words instead.
func treeOf(program string, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"--trace", "tree"}, args...)...)
	cmd.Env = append(os.Environ(), "COLUMNS=100", "NO_COLOR=1")
	var out bytes.Buffer
	var log logWatch
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return log.lastLines(), err
	}
	return out.String(), nil
}

// readmes are the walks of a chapter that are there.
func (b *book) readmes(chapter string) []string {
	paths, _ := filepath.Glob(filepath.Join(b.module, "chapters", chapter, "README*.md"))
	return paths
}

// recorded finds what stands between the markers of chapter number.
func recorded(readme, number string) (from, to int, ok bool) {
	open, end := "<!-- tree:"+number+" -->", "<!-- /tree -->"
	from = strings.Index(readme, open)
	if from < 0 {
		return 0, 0, false
	}
	from += len(open)
	length := strings.Index(readme[from:], end)
	return from, from + length, length >= 0
}

func fenced(tree string) string {
	return "\n\n```text\n" + strings.TrimRight(tree, "\n") + "\n```\n\n"
}

func (b *book) writeTree(chapter string, run func() (string, error)) int {
	tree, err := run()
	if err != nil {
		return b.lacking(fmt.Sprintf(b.text.runFailed, chapter, err, tree))
	}
	code, number := couldNotLook, chapter[:2]
	for _, path := range b.readmes(chapter) {
		data, err := os.ReadFile(path)
		if err != nil {
			return b.fault(err)
		}
		from, to, ok := recorded(string(data), number)
		if !ok {
			fmt.Fprintf(b.err, b.text.noMarkers+"\n", path, number)
			continue
		}
		text := string(data[:from]) + fenced(tree) + string(data[to:])
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return b.fault(err)
		}
		fmt.Fprintf(b.out, b.text.written+"\n", path)
		code = pass
	}
	return code
}

// checkTree runs until one run shows what is recorded, at most tries times: threads meet
// differently each time, and a tree that no run shows is stale.
func (b *book) checkTree(chapter string, run func() (string, error), tries int) int {
	code := couldNotLook
	for _, path := range b.readmes(chapter) {
		data, err := os.ReadFile(path)
		if err != nil {
			return b.fault(err)
		}
		from, to, ok := recorded(string(data), chapter[:2])
		if !ok {
			continue
		}
		if code == couldNotLook {
			code = pass
		}
		there, now, err := untilSame(string(data[from:to]), run, tries)
		switch {
		case err != nil:
			return b.lacking(fmt.Sprintf(b.text.runFailed, chapter, err, now))
		case there != now:
			fmt.Fprintf(b.out, b.text.stale+"\n", path, tries, there, now, chapter[:2])
			code = notYet
		default:
			fmt.Fprintf(b.out, b.text.upToDate+"\n", path)
		}
	}
	if code == couldNotLook {
		fmt.Fprintf(b.err, b.text.noMarkers+"\n", chapter, chapter[:2])
	}
	return code
}

// untilSame returns the first lines that differ in the last of the runs, both empty where one run
// was the same.
func untilSame(recorded string, run func() (string, error), tries int) (
	there, now string, err error) {
	for range max(1, tries) {
		tree, err := run()
		if err != nil {
			return "", tree, err
		}
		if there, now = firstDifference(causal(recorded), causal(tree)); there == now {
			return "", "", nil
		}
	}
	return there, now, nil
}
