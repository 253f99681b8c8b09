package laws

import (
	"slices"
	"strings"
	"testing"
)

// kernelNumbers are the packages that only the kernel door may know.
func kernelNumbers(path string) bool {
	return path == "syscall" || strings.HasPrefix(path, "golang.org/x/sys/")
}

// tellsSignals: os/signal takes signals by syscall's names, and chapter 01 is where signals are
// taken.
func tellsSignals(f *source, path string) bool {
	return path == "syscall" && strings.HasPrefix(f.path, "chapters/01-startup/") &&
		slices.Contains(f.imports(), "os/signal")
}

// looksAtAChild: the grader of the exercises asks the kernel about another process. None of it is in a chapter.
func looksAtAChild(f *source) bool {
	return strings.HasPrefix(f.path, "scripts/book/witness/") || strings.HasPrefix(f.path, "scripts/book/grade/")
}

// isWrong: a known wrong answer to an exercise, which may be wrong in just this.
func isWrong(f *source) bool {
	return strings.Contains(f.path, "/exercises/") && strings.Contains(f.path, "/wrong/")
}

func TestOnlyTheKernelDoorKnowsTheKernel(t *testing.T) {
	looked := 0
	for _, f := range sources(t, "", func(f *source) bool { return !f.isTest() }) {
		if strings.HasPrefix(f.path, "internal/kernel/") || looksAtAChild(f) || isWrong(f) {
			continue
		}
		looked++
		for _, path := range f.imports() {
			if kernelNumbers(path) && !tellsSignals(f, path) {
				t.Errorf("%s imports %s: go through internal/kernel", f.path, path)
			}
		}
	}
	t.Logf("%d files outside the door", looked)
}

func TestImportsPointOnlyBackwards(t *testing.T) {
	looked := 0
	for _, f := range sources(t, "", anyFile) {
		for _, path := range f.imports() {
			if strings.HasPrefix(path, module+"/") {
				looked++
				if why := forward(f.path, path); why != "" {
					t.Errorf("%s imports %s: %s", f.path, path, why)
				}
			}
		}
	}
	t.Logf("%d imports inside the project", looked)
}

// forward says what is wrong with an import, "" where nothing is.
func forward(file, path string) string {
	from, to := chapterOf(file), chapterOf(path)
	in := func(folder string) bool { return strings.HasPrefix(file, folder+"/") }
	switch {
	case from >= 0 && to > from:
		return "a later chapter"
	case from < 0 && to >= 0 && !strings.HasSuffix(file, "_test.go"):
		return "only chapters know chapters"
	case in("internal") && to >= 0:
		return "what all chapters stand on knows none, not even in a test"
	case in("trace") && strings.HasPrefix(path, module+"/internal/kernel"):
		return "the kernel door imports the trace, never the reverse"
	case in("internal/step") && path != module+"/internal/step":
		return "the map imports nothing of the project"
	}
	return ""
}

func TestEachBinaryHoldsNoLaterChapter(t *testing.T) {
	out := tool(t, "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./chapters/...")
	binaries := 0
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		deps := strings.Fields(line)
		if !strings.HasSuffix(deps[0], "/run") {
			continue
		}
		if !strings.Contains(deps[0], "/exercises/") {
			binaries++
		}
		for _, d := range deps[1:] {
			if chapterOf(d) > chapterOf(deps[0]) {
				t.Errorf("%s contains %s", deps[0], d)
			}
		}
	}
	if binaries != len(built(t)) {
		t.Errorf("%d binaries for %d chapters", binaries, len(built(t)))
	}
	t.Logf("%d binaries", binaries)
}
