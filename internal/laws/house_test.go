package laws

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// variables are the package variables of the chapters that are neither tables, nor errors, nor
// embedded files.
var variables = exceptions{}

func TestChaptersHaveNoPackageVariables(t *testing.T) {
	needed, tables := map[string]bool{}, 0
	for _, f := range sources(t, "chapters/", (*source).isWalk) {
		for _, d := range f.ast.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				what := f.path + " " + spec.Names[0].Name
				switch {
				case isConstantLike(decl, spec):
					tables++
				case variables[what] != "":
					needed[what] = true
				default:
					t.Errorf("%s: package variable %s: it belongs in Seams, or in what uses it",
						f.place(spec), spec.Names[0].Name)
				}
			}
		}
	}
	variables.unused(t, needed)
	t.Logf("%d tables, errors and embedded files", tables)
}

// isConstantLike: what Go cannot write as a const and nobody changes.
func isConstantLike(decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{decl.Doc, spec.Doc} {
		if doc != nil && strings.Contains(rawText(doc), "//go:embed ") {
			return true
		}
	}
	if spec.Names[0].Name == "_" {
		return true // it asks the compiler whether a type has its methods
	}
	for _, v := range spec.Values {
		if !isConstantValue(v) {
			return false
		}
	}
	return len(spec.Values) > 0
}

func rawText(g *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(c.Text + "\n")
	}
	return b.String()
}

// isConstantValue: errors, compiled patterns, and tables. A function in a package's table closes
// over nothing.
func isConstantValue(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CallExpr:
		s, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, _ := s.X.(*ast.Ident)
		return pkg != nil && (pkg.Name == "errors" || pkg.Name == "regexp" ||
			pkg.Name == "fmt" && s.Sel.Name == "Errorf")
	case *ast.CompositeLit:
		_, isMap := e.Type.(*ast.MapType)
		_, isArray := e.Type.(*ast.ArrayType)
		return isMap || isArray
	}
	return false
}

func TestEachChapterIsWiredInOnePlace(t *testing.T) {
	wires := map[int][]string{}
	for _, f := range sources(t, "chapters/", (*source).isWalk) {
		for _, fn := range f.functions() {
			if fn.Name.Name == "Wire" {
				wires[chapterOf(f.path)] = append(wires[chapterOf(f.path)], f.path)
			}
		}
	}
	chapters := built(t)
	for n, name := range chapters {
		if n == 0 {
			continue // it has its demo, and leaves nothing open
		}
		seams := "chapters/" + name + "/seams.go"
		if _, err := os.Stat(filepath.Join(root, seams)); err != nil {
			t.Errorf("%s is missing", seams)
		}
		if len(wires[n]) != 1 || wires[n][0] != seams {
			t.Errorf("chapter %s: Wire stands in %v, want it once, in seams.go", name, wires[n])
		}
	}
	t.Logf("%d chapters", len(chapters))
}

// heapDefers are the places where a defer may cost an allocation.
var heapDefers = exceptions{}

var deferLine = regexp.MustCompile(`(?m)^(chapters/\S+\.go):(\d+):\d+: (heap|stack|open-coded)[- ]`)

func TestNoDeferOfAChapterIsOnTheHeap(t *testing.T) {
	if testing.Short() {
		t.Skip("asks the compiler")
	}
	out := tool(t, "list", "-export", "-gcflags=-d=defer=1", "./chapters/...") // compiles, and links no program
	count, needed := map[string]int{}, map[string]bool{}
	for _, m := range deferLine.FindAllStringSubmatch(out, -1) {
		count[m[3]]++
		if m[3] != "heap" {
			continue
		}
		if heapDefers[m[1]] != "" {
			needed[m[1]] = true
			continue
		}
		t.Errorf("%s:%s: this defer allocates: a defer in a loop, or behind a branch", m[1], m[2])
	}
	if count["open-coded"] == 0 {
		t.Errorf("the compiler spoke of no open-coded defer: is it read right?\n%.500s", out)
	}
	heapDefers.unused(t, needed)
	t.Logf("%d defers open-coded, %d on the stack, %d on the heap",
		count["open-coded"], count["stack"], count["heap"])
}
