package browser

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"envoywalk/internal/walktest"
)

var chrome struct {
	once sync.Once
	*Chrome
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chrome.Chrome != nil {
		chrome.Close()
	}
	forgetRuns()
	walktest.CleanUp()
	os.Exit(code)
}

// mustLook: CI sets it, and then a machine without a browser is a failure and not a reason to skip.
func mustLook() bool { return os.Getenv("ENVOYWALK_MUST_LOOK") == "1" }

// window opens an empty window of the one browser that all tests share. At the end of the test whatever the page
// complained of, and was not asked for, is a failure.
func window(t testing.TB) *Tab {
	t.Helper()
	chrome.once.Do(func() { chrome.Chrome, chrome.err = Open() })
	if chrome.err != nil {
		if mustLook() {
			t.Fatalf("ENVOYWALK_MUST_LOOK is set: %v", chrome.err)
		}
		t.Skipf("SKIPPED: %v; install chromium, or set CHROME to one", chrome.err)
	}
	tab, err := chrome.Tab(1400, 900)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range tab.Complaints() {
			t.Errorf("the page complained: %s", c)
		}
		tab.Close()
	})
	return tab
}

// open opens url in a window of its own, past the tour of a first visit.
func open(t testing.TB, url string) *Tab {
	t.Helper()
	tab := window(t)
	if err := tab.Load(url); err != nil {
		t.Fatal(err)
	}
	closeTour(t, tab)
	return tab
}

// closeTour ends the tour that greets a first visit.
func closeTour(t testing.TB, tab *Tab) {
	t.Helper()
	if eval[bool](t, tab, `!!document.querySelector("#tour")?.open`) {
		press(t, tab, escape)
	}
}

// eval is Eval that cannot fail.
func eval[T any](t testing.TB, tab *Tab, expression string, args ...any) T {
	t.Helper()
	v, err := Eval[T](tab, expression, args...)
	if err != nil {
		t.Fatalf("%s: %v; the page said %q", fmt.Sprintf(strings.ReplaceAll(expression, "\n", " "), args...), err,
			tab.Complaints())
	}
	return v
}

// forgive takes complaints away that the test itself gave cause for.
func forgive(t testing.TB, tab *Tab, about string) {
	t.Helper()
	for _, c := range tab.Complaints() {
		if !strings.Contains(c, about) {
			t.Errorf("the page complained: %s", c)
		}
	}
}

func press(t testing.TB, tab *Tab, keys string) {
	t.Helper()
	if err := tab.Key(keys); err != nil {
		t.Fatalf("key %q: %v", keys, err)
	}
}

func wait(t testing.TB, tab *Tab, expression string, args ...any) {
	t.Helper()
	if err := tab.Wait(fmt.Sprintf(expression, args...)); err != nil {
		t.Fatal(err)
	}
}

// data is a data- attribute of the page's root, where it says how it stands.
func data(t testing.TB, tab *Tab, name string) string {
	t.Helper()
	return eval[string](t, tab, `document.documentElement.getAttribute("data-%s") ?? ""`, name)
}

// seqNow is the seq of the current event.
func seqNow(t testing.TB, tab *Tab) int64 {
	t.Helper()
	return eval[int64](t, tab, `Number(document.documentElement.dataset.seq)`)
}

// jump goes to a seq by the hash, as a link of a teacher does.
func jump(t testing.TB, tab *Tab, seq int64) {
	t.Helper()
	// A hash that stands there already, because the page writes it with a little delay, is no change.
	eval[bool](t, tab, `(location.hash === "#%[1]d" ? envoywalk.goSeq(%[1]d) : location.hash = "#%[1]d", true)`, seq)
	wait(t, tab, `document.documentElement.dataset.seq === "%d"`, seq)
}
