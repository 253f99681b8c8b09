package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestATranslationIsStaleAsSoonAsItsSourceChanges(t *testing.T) {
	dir := t.TempDir()
	english, chinese := filepath.Join(dir, "README.md"), filepath.Join(dir, "README.zh.md")
	os.WriteFile(english, []byte("one\n<!-- tree:00 -->a<!-- /tree -->\n"), 0o644)
	os.WriteFile(chinese, []byte("<!-- translated from README.md @ TODO -->\n一\n"), 0o644)
	var out bytes.Buffer
	b := &book{out: &out, err: &out, module: dir, text: texts["en"]}

	if code := b.translations(nil); code != notYet || !strings.Contains(out.String(), "README.zh.md") {
		t.Fatalf("an unstamped page: exit %d, %q", code, out.String())
	}
	b.translations([]string{"--write"})
	if code := b.translations(nil); code != pass {
		t.Fatalf("just stamped: exit %d", code)
	}
	os.WriteFile(english, []byte("one\n<!-- tree:00 -->b<!-- /tree -->\n"), 0o644)
	if code := b.translations(nil); code != pass {
		t.Fatalf("only the tree was recorded anew: exit %d", code)
	}
	os.WriteFile(english, []byte("two\n"), 0o644)
	if code := b.translations(nil); code != notYet {
		t.Fatalf("the source changed: exit %d", code)
	}
	text, _ := os.ReadFile(chinese)
	if !strings.HasSuffix(string(text), "-->\n一\n") {
		t.Fatalf("the page itself changed: %q", text)
	}
}
