//go:build linux && (amd64 || arm64)

package saved_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"envoywalk/internal/walktest"
	"envoywalk/trace/saved"
	"envoywalk/trace/tree"
)

func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}

// The tree prints what it is told in the moment it is told: a played run that gives the same tree was told
// in the same order.
func TestTheTreeOfASavedRunIsTheTreeOfTheRun(t *testing.T) {
	for chapter, number := range map[string]int{"04": 4, "06": 6} {
		dir := t.TempDir()
		file := func(name string) string { return filepath.Join(dir, name) }
		p := walktest.Start(t, chapter, "--trace", "tree="+file("tree"), "--trace", "json="+file("json"),
			"--trace", "otlp="+file("otlp"), "--trace", "html="+file("html"))
		if status := p.Wait(); status != 0 {
			t.Fatalf("chapter %s: exit %d\n%s", chapter, status, p.Stderr)
		}
		live, err := os.ReadFile(file("tree"))
		if err != nil || len(live) < 5000 {
			t.Fatal(len(live), err)
		}
		for _, name := range []string{"json", "otlp", "html"} {
			s, err := saved.Open(file(name))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			show := tree.New(&out, tree.Options{Chapter: number})
			s.Play(show)
			if err := show.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if out.String() != string(live) {
				t.Errorf("chapter %s, %s:\n%s\nlive:\n%s", chapter, name, &out, live)
			}
		}
	}
}
