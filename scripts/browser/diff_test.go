package browser

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// differences gives the page a second file and returns what it says of it.
func differences(t testing.TB, tab *Tab, file string) string {
	t.Helper()
	press(t, tab, "d")
	if !eval[bool](t, tab, `!document.querySelector("#diff").hidden`) {
		t.Fatal("d opened no diff")
	}
	if err := tab.Upload("#diff-file", file); err != nil {
		t.Fatal(err)
	}
	wait(t, tab, `envoywalk.diff && envoywalk.diff.result`)
	return eval[string](t, tab, `document.querySelector("#diff").textContent`)
}

const counts = `[envoywalk.diff.result.missing.length, envoywalk.diff.result.extra.length, envoywalk.diff.result.reordered.length]`

func TestARunDoesNotDifferFromItself(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	text := differences(t, tab, r.page)
	if n := eval[[]int](t, tab, counts); !slices.Equal(n, []int{0, 0, 0}) {
		t.Errorf("missing, extra, reordered: %v\n%s", n, text)
	}
}

// withoutOnePost takes a post and what hangs on it out of a page's lines.
func withoutOnePost(t testing.TB, all string) (text, post string) {
	t.Helper()
	var kept []string
	for _, line := range strings.SplitAfter(all, "\n") {
		if post == "" && strings.Contains(line, `"K":"post"`) && strings.Contains(line, "addListener") {
			var b struct{ X string }
			if err := json.Unmarshal([]byte(line), &b); err != nil {
				t.Fatal(err)
			}
			post = b.X
			continue
		}
		kept = append(kept, line)
	}
	if post == "" {
		t.Fatal("no post in these lines")
	}
	return strings.Join(kept, ""), post
}

func TestAPostThatIsGoneIsNamed(t *testing.T) {
	r := demo(t, "04")
	text, post := withoutOnePost(t, lines(t, r.page))
	other := filepath.Join(t.TempDir(), "other.html")
	rewrite(t, r.page, other, text)
	tab := open(t, r.url)
	said := differences(t, tab, other)
	n := eval[[]int](t, tab, counts)
	if n[0] == 0 {
		t.Errorf("nothing is missing: %v", n)
	}
	if !strings.Contains(said, "addListener") {
		t.Errorf("%q is not named: %s", post, said)
	}
	missing := eval[[]string](t, tab, `envoywalk.diff.result.missing.map(e => e.kind + " " + e.text)`)
	anyWorker := func(s string) string { return regexp.MustCompile(`\d+`).ReplaceAllString(s, "N") } // they are interchangeable
	if !slices.ContainsFunc(missing, func(m string) bool { return anyWorker(m) == "post "+anyWorker(post) }) {
		t.Errorf("missing are %q, the post was %q", missing, post)
	}
}

func TestAnotherRunOfTheSameChapterDiffersInNothingButChance(t *testing.T) {
	a := demo(t, "04")
	b := runDemo(t, "04", t.TempDir())
	tab := open(t, a.url)
	text := differences(t, tab, b.page)
	n := eval[[]int](t, tab, counts)
	t.Logf("missing, extra, reordered: %v", n)
	if n[0] > 0 || n[1] > 0 {
		t.Logf("%s", text)
	}
}

func TestAFileThatIsNoTraceIsToldSo(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	press(t, tab, "d")
	if err := tab.Upload("#diff-file", "go.mod"); err != nil {
		t.Fatal(err)
	}
	wait(t, tab, `document.querySelector("#diff").textContent.includes("go.mod")
		|| /not|no /.test(document.querySelector("#diff").textContent)`)
	if eval[bool](t, tab, `!!(envoywalk.diff && envoywalk.diff.result)`) {
		t.Error("go.mod was compared")
	}
}
