package laws

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// A law that sees nothing is no law: here each is shown somebody who breaks it.

func canned(t *testing.T, path, text string) *source {
	t.Helper()
	f := &source{path: path, text: []byte(text), fset: token.NewFileSet()}
	var err error
	if f.ast, err = parser.ParseFile(f.fset, path, text, parser.ParseComments); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheSpanLawSeesItsBreakers(t *testing.T) {
	for body, want := range map[string]enter{
		`defer l.Enter(step.A).Exit()`:                      {constant: "A", first: true},
		`defer x.lane().EnterStory(s, step.A).On(1).Exit()`: {constant: "A", first: true},
		`work(); defer l.Enter(step.A).Exit()`:              {constant: "A"},
		`l.Enter(step.A).Exit()`:                            {constant: "A"},
		`defer l.Enter(s).Exit()`:                           {first: true},
		`defer l.Enter(other.A).Exit()`:                     {first: true},
		`for { defer l.Enter(step.A).Exit() }`:              {constant: "A", inLoop: true},
		`for range n { if x { l.Enter(step.A) } }`:          {constant: "A", inLoop: true},
		`for { go func() { defer l.Enter(step.A).Exit() }() }`: {
			constant: "A", first: true}, // the literal is a function of its own
	} {
		f := canned(t, "chapters/00-x/x.go", "package x\nfunc f() {\n"+body+"\n}\n")
		w := &enterWalk{enter: enter{file: f}}
		w.body(f.functions()[0].Body)
		if len(w.found) != 1 {
			t.Errorf("%s: %d spans found", body, len(w.found))
			continue
		}
		got := w.found[0]
		if got.constant != want.constant || got.first != want.first || got.inLoop != want.inLoop {
			t.Errorf("%s: constant %q, first %v, in a loop %v",
				body, got.constant, got.first, got.inLoop)
		}
	}
}

func TestTheImportLawSeesItsBreakers(t *testing.T) {
	for _, c := range []struct {
		file, path string
		wrong      bool
	}{
		{"chapters/02-a/a.go", "envoywalk/chapters/03-b", true},
		{"chapters/02-a/a_test.go", "envoywalk/chapters/03-b", true},
		{"chapters/02-a/a.go", "envoywalk/chapters/01-b", false},
		{"internal/log/a_test.go", "envoywalk/chapters/00-a", true},
		{"trace/a.go", "envoywalk/internal/kernel", true},
		{"trace/a.go", "envoywalk/internal/step", false},
		{"scripts/book/a.go", "envoywalk/chapters/00-a", true},
		{"internal/step/a.go", "envoywalk/trace", true},
		{"internal/kernel/a.go", "envoywalk/trace", false},
	} {
		if why := forward(c.file, c.path); (why != "") != c.wrong {
			t.Errorf("%s imports %s: %q", c.file, c.path, why)
		}
	}
}

func TestTheVariableLawSeesItsBreakers(t *testing.T) {
	f := canned(t, "chapters/00-x/x.go", `package x
var count int
var current = &Server{}
var made = New()
var state Server = Server{}
var names = map[int]string{1: "one"}
var order = []string{"a", "b"}
var errGone = errors.New("gone")
var _ io.Writer = (*Server)(nil)
//go:embed envoy.yaml
var config string
`)
	var broken []string
	for _, d := range f.ast.Decls {
		decl := d.(*ast.GenDecl)
		if spec := decl.Specs[0].(*ast.ValueSpec); !isConstantLike(decl, spec) {
			broken = append(broken, spec.Names[0].Name)
		}
	}
	if want := []string{"count", "current", "made", "state"}; !slices.Equal(broken, want) {
		t.Errorf("it found %v, want %v", broken, want)
	}
}

func TestStepsAreReadInEveryForm(t *testing.T) {
	for comment, want := range map[string]int{
		"Listener is the class.\n\nstep: listener-impl": 1,
		"Envoy: A::b (step: a-b) and more":              1,
		"Envoy: A::b (steps: a-b, c-d)":                 1,
		"step: a-b.":                                    1,
		"step: a-b would come here, and does not":       1,
		"the next step: bind the socket":                0,
		"as in (the step: binding)":                     0,
	} {
		if got := len(stepMark.FindAllString(comment, -1)); got != want {
			t.Errorf("%q names %d, want %d", comment, got, want)
		}
	}
}
