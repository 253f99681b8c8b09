package reading

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"envoywalk/internal/step"
	"envoywalk/scripts/book/exercise"
)

// marked is how a doc comment names the steps that it tells: a class has no span.
var marked = regexp.MustCompile(`(?m)^steps?: ([a-z0-9-]+)|\(steps?: ([a-z0-9-]+(?:, ?[a-z0-9-]+)*)\)`)

// search finds where the steps stand in our code.
type search struct {
	constants map[string]step.Step
	found     map[step.Step]*Place
	chapter   map[step.Step]int // of the place found
	file      string            // from the root, with slashes
	number    int               // the file's chapter
	lines     []string
	set       *token.FileSet
}

// places are the functions that enter each step, and the types whose doc comments tell one.
func places(root string) (map[step.Step]*Place, error) {
	s := &search{constants: map[string]step.Step{}, found: map[step.Step]*Place{},
		chapter: map[step.Step]int{}, set: token.NewFileSet()}
	for _, one := range step.All() {
		s.constants[constant(one.Info().ID)] = one
	}
	err := filepath.WalkDir(filepath.Join(root, "chapters"), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "exercises":
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return s.read(root, path)
	})
	return s.found, err
}

// constant is the Go name of a step: its id, in capitals at each word.
func constant(id string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(id, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

func (s *search) read(root, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(s.set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	short, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	s.file, s.lines = filepath.ToSlash(short), strings.Split(string(text), "\n")
	s.number = chapterNumber(s.file)
	for _, d := range parsed.Decls {
		s.declaration(d)
	}
	return nil
}

func chapterNumber(file string) int {
	parts := strings.Split(file, "/")
	if len(parts) < 2 || len(parts[1]) < 2 {
		return -1
	}
	return int(parts[1][0]-'0')*10 + int(parts[1][1]-'0')
}

func (s *search) declaration(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		s.told(d, d.Doc, exercise.FuncName(d))
		ast.Inspect(d, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				s.entered(d, call)
			}
			return true
		})
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				s.told(d, d.Doc, t.Name.Name)
				s.told(t, t.Doc, t.Name.Name)
			}
		}
	}
}

// entered notes the step that a call of Enter or EnterStory enters; the step is its last argument.
func (s *search) entered(in *ast.FuncDecl, call *ast.CallExpr) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "Enter" && f.Sel.Name != "EnterStory" || len(call.Args) == 0 {
		return
	}
	arg, ok := call.Args[len(call.Args)-1].(*ast.SelectorExpr)
	if !ok {
		return
	}
	if pkg, ok := arg.X.(*ast.Ident); !ok || pkg.Name != "step" {
		return
	}
	if one, known := s.constants[arg.Sel.Name]; known {
		s.found[one], s.chapter[one] = s.place(in, in.Doc, exercise.FuncName(in)), -1 // nothing comes before this
	}
}

// told notes the steps that a doc comment names. The first chapter that tells one has it.
func (s *search) told(n ast.Node, doc *ast.CommentGroup, name string) {
	for _, m := range marked.FindAllStringSubmatch(doc.Text(), -1) {
		for id := range strings.SplitSeq(m[1]+m[2], ",") {
			one, known := step.ByID(strings.TrimSpace(id))
			if before, taken := s.chapter[one]; known && (!taken || s.number < before) {
				s.found[one], s.chapter[one] = s.place(n, doc, name), s.number
			}
		}
	}
}

func (s *search) place(n ast.Node, doc *ast.CommentGroup, name string) *Place {
	at, last := s.set.Position(n.Pos()).Line, s.set.Position(n.End()).Line
	first := at
	if doc != nil {
		first = min(first, s.set.Position(doc.Pos()).Line)
	}
	return &Place{Symbol: name, File: s.file, Line: at, First: first, Code: s.lines[first-1 : last]}
}
