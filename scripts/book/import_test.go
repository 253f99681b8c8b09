package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"envoywalk/scripts/book/imported"
	"envoywalk/trace/diff"
	"envoywalk/trace/saved"
)

// importing runs the subcommand.
func importing(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = invoke(append([]string{"import"}, args...), &o, &e)
	return code, o.String(), e.String()
}

const nginx = "imported/testdata/nginx.strace"

func TestAnImportIsATreeOfLanesAndSaysWhatItRead(t *testing.T) {
	code, out, errs := importing(nginx, "--name", "nginx 1.22")
	if code != pass || !strings.HasPrefix(out, "nginx 1.22\n") || !strings.Contains(out, "connection C1 begins") {
		t.Errorf("exit %d, %.300s", code, out)
	}
	for _, want := range []string{nginx + ": 385 lines, 280 system calls, 3 threads, 4 connections\n",
		"4 signals came"} {
		if !strings.Contains(errs, want) {
			t.Errorf("not said: %s\n%s", want, errs)
		}
	}
}

func TestWhatAnImportSaysOfOneThingIsInTheSingular(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.strace")
	os.WriteFile(file, []byte("1 close(3) = 0\n"), 0o666)
	_, out, errs := importing(file)
	if want := file + ": 1 line, 1 system call, 1 thread, 0 connections\n"; !strings.Contains(errs, want) {
		t.Errorf("not said: %s\n%s", want, errs)
	}
	if !strings.HasPrefix(out, "1 thread (strace)\n") {
		t.Error(out)
	}
}

func TestAnImportMayBeFilteredLikeATree(t *testing.T) {
	_, out, _ := importing(nginx, "--thread", "nginx_1", "--kinds", "2")
	if !strings.Contains(out, "\nnot shown: ") || strings.Contains(out, "nginx_2 ") ||
		strings.Contains(out, "turn (derived)") {
		t.Error(out)
	}
}

func TestAnImportIsWrittenInEveryFormatAndReadAgain(t *testing.T) {
	want, _, err := imported.Read(source(t, nginx), imported.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.html", "a.json", "a.jsonl"} {
		file := filepath.Join(t.TempDir(), name)
		if code, _, errs := importing("-o", file, nginx); code != pass {
			t.Errorf("%s: %s", name, errs)
			continue
		}
		got, err := saved.Open(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if d := diff.Compare(diff.FromSpans(want.Spans), diff.FromSpans(got.Spans), diff.Options{}); !d.Equal() {
			t.Errorf("%s: %s", name, strings.Join(d.Lines("en"), "\n"))
		}
	}
}

func source(t *testing.T, path string) []imported.Source {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return []imported.Source{{Name: path, From: f}}
}

func TestWhatCannotBeImportedIsNoPass(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "x.strace")
	os.WriteFile(copied, []byte("1 close(3) = 0\n"), 0o666)
	empty := filepath.Join(t.TempDir(), "empty")
	os.WriteFile(empty, nil, 0o666)
	for _, c := range []struct{ args, want string }{
		{"", "go tool book import"},
		{"--nope " + nginx, "-nope"},
		{"nowhere.strace", "nowhere.strace"},
		{"main.go", "line 1: want a system call"},
		{empty, "no system call is told in it"},
		{nginx + " --to pdf", "no such sink"},
		{nginx + " --kinds loops", "there is no kind 'loops'"},
		{copied + " -o " + copied, "would be overwritten"},
		{copied + " -o " + t.TempDir() + "/no/folder.html", "no such file"},
	} {
		code, out, errs := importing(strings.Fields(c.args)...)
		if code != couldNotLook || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d\n%s%s", c.args, code, out, errs)
		}
	}
}

func TestTheThreadOfAFileIsItsEnding(t *testing.T) {
	for path, want := range map[string]int{"x.strace.12": 12, "x.strace": 0, "x": 0, "a.b/x.7": 7, "x.-7": 0} {
		if got := tidOf(path); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
}

// The kernel's account of a chapter's run, imported, has every call that our own trace of it tells: by the
// same thread, on the same kind of fd, with the same outcome, in the same order.
func TestAnImportOfOurOwnRunAgreesWithOurOwnTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a program under strace")
	}
	ctx := context.Background()
	if err := mayTrace(ctx); err != nil {
		t.Skip("COULD NOT LOOK: no strace here: ", err)
	}
	b := &book{module: findModule("."), text: &english, err: os.Stderr}
	dir := t.TempDir()
	program, err := b.build(ctx, "04-threading", dir)
	if err != nil {
		t.Fatal(err)
	}
	ours, seen := filepath.Join(dir, "ours.json"), filepath.Join(dir, "seen.strace")
	run := exec.CommandContext(ctx, "strace", "-f", "-ttt", "-T", "-y", "-o", seen, program, "--trace", "json="+ours)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	told, err := saved.Open(ours)
	if err != nil {
		t.Fatal(err)
	}
	theirs, report, err := imported.Read(source(t, seen), imported.Options{})
	if err != nil || report.NotUnderstood > 0 {
		t.Fatal(err, fmt.Sprintf("%+v", report))
	}
	d := diff.Compare(diff.FromSpans(told.Spans), diff.FromSpans(theirs.Spans), diff.Options{Calls: true})
	if d.Same < 45 || len(d.Missing) > 0 || len(d.Reordered) > 0 {
		t.Errorf("%d are the same; - only our trace tells, + only the kernel's account, the runtime's among them\n%s",
			d.Same, strings.Join(d.Lines("en"), "\n"))
	}
	t.Logf("%d calls are the same, %d more are the Go runtime's", d.Same, len(d.Extra))
}
