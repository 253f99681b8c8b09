package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"envoywalk/internal/walktest"
)

// ran is one run of a chapter's demo, told by three sinks at once.
type ran struct {
	url    string
	page   string // the file
	oracle *oracle
	tree   map[int64]string // a line of the terminal by its seq
}

// Demos run once; the tests only look.
var runs = struct {
	sync.Mutex
	dir string
	of  map[string]*ran
}{of: map[string]*ran{}}

func forgetRuns() { os.RemoveAll(runs.dir) }

// demo runs a chapter without -c, with two workers.
func demo(t testing.TB, chapter string) *ran {
	t.Helper()
	runs.Lock()
	defer runs.Unlock()
	if r := runs.of[chapter]; r != nil {
		return r
	}
	r := runDemo(t, chapter, runsDir(t))
	runs.of[chapter] = r
	return r
}

func runsDir(t testing.TB) string {
	t.Helper()
	if runs.dir == "" {
		dir, err := os.MkdirTemp("", "envoywalk-browser")
		if err != nil {
			t.Fatal(err)
		}
		runs.dir = dir
	}
	return runs.dir
}

// runDemo runs it anew into dir.
func runDemo(t testing.TB, chapter, dir string, args ...string) *ran {
	t.Helper()
	file := func(kind string) string { return filepath.Join(dir, chapter+"."+kind) }
	p := walktest.Start(t, chapter, append([]string{"--concurrency", "2", "--trace", "html=" + file("html"),
		"--trace", "json=" + file("json"), "--trace", "tree", "--tree=all"}, args...)...)
	if code := p.Wait(); code != 0 {
		t.Fatalf("chapter %s: exit %d\n%s", chapter, code, p.Stderr)
	}
	return &ran{url: "file://" + file("html"), page: file("html"), oracle: readOracle(t, file("json")),
		tree: treeLines(p.Stdout.String())}
}

// A line of the tree: gutter, thread, seq, text, place. The head, which names the gutter's columns, has no gutter.
var treeLine = regexp.MustCompile(`(?m)^[^\na-z0-9][^\n0-9]*?(?:main|[a-z_]+[a-z0-9_:]*) +(\d+) (.*)$`)

func treeLines(text string) map[int64]string {
	lines := map[int64]string{}
	for _, m := range treeLine.FindAllStringSubmatch(text, -1) {
		seq, err := strconv.ParseInt(m[1], 10, 64)
		if err == nil {
			lines[seq] = m[2]
		}
	}
	return lines
}

func (r *ran) String() string { return fmt.Sprintf("%s, %d spans", r.page, len(r.oracle.spans)) }
