package grade

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envoywalk/scripts/book/exercise"
)

func TestEveryTextOfTheGradersOwnIsFoundInBothLanguages(t *testing.T) {
	functions := map[string]exercise.Lines{"Dispatcher.Post": {First: 40, Last: 48}, "wakeUp": {First: 1, Last: 2}}
	all := []exercise.Words{gaveUp, standsStill, refusedConfig, noOpinion, wantNumber, wantYesNo, endedItself(0),
		endedItself(7)}
	for _, f := range []found{{"Post", 55}, {"wakeUp", 0}, {"wakup", 1}, {"xyzzy", 1}} {
		all = append(all, f.nowhere("chapters/00/post.go", functions))
	}
	for _, w := range all {
		if got, known := InBoth(w.En); !known || got != w {
			t.Errorf("%q is %+v", w.En, got)
		}
	}
	if got, known := InBoth("an exercise's own"); known {
		t.Errorf("what is not ours is %+v", got)
	}
}

// noMistake are texts that are told of a run, not of an answer: no progress file has them.
var noMistake = map[string]bool{"theEnd": true}

// A text that InBoth does not know stands in English in a Chinese class.
func TestNoTextOfTheGradersOwnIsForgotten(t *testing.T) {
	known, err := os.ReadFile("known.go")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if _, isFunc := n.(*ast.FuncDecl); isFunc {
				return false
			}
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			text, ok := v.Values[0].(*ast.CompositeLit)
			if !ok {
				return true
			}
			of, ok := text.Type.(*ast.SelectorExpr)
			name := v.Names[0].Name
			if ok && of.Sel.Name == "Words" && !noMistake[name] && !strings.Contains(string(known), name) {
				t.Errorf("%s: %s", file, name)
			}
			return true
		})
	}
}
