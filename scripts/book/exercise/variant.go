package exercise

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
)

// Variants of an answer. The learner's own is "".
const (
	Starter  = "starter"
	Solution = "solution"
)

// AnswerFile is where the answer of a variant stands: "", starter, solution, or wrong/NAME.
func (e *Exercise) AnswerFile(root, variant string) string {
	return filepath.Join(root, filepath.FromSlash(e.Dir), filepath.FromSlash(variant), e.Answer)
}

// Overlay writes into dir what `go build -overlay` wants: other contents in the place of files, the tree
// itself untouched. It returns the file's path, "" where nothing is replaced.
func Overlay(dir string, replace map[string]string) (string, error) {
	if len(replace) == 0 {
		return "", nil
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

// Swap returns the source of file with those functions replaced that mutant declares too, name and
// receiver alike: there must be one. name is what it is called, first and last are its lines in file.
func Swap(file, mutant string) (source []byte, name string, first, last int, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, "", 0, 0, err
	}
	other, err := os.ReadFile(mutant)
	if err != nil {
		return nil, "", 0, 0, err
	}
	there, err := functions(file, text)
	if err != nil {
		return nil, "", 0, 0, err
	}
	swaps, err := functions(mutant, other)
	if err != nil {
		return nil, "", 0, 0, err
	}
	for key, f := range swaps {
		old, ok := there[key]
		if !ok {
			return nil, "", 0, 0, fmt.Errorf("%s: %s has no function %s", mutant, file, key)
		}
		name = key
		first, last = 1+bytes.Count(text[:old.from], newline), 1+bytes.Count(text[:old.to], newline)
		text = bytes.Join([][]byte{text[:old.from], other[f.from:f.to], text[old.to:]}, nil)
	}
	if len(swaps) != 1 {
		return nil, "", 0, 0, fmt.Errorf("%s: a mutant is one function, this is %d", mutant, len(swaps))
	}
	return text, name, first, last, nil
}

// Lines are where a function stands in its file, without its comment.
type Lines struct{ First, Last int }

// Functions are the functions of a file, by Receiver.name.
func Functions(file string) (map[string]Lines, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	there, err := functions(file, text)
	all := map[string]Lines{}
	for name, f := range there {
		all[name] = Lines{1 + bytes.Count(text[:f.from], newline), 1 + bytes.Count(text[:f.to], newline)}
	}
	return all, err
}

var newline = []byte{'\n'}

// span is where a function stands in its file, without its comment.
type span struct{ from, to int }

// functions are a file's, by Receiver.name.
func functions(path string, text []byte) (map[string]span, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	all := map[string]span{}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			all[FuncName(f)] = span{set.Position(f.Pos()).Offset, set.Position(f.End()).Offset}
		}
	}
	return all, nil
}

// FuncName is Receiver.name, or name.
func FuncName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}
