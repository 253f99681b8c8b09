package laws

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"

	"envoywalk/internal/step"
)

// enter is one call of Enter or EnterStory in the chapters.
type enter struct {
	file     *source
	call     *ast.CallExpr
	function string // the declared function it stands in
	constant string // the step's name in Go, "" where the argument is no step.Const
	first    bool   // it is the first statement of its function, as `defer X.Enter(...)...Exit()`
	inLoop   bool
}

// notFirst are the functions whose span does not begin with their first statement.
var notFirst = exceptions{}

// enteredTwice are the steps that two functions enter.
var enteredTwice = exceptions{}

func TestASpanBeginsWithItsFunction(t *testing.T) {
	needed := map[string]bool{}
	entered := enters(t)
	for _, e := range entered {
		where := e.file.place(e.call)
		switch {
		case e.constant == "":
			t.Errorf("%s: the argument is not a constant of package step", where)
		case e.inLoop:
			t.Errorf("%s: a span in a loop: give the body a function", where)
		case !e.first && notFirst[e.function] != "":
			needed[e.function] = true
		case !e.first:
			t.Errorf("%s: %s begins its span late: "+
				"`defer lane.Enter(step.%s).Exit()` is the first statement",
				where, e.function, e.constant)
		}
	}
	notFirst.unused(t, needed)
	t.Logf("%d spans entered", len(entered))
}

func TestEachStepIsEnteredByOneFunction(t *testing.T) {
	by := map[string][]string{}
	for _, e := range enters(t) {
		if where := e.file.path + " " + e.function; !slices.Contains(by[e.constant], where) {
			by[e.constant] = append(by[e.constant], where)
		}
	}
	needed := map[string]bool{}
	for constant, where := range by {
		if len(where) < 2 {
			continue
		}
		if enteredTwice[constant] != "" {
			needed[constant] = true
			continue
		}
		t.Errorf("step.%s is entered by %d functions: %s",
			constant, len(where), strings.Join(where, ", "))
	}
	enteredTwice.unused(t, needed)
	t.Logf("%d steps entered", len(by))
}

func TestNoClassIsEntered(t *testing.T) {
	classes := map[string]step.Step{}
	for _, s := range step.All() {
		if s.Info().Kind == step.KindClass {
			classes[constant(s)] = s
		}
	}
	for _, e := range enters(t) {
		if s, is := classes[e.constant]; is {
			t.Errorf("%s: %s is a class: it is told by a doc comment `// step: %s`",
				e.file.place(e.call), e.constant, s.Info().ID)
		}
	}
	t.Logf("%d steps are classes", len(classes))
}

// constant is the Go name of a step: its id, in capitals at each word.
func constant(s step.Step) string {
	var b strings.Builder
	for _, word := range strings.Split(s.Info().ID, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

func enters(t *testing.T) []enter {
	t.Helper()
	var all []enter
	for _, f := range sources(t, "chapters/", (*source).isWalk) {
		for _, fn := range f.functions() {
			w := &enterWalk{enter: enter{file: f, function: functionName(fn)}}
			w.body(fn.Body)
			all = append(all, w.found...)
		}
	}
	return all
}

// functionName is receiver.name.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	return fmt.Sprintf("%s.%s", receiver, fn.Name.Name)
}

// enterWalk finds the Enter calls of one function.
type enterWalk struct {
	enter
	found []enter
}

// body walks the body of a function, declared or literal.
func (w *enterWalk) body(b *ast.BlockStmt) {
	w.inLoop = false
	first := openingEnter(b)
	w.within(b, first)
}

func (w *enterWalk) within(n ast.Node, first *ast.CallExpr) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			outer := w.inLoop
			w.body(n.Body)
			w.inLoop = outer
			return false
		case *ast.ForStmt:
			w.loop(n.Body, first)
			return false
		case *ast.RangeStmt:
			w.loop(n.Body, first)
			return false
		case *ast.CallExpr:
			if isEnter(n) {
				e := w.enter
				e.call, e.constant, e.first = n, stepConstant(n), n == first
				w.found = append(w.found, e)
			}
		}
		return true
	})
}

func (w *enterWalk) loop(b *ast.BlockStmt, first *ast.CallExpr) {
	outer := w.inLoop
	w.inLoop = true
	w.within(b, first)
	w.inLoop = outer
}

// openingEnter is the Enter in `defer X.Enter(...)....Exit()` at the top of a body, nil if there is
// none.
func openingEnter(b *ast.BlockStmt) *ast.CallExpr {
	if len(b.List) == 0 {
		return nil
	}
	d, ok := b.List[0].(*ast.DeferStmt)
	if !ok || method(d.Call) != "Exit" {
		return nil
	}
	for call := d.Call; call != nil; {
		if isEnter(call) {
			return call
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return nil
		}
		call, _ = selector.X.(*ast.CallExpr)
	}
	return nil
}

func isEnter(c *ast.CallExpr) bool {
	name := method(c)
	return name == "Enter" || name == "EnterStory"
}

func method(c *ast.CallExpr) string {
	if s, ok := c.Fun.(*ast.SelectorExpr); ok {
		return s.Sel.Name
	}
	return ""
}

// stepConstant is the name of the step in the call's last argument.
func stepConstant(c *ast.CallExpr) string {
	if len(c.Args) == 0 {
		return ""
	}
	s, ok := c.Args[len(c.Args)-1].(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := s.X.(*ast.Ident); !ok || pkg.Name != "step" {
		return ""
	}
	return s.Sel.Name
}
