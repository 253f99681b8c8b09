package laws

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// wallClock are the methods and functions that give away a time without its monotonic reading, or make one that
// never had it. A machine's clock may be set back by an hour at any moment; a difference between times that both
// have a monotonic reading stays what it is.
var wallClock = []string{"Unix", "UnixNano", "UnixMilli", "UnixMicro", "UTC", "In", "AddDate", "CLOCK_REALTIME"}

// tellsTheTime are the files that write down when something was, for people or other programs, and do no sums.
var tellsTheTime = []string{"trace/otlp/convert.go", "trace/page/encoder.go", "trace/saved/otlp.go", "trace/strace/strace.go",
	"internal/accesslog/strftime.go", "internal/accesslog/start_time.go"}

func TestNothingButWhatWritesATimeDownReadsTheWallClock(t *testing.T) {
	used := map[string]bool{}
	looked := 0
	for _, f := range sources(t, "", func(f *source) bool { return !f.isTest() && onTheWay(f.path) }) {
		looked++
		ast.Inspect(f.ast, func(n ast.Node) bool {
			s, isSelector := n.(*ast.SelectorExpr)
			if !isSelector || !slices.Contains(wallClock, s.Sel.Name) || isPackage(s.X, "unicode") {
				return true
			}
			if used[f.path] = true; !slices.Contains(tellsTheTime, f.path) {
				t.Errorf("%s: %s: timers, timeouts and durations take the monotonic clock", f.fset.Position(n.Pos()),
					s.Sel.Name)
			}
			return true
		})
	}
	for _, path := range tellsTheTime {
		if !used[path] {
			t.Errorf("%s does not need its exception any more", path)
		}
	}
	t.Logf("%d files", looked)
}

// onTheWay: a connection, or the trace of it, meets this file. HTTP is left out: its headers tell the time.
func onTheWay(file string) bool {
	if chapter := chapterOf(file); chapter >= 0 {
		return chapter < 7
	}
	for _, folder := range []string{"trace/", "internal/kernel/", "internal/accesslog/", "internal/streaminfo/"} {
		if strings.HasPrefix(file, folder) {
			return true
		}
	}
	return false
}

func isPackage(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}
