package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"envoywalk/internal/linked"
)

const modulePath = "envoywalk"

// findModule is the folder of envoywalk's go.mod, at from or above it; "" if there is none.
func findModule(from string) string {
	dir, err := filepath.Abs(from)
	if err != nil {
		return ""
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module "+modulePath+"\n") {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// chapters are the folders of the chapters that are there, in order.
func (b *book) chapters() []string {
	paths, _ := filepath.Glob(filepath.Join(b.module, "chapters", "[0-9][0-9]-*", "run"))
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = filepath.Base(filepath.Dir(p))
	}
	return names
}

// chapter finds the chapter that 4, 04 or 04-threading means.
func (b *book) chapter(name string) (string, error) {
	number, err := strconv.Atoi(name)
	for _, folder := range b.chapters() {
		if folder == name || err == nil && strings.HasPrefix(folder, fmt.Sprintf("%02d-", number)) {
			return folder, nil
		}
	}
	return "", fmt.Errorf(b.text.noSuchChapter, name, strings.Join(b.chapters(), "  "))
}

// build builds the chapter's program into dir and returns its path. The compiler's own words go to
// the reader.
func (b *book) build(ctx context.Context, chapter, dir string) (string, error) {
	program := filepath.Join(dir, "envoywalk-"+chapter)
	cmd := linked.Program(ctx, b.module, "./chapters/"+chapter+"/run", program)
	cmd.Stdout, cmd.Stderr = b.err, b.err
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf(b.text.noBuild, chapter, err)
	}
	return program, nil
}

// splitArgs parts a subcommand's arguments at --: ours, and the chapter's.
func splitArgs(args []string) (ours, theirs []string) {
	for i, a := range args {
		if a == "--" {
			return args[:i], args[i+1:]
		}
	}
	return args, nil
}
