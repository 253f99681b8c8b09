package page

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"envoywalk/internal/step"
	record "envoywalk/trace"
)

func TestAPageThatIsReopenedIsWholeByItself(t *testing.T) {
	var w bytes.Buffer
	p := NewRecording(&w, time.Time{})
	r := record.New(record.Config{Service: "envoywalk 04-threading", Processors: []sdkProcessor{p}})
	main := r.Thread("main_thread", 10, 0)
	run := main.Enter(step.ListenerManagerStartWorkers)
	main.Enter(step.WorkerAddListener).Exit()
	main.Flush()
	waitUntil(t, "two spans are told", func() bool { return r.Told() > 0 })
	var old string
	p.Reopen(func() { old = w.String(); w.Reset() })
	main.Enter(step.WorkerAddListener).Exit()
	run.Exit()
	main.End()
	stats, _ := r.Close(context.Background())
	p.Stats(stats)
	for name, text := range map[string]string{"old": old, "new": w.String()} {
		spans, cut, err := Read(strings.NewReader(text))
		if err != nil || len(spans) != 3 { // the thread, the function that is open, one inside of it
			t.Errorf("%s file: %d spans, %v", name, len(spans), err)
		}
		if want := map[string]string{"old": NotEnded, "new": ""}[name]; cut != want {
			t.Errorf("%s file: %q", name, cut)
		}
	}
	if strings.Contains(w.String(), "stats") {
		t.Error("a line stands outside of a chunk")
	}
}

func TestAPageThatIsCutOffShowsWhatItHas(t *testing.T) {
	var w bytes.Buffer
	p := NewRecording(&w, time.Time{})
	aRun(t, p)
	whole := w.String()
	if spans, cut, err := Read(strings.NewReader(whole)); err != nil || len(spans) != 9 || cut != NotEnded {
		t.Errorf("only the end is missing: %d spans, %q, %v", len(spans), cut, err)
	}
	for at, least := range map[int]int{len(whole) / 2: 1, len(whole) * 9 / 10: 5, len(whole) - 3: 9} {
		if spans, cut, err := Read(strings.NewReader(whole[:at])); err != nil || len(spans) < least || cut != CutOff {
			t.Errorf("the only chunk is cut at %d: %d spans, %q, %v", at, len(spans), cut, err)
		}
		if spans, cut, err := Read(strings.NewReader(whole + whole[:at])); err != nil || len(spans) != 9 || cut != CutOff {
			t.Errorf("the second chunk is cut at %d: %d spans, %q, %v", at, len(spans), cut, err)
		}
	}
	if _, _, err := Read(strings.NewReader(whole[:len(chunkType)+60])); err != ErrNothingLeft {
		t.Errorf("cut before the first span: %v", err)
	}
}

func TestLinesWaitNoLongerThanASecond(t *testing.T) {
	var w lockedBuffer
	p := NewRecording(&w, time.Time{})
	r := record.New(record.Config{Service: "x", Processors: []sdkProcessor{p}})
	main := r.Thread("main_thread", 10, 0)
	main.Flush()
	waitUntil(t, "the first line is written", func() bool { return w.contains(chunkType) })
	main.End()
	r.Close(context.Background())
}

func TestWhatIsNoPageIsRefused(t *testing.T) {
	for _, text := range []string{"", "<!doctype html>", "{}"} {
		if _, _, err := Read(strings.NewReader(text)); err != ErrNoPage {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, _, err := Read(bytes.NewReader(Document(""))); err != ErrNothingLeft {
		t.Errorf("a page without any line: %v", err)
	}
	broken := `<script type="` + chunkType + `" data-lines="1">AAAA</script>` + "\n"
	if _, _, err := Read(strings.NewReader(broken)); err == nil || !strings.Contains(err.Error(), "chunk 1") {
		t.Error(err)
	}
}

func TestThePageJoinsEveryModuleAndStyleThatThereIs(t *testing.T) {
	listed := map[string]bool{"index.html": true}
	for _, name := range append(append([]string{}, styles...), modules...) {
		listed[name] = true
	}
	entries, _ := os.ReadDir("web")
	for _, e := range entries {
		if !e.IsDir() && !listed[e.Name()] {
			t.Errorf("web/%s is not in the page", e.Name())
		}
		delete(listed, e.Name())
	}
	for name := range listed {
		t.Errorf("the page wants web/%s, and it is not there", name)
	}
}

func TestTheScriptIsOneModuleWithoutImports(t *testing.T) {
	if line := regexp.MustCompile(`(?m)^\s*(import|export)\b.*$`).FindString(script()); line != "" {
		t.Errorf("left in the script: %s", line)
	}
	names := map[string]string{}
	for _, name := range modules {
		text := read(name)
		for _, m := range regexp.MustCompile(`(?m)^(?:export )?(?:async )?(?:function\*?|const|let|class) ([\w$]+)`).
			FindAllStringSubmatch(text, -1) {
			if other := names[m[1]]; other != "" {
				t.Errorf("%s is declared in %s and in %s, which are one module in the page", m[1], other, name)
			}
			names[m[1]] = name
		}
	}
	if strings.Contains(script(), "</script") || strings.Contains(style(), "</style") {
		t.Error("the page would end in the midst of its own script")
	}
}

func TestADocumentAsksNobodyForAnything(t *testing.T) {
	text := string(Document(""))
	for _, found := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(found[1], "#") && !strings.HasPrefix(found[1], "data:") {
			t.Errorf("it asks for %s", found[1])
		}
	}
	if !strings.Contains(Policy(""), "connect-src 'none'") || !strings.Contains(Policy("/e"), "connect-src 'self'") {
		t.Error("a file may ask, or a live page may not")
	}
}

func TestASourceIsOnlyReadBelowTheRoot(t *testing.T) {
	root := t.TempDir()
	os.WriteFile(filepath.Join(root, "a.go"), []byte("package a\n"), 0o600)
	os.WriteFile(filepath.Join(root, "secret.txt"), []byte("x"), 0o600)
	for path, there := range map[string]bool{"a.go": true, "../" + filepath.Base(root) + "/a.go": false,
		"/etc/passwd": false, "secret.txt": false, "b.go": false} {
		if l := source(root, path, time.Time{}); l.Missing == there {
			t.Errorf("%s: %+v", path, l)
		}
	}
	if l := source(root, "a.go", time.Unix(1, 0)); !l.Newer || len(l.SHA256) != 64 {
		t.Errorf("%+v", l)
	}
}
