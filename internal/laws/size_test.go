package laws

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// The sizes at which code still reads on a projector.
const (
	mostFileLines     = 400
	mostFunctionLines = 40
	mostColumns       = 110
	mostTestColumns   = 120 // nobody projects a test
	aimedColumns      = 100
	tabColumns        = 4
)

func inChapters(f *source) bool { return chapterOf(f.path) >= 0 && !f.isGenerated() }

func TestFilesAreShort(t *testing.T) {
	longest, files := 0, sources(t, "chapters/", inChapters)
	for _, f := range files {
		n := bytes.Count(f.text, []byte("\n"))
		longest = max(longest, n)
		if n > mostFileLines {
			t.Errorf("%s has %d lines, more than %d", f.path, n, mostFileLines)
		}
	}
	t.Logf("%d files, longest %d lines", len(files), longest)
}

func TestFunctionsAreShort(t *testing.T) {
	longest, functions := 0, 0
	for _, f := range sources(t, "chapters/", (*source).isWalk) {
		for _, fn := range f.functions() {
			n := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line + 1
			functions, longest = functions+1, max(longest, n)
			if n > mostFunctionLines {
				t.Errorf("%s: %s has %d lines, more than %d",
					f.place(fn), functionName(fn), n, mostFunctionLines)
			}
		}
	}
	t.Logf("%d functions, longest %d lines", functions, longest)
}

func TestLinesAreShort(t *testing.T) {
	lines, long, longest := 0, 0, 0
	for _, f := range sources(t, "chapters/", inChapters) {
		most := mostColumns
		if f.isTest() {
			most = mostTestColumns
		}
		for i, line := range bytes.Split(f.text, []byte("\n")) {
			n := utf8.RuneCount(line) + (tabColumns-1)*bytes.Count(line, []byte("\t"))
			lines, longest = lines+1, max(longest, n)
			if n > aimedColumns {
				long++
			}
			if n > most {
				t.Errorf("%s:%d has %d columns, more than %d", f.path, i+1, n, most)
			}
		}
	}
	t.Logf("%d lines, longest %d columns, %d over %d", lines, longest, long, aimedColumns)
}
