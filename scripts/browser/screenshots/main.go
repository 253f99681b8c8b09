// Command screenshots makes the pictures of the README and the walks: five moments of real runs, each in English and
// in Chinese, and beside each a text of what it shows.
//
//	go run ./screenshots          makes docs/pictures anew
//	go run ./screenshots -check   says which pictures no longer show what a run of today shows
//
// Run it in scripts/browser.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"envoywalk/scripts/browser"
)

func main() {
	check := flag.Bool("check", false, "compare with what is there, write nothing")
	tries := flag.Int("tries", 8, "runs to make before a picture is called stale: threads meet differently")
	flag.Parse()
	if err := run(*check, *tries); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(check bool, tries int) error {
	root, err := module()
	if err != nil {
		return err
	}
	chrome, err := browser.Open()
	if err != nil {
		return err
	}
	defer chrome.Close()
	dir, err := os.MkdirTemp("", "envoywalk-pictures")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &studio{chrome: chrome, root: root, dir: dir, out: filepath.Join(root, "docs", "pictures"), built: map[string]string{}}
	if check {
		return s.check(tries)
	}
	return s.shootAll(tries)
}

// module is the folder of the readers' module, two above this one.
func module() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "envoywalk").Output()
	if err != nil {
		return "", fmt.Errorf("run this in scripts/browser: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// studio takes the pictures.
type studio struct {
	chrome         *browser.Chrome
	root, dir, out string
	built          map[string]string // binaries by chapter
	runs           int
}

// shootAll writes every picture. Where the text of a moment is as it was in one of the runs, its pictures stay
// as they are: no byte changes without a reason.
func (s *studio) shootAll(tries int) error {
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	for _, m := range moments {
		if s.missing(m) == "" && s.stale(m, tries) == nil {
			fmt.Printf("ok     %s\n", m.name)
			continue
		}
		err := s.shoot(m)
		for n := 1; n < tries && errors.Is(err, errNotInThisRun); n++ {
			err = s.shoot(m)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Printf("made   %s\n", m.name)
	}
	return nil
}

func (s *studio) check(tries int) error {
	var stale []error
	for _, m := range moments {
		if name := s.missing(m); name != "" {
			stale = append(stale, fmt.Errorf("%s is not there", name))
			continue
		}
		if err := s.stale(m, tries); err != nil {
			stale = append(stale, err)
			continue
		}
		fmt.Printf("ok     %s\n", m.name)
	}
	if len(stale) > 0 {
		return fmt.Errorf("%w\nMake them anew: cd scripts/browser && go run ./screenshots", errors.Join(stale...))
	}
	return nil
}

func (s *studio) files(m moment) []string {
	return []string{m.name + ".txt", m.name + ".en.png", m.name + ".zh.png"}
}

// missing names a file of m that is not there, or is larger than a README should carry.
func (s *studio) missing(m moment) string {
	for _, f := range s.files(m) {
		if info, err := os.Stat(filepath.Join(s.out, f)); err != nil || info.Size() > maxPicture {
			return f
		}
	}
	return ""
}

// stale compares the text of m with that of up to tries runs; one that agrees is enough.
func (s *studio) stale(m moment, tries int) error {
	recorded, err := os.ReadFile(filepath.Join(s.out, m.name+".txt"))
	if err != nil {
		return err
	}
	var last string
	for range tries {
		tab, err := s.visit(m, "en")
		if errors.Is(err, errNotInThisRun) {
			last = err.Error()
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		last, err = says(tab)
		tab.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if last == string(recorded) {
			return nil
		}
	}
	return fmt.Errorf("%s shows something else now:\n%s", m.name, difference(string(recorded), last))
}

func difference(was, is string) string {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	var out bytes.Buffer
	for i := range max(len(a), len(b)) {
		old, now := line(a, i), line(b, i)
		if old != now {
			fmt.Fprintf(&out, "  was %s\n  is  %s\n", old, now)
		}
	}
	return out.String()
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}
