//go:build linux && (amd64 || arm64)

package chrome_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
	"envoywalk/trace/chrome"
	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}

func TestARealRunKeepsTheRulesAndEveryPostHasItsArrow(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		file := filepath.Join(t.TempDir(), "run.json")
		p := walktest.Start(t, chapter, "--trace", "json="+file)
		if status := p.Wait(); status != 0 {
			t.Fatalf("chapter %s: exit %d\n%s", chapter, status, p.Stderr)
		}
		run, err := saved.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		out.WriteString(chrome.Head)
		w := chrome.New(&out)
		run.Play(w)
		if err := w.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := draw(t, out.String())
		d.allEnded(t)
		kinds := map[string]int{}
		for _, s := range run.Spans {
			kinds[moment.Read(s).Kind]++
		}
		whole, halves := d.flows("post")
		if whole != kinds[moment.KindRun] || whole+halves != kinds[moment.KindPost] || d.slices != len(run.Spans)-kinds["story"] {
			t.Errorf("chapter %s: %d arrows and %d halves for %d posts and %d runs; %d slices for %d spans", chapter, whole,
				halves, kinds["post"], kinds["run"], d.slices, len(run.Spans))
		}
		threads, _ := d.flows("thread")
		accepts, lost := d.flows("accept")
		if threads != 2 || accepts != kinds["story"] || lost != 0 || len(d.stories) != kinds["story"] {
			t.Errorf("chapter %s: %d threads, %d accepts (%d lost), stories %v", chapter, threads, accepts, lost, d.stories)
		}
		t.Logf("chapter %s: %d slices, %d posts (%d never ran), %d bytes", chapter, d.slices, whole+halves, halves, out.Len())
	}
}
