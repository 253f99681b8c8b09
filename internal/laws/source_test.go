package laws

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "envoywalk"

// root is the folder of go.mod, as seen from this package.
const root = "../.."

// source is one Go file of the project.
type source struct {
	path string // from the root, with slashes
	text []byte
	ast  *ast.File
	fset *token.FileSet
}

// project parses every Go file once.
var project = sync.OnceValues(func() (files []*source, err error) {
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || strings.HasPrefix(name, ".") && len(name) > 2):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		f := &source{fset: fset}
		if f.text, err = os.ReadFile(path); err != nil {
			return err
		}
		short, _ := filepath.Rel(root, path)
		f.path = filepath.ToSlash(short)
		f.ast, err = parser.ParseFile(fset, f.path, f.text, parser.ParseComments)
		files = append(files, f)
		return err
	})
	return files, err
})

// sources are the files below a folder that keep returns true for.
func sources(t *testing.T, below string, keep func(*source) bool) []*source {
	t.Helper()
	all, err := project()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(f *source) bool {
		return !strings.HasPrefix(f.path, below) || !keep(f)
	})
}

func anyFile(*source) bool { return true }

func (f *source) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// isWalk: the chapters' own code. Exercises hold wrong code on purpose, and have laws of their own.
func (f *source) isWalk() bool {
	return strings.HasPrefix(f.path, "chapters/") && !f.isTest() &&
		!strings.Contains(f.path, "/exercises/")
}

// isGenerated files answer to their generator.
func (f *source) isGenerated() bool { return ast.IsGenerated(f.ast) }

func (f *source) imports() []string {
	var paths []string
	for _, i := range f.ast.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		paths = append(paths, path)
	}
	return paths
}

// place is file:line of a node.
func (f *source) place(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.fset.Position(n.Pos()).Line)
}

func (f *source) functions() []*ast.FuncDecl {
	var all []*ast.FuncDecl
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			all = append(all, fn)
		}
	}
	return all
}

// chapterOf is the number of the chapter that a path from the root, or an import path, lies in; -1
// if none.
func chapterOf(path string) int {
	path = strings.TrimPrefix(path, module+"/")
	rest, in := strings.CutPrefix(path, "chapters/")
	if !in || len(rest) < 3 {
		return -1
	}
	n, err := strconv.Atoi(rest[:2])
	if err != nil {
		return -1
	}
	return n
}

// built are the numbers of the chapters that are there.
func built(t *testing.T) map[int]string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(root, "chapters", "[0-9][0-9]-*"))
	if err != nil {
		t.Fatal(err)
	}
	chapters := map[int]string{}
	for _, path := range folders {
		name := filepath.Base(path)
		chapters[chapterOf("chapters/"+name)] = name
	}
	return chapters
}

// tool runs the go command at the root, for Linux whatever this is.
func tool(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

// exceptions are what a law lets pass, each with its reason.
type exceptions map[string]string

// unused fails for every exception that nothing needed.
func (e exceptions) unused(t *testing.T, needed map[string]bool) {
	t.Helper()
	for what, reason := range e {
		if !needed[what] {
			t.Errorf("the exception %q (%s) is not needed any more: take it out", what, reason)
		}
	}
}
