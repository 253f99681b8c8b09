package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// translations checks that every Chinese page was made from the English page as it is now. A page says on its
// first line which revision it was made from; --write says so after somebody has read both.
func (b *book) translations(args []string) int {
	write := len(args) == 1 && args[0] == "--write"
	if len(args) > 0 && !write {
		return b.lacking(b.text.usage["translations"])
	}
	pages, err := chinesePages(b.module)
	if err != nil {
		return b.fault(err)
	}
	stale := 0
	for _, page := range pages {
		fresh, err := checkPage(page, write)
		if err != nil {
			return b.fault(err)
		}
		if !fresh {
			stale++
			name, _ := filepath.Rel(b.module, page)
			fmt.Fprintf(b.out, b.text.stalePage+"\n", name)
		}
	}
	fmt.Fprintf(b.out, b.text.translationsDone+"\n", len(pages), stale)
	if stale > 0 {
		return notYet
	}
	return pass
}

func chinesePages(module string) (pages []string, err error) {
	err = filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != module {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".zh.md") {
			pages = append(pages, path)
		}
		return err
	})
	return pages, err
}

var (
	stamp = regexp.MustCompile(`^<!-- translated from (\S+) @ (\S+) -->\n`)
	trees = regexp.MustCompile(`(?s)<!-- tree:.*?<!-- /tree -->`)
)

// checkPage compares the page's stamp with its source, or writes it.
func checkPage(page string, write bool) (fresh bool, err error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return false, err
	}
	source := strings.TrimSuffix(page, ".zh.md") + ".md"
	english, err := os.ReadFile(source)
	if err != nil {
		return false, err
	}
	want := fmt.Sprintf("<!-- translated from %s @ %s -->\n", filepath.Base(source), revision(english))
	has := stamp.Find(text)
	if string(has) == want || !write {
		return string(has) == want, nil
	}
	return true, os.WriteFile(page, append([]byte(want), text[len(has):]...), 0o644)
}

// revision names a page's text. The trees in it are recorded anew all the time and are nobody's translation.
func revision(page []byte) string {
	sum := sha256.Sum256(trees.ReplaceAll(page, nil))
	return fmt.Sprintf("%x", sum[:6])
}
