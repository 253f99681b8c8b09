package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
	"envoywalk/trace/mermaid"
)

// theirs opens an empty page with Mermaid itself in it. `npm install` here brings the one of package.json.
func theirs(t *testing.T) *Tab {
	t.Helper()
	script, err := filepath.Abs("node_modules/mermaid/dist/mermaid.min.js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(script); err != nil {
		if mustLook() {
			t.Fatalf("ENVOYWALK_MUST_LOOK is set: %v", err)
		}
		t.Skipf("SKIPPED: %v; run npm install here", err)
	}
	page := filepath.Join(t.TempDir(), "mermaid.html")
	text := fmt.Sprintf(`<!doctype html><meta charset="utf-8"><title>mermaid</title><script src="file://%s"></script>
<script>mermaid.initialize({startOnLoad: false}); document.documentElement.dataset.ready = "true"</script>`, script)
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := window(t)
	if err := tab.Load("file://" + page); err != nil {
		t.Fatal(err)
	}
	return tab
}

// parsed is what Mermaid makes of a diagram: its messages and notes, with their texts as it shows them.
type parsed struct {
	Type   string
	Error  string
	Texts  []string
	Actors []string
}

// Entities stay coded until they are drawn.
const parse = `(async texts => {
	const all = [];
	for (const text of texts) {
		try {
			const d = await mermaid.mermaidAPI.getDiagramFromText(text);
			all.push({Type: d.type, Error: "", Texts: d.db.getMessages().map(m => String(m.message)), Actors: d.db.getActorKeys()});
		} catch (e) {
			all.push({Type: "", Error: String(e), Texts: [], Actors: []});
		}
	}
	return all;
})(`

func parseAll(t *testing.T, tab *Tab, diagrams ...string) []parsed {
	t.Helper()
	texts, err := json.Marshal(diagrams)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Eval[[]parsed](tab, parse+string(texts)+")")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var messageLine = regexp.MustCompile(`(?m)^    (t\d+(->>|-\))t\d+|Note over t\d+): `)

func TestMermaidItselfReadsTheDiagramOfARun(t *testing.T) {
	tab := theirs(t)
	for _, chapter := range []string{"04", "06"} {
		text, err := os.ReadFile(exported(t, chapter, "mermaid")("mermaid"))
		if err != nil {
			t.Fatal(err)
		}
		lines := len(messageLine.FindAllString(string(text), -1))
		d := parseAll(t, tab, string(text))[0]
		if d.Error != "" || d.Type != "sequence" || len(d.Texts) != lines || lines < 40 || len(d.Actors) != strings.Count(string(text), "participant ") {
			t.Errorf("chapter %s: %s %q: %d of %d messages, actors %v\n%s", chapter, d.Type, d.Error, len(d.Texts), lines, d.Actors, text)
		}
		drawn, err := Eval[string](tab, fmt.Sprintf(`mermaid.render("d%s", %q).then(d => d.svg)`, chapter, text))
		if err != nil || !strings.Contains(drawn, "&lt;echo&gt;") || !strings.Contains(drawn, "addListener") {
			t.Errorf("chapter %s is drawn without its texts: %v\n%.3000s", chapter, err, drawn)
		}
	}
}

func TestNoHostileTextIsTakenForMermaid(t *testing.T) {
	tab := theirs(t)
	const texts, each = 10_000, 50
	r := rand.New(rand.NewPCG(12, 3))
	words := append([]string{";", "#", "#59;", "%%", "%%{init: {}}%%", "end", "\nend\n", "->>", "-)", ":", "participant x", "Note over t0: x",
		"style x:y#1;", "classDef a#b;", "@{", "---\ntitle: x\n---\n", "<br/>", "$$x$$", "wrap:", "as", "autonumber", "rect rgb(0,0,0)"}, worst...)
	var diagrams []string
	for range texts / each {
		var out strings.Builder
		d := mermaid.New(&out, mermaid.Options{})
		tracer := sdk.NewTracerProvider(sdk.WithSpanProcessor(d)).Tracer("test")
		for i := range each {
			var text strings.Builder
			for range r.IntN(8) {
				text.WriteString(words[r.IntN(len(words))])
			}
			hostileStep(tracer, i, text.String())
		}
		if err := d.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		diagrams = append(diagrams, out.String())
	}
	for i, d := range parseAll(t, tab, diagrams...) {
		if lines := len(messageLine.FindAllString(diagrams[i], -1)); d.Error != "" || len(d.Texts) != lines || lines < each {
			t.Fatalf("%q: %d of %d messages in\n%s", d.Error, len(d.Texts), lines, diagrams[i])
		}
	}
}

// hostileStep tells of a text in one of the ways that a diagram shows.
func hostileStep(tracer trace.Tracer, i int, text string) {
	kind, name := "later", "later: "+text
	more := []attribute.KeyValue{record.KeySeqStart.Int(i + 1), record.KeyThreadName.String("main_thread")}
	switch i % 4 {
	case 0:
		kind, name = "post", "post "+text
		more = append(more, record.KeyPostTo.String(text), record.KeyPostID.Int(i+1), record.KeyObject.String(text))
	case 1:
		kind, name = "syscall", "listen"
		more = append(more, record.KeySyscall.String("listen"), record.KeyArgs.String(text), record.KeyRetLabel.String(text))
	case 2:
		more[1] = record.KeyThreadName.String(text)
	}
	_, s := tracer.Start(context.Background(), name, trace.WithAttributes(append(more, record.KeyKind.String(kind))...))
	s.End()
}
