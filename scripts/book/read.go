package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"envoywalk/scripts/book/reading"
)

type readOptions struct{ html, json, pager bool }

func (o *readOptions) define(f *flag.FlagSet) {
	f.BoolVar(&o.html, "html", false, "")
	f.BoolVar(&o.json, "json", false, "")
	f.BoolVar(&o.pager, "pager", false, "")
}

// read lays article, Go and Envoy beside each other: a chapter, or those of its steps that are named.
func (b *book) read(args []string) int {
	var o readOptions
	words, err := b.flags("read", args, 2, o.define)
	if err != nil {
		return b.lacking(err.Error())
	}
	if len(words) == 0 {
		if words = []string{b.chapterHere()}; words[0] == "" {
			return b.lacking(b.text.usage["read"])
		}
	}
	folder, err := b.chapter(words[0])
	if err != nil {
		return b.lacking(err.Error())
	}
	if o.html {
		return b.readPages(folder, strings.Join(words[1:], ""))
	}
	c, err := reading.Read(b.module, folder, b.text.lang)
	if err != nil {
		return b.fault(err)
	}
	if len(words) > 1 {
		if c.Steps = c.Find(words[1]); len(c.Steps) == 0 {
			return b.lacking(fmt.Sprintf(b.lessons().noStep, folder, words[1], folder[:2]))
		}
	}
	if o.json {
		return b.json(c)
	}
	text := b.screen.reading(c, b.text.lang)
	if o.pager {
		return b.paged(text)
	}
	fmt.Fprint(b.out, text)
	return pass
}

// paged shows text in the reader's pager.
func (b *book) paged(text string) int {
	words := strings.Fields(os.Getenv("PAGER"))
	if len(words) == 0 {
		words = []string{"less", "-R"}
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), b.out, b.err
	var quit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &quit) {
		return b.lacking(err.Error())
	}
	return pass
}

// readPages writes the pages of all chapters in both languages, for they lead to each other, and says which
// one was asked for.
func (b *book) readPages(folder, at string) int {
	dir := filepath.Join(b.module, ".envoywalk", "read")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return b.lacking(err.Error())
	}
	anchor := ""
	for _, lang := range []string{"en", "zh"} {
		for i, chapter := range b.chapters() {
			c, err := reading.Read(b.module, chapter, lang)
			if err != nil {
				return b.fault(err)
			}
			if found := c.Find(at); chapter == folder && at != "" && len(found) > 0 {
				anchor = "#" + found[0].ID
			}
			if err := b.writeReading(dir, c, lang, i); err != nil {
				return b.fault(err)
			}
		}
	}
	if at != "" && anchor == "" {
		return b.lacking(fmt.Sprintf(b.lessons().noStep, folder, at, folder[:2]))
	}
	fmt.Fprintln(b.out, filepath.Join(dir, reading.File(folder, b.text.lang))+anchor)
	return pass
}

func (b *book) writeReading(dir string, c *reading.Chapter, lang string, i int) error {
	all := append(append([]string{""}, b.chapters()...), "")
	page, err := c.HTML(lang, all[i], all[i+2])
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, reading.File(c.Folder, lang)), page, 0o644)
}
