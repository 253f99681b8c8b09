package grade

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"envoywalk/scripts/book/exercise"
)

// together builds all wrong answers and the solution of an exercise into one program, because linking costs
// more than all else that is done here. Each is the package that it is, wired by a main of its own: the
// exercise's, whose import names that package. Which main runs is said by the folder the program is called in.
//
// The starter is not among them: it is built as a learner's answer is.
func together(t *testing.T, g *Grader, e *exercise.Exercise) {
	t.Helper()
	if e.Kind != exercise.Write {
		return
	}
	variants := []string{exercise.Solution}
	for _, w := range e.Wrong {
		variants = append(variants, "wrong/"+w.Name)
	}
	g.own = &Programs{Root: g.Root, Dir: filepath.Join(g.Dir, "together")}
	built, err := g.own.build(t.Context(), e.Program, mains(t, g, e, variants))
	if err != nil {
		t.Fatal(err)
	}
	for _, variant := range variants {
		dir := filepath.Join(g.Dir, filepath.FromSlash(variant))
		path := filepath.Join(dir, "program")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(built, path); err != nil {
			t.Fatal(err)
		}
		made := &program{path: path}
		made.once.Do(func() {})
		replace := map[string]string{e.AnswerFile(g.Root, ""): e.AnswerFile(g.Root, variant)}
		g.own.made[fmt.Sprint(e.Program, replace)] = made
	}
}

// mains are what stands in the place of an exercise's main: one package for each variant, and one that
// chooses.
func mains(t *testing.T, g *Grader, e *exercise.Exercise, variants []string) map[string]string {
	t.Helper()
	run := filepath.Join(g.Root, filepath.FromSlash(e.Program))
	text, err := os.ReadFile(filepath.Join(run, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	answer := `"envoywalk/` + e.Dir + `"`
	if strings.Count(string(text), answer) != 1 {
		t.Fatalf("%s does not import %s", e.Program, answer)
	}
	replace := map[string]string{}
	instead := func(path, text string) {
		replace[path] = filepath.Join(g.Dir, fmt.Sprintf("main%d.go", len(replace)))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var imports, cases string
	for i, variant := range variants {
		name := fmt.Sprintf("main%d", i)
		one := strings.Replace(string(text), answer, `"envoywalk/`+e.Dir+"/"+variant+`"`, 1)
		one = regexp.MustCompile(`(?m)^package main`).ReplaceAllString(one, "package "+name)
		one = regexp.MustCompile(`(?m)^func main\(`).ReplaceAllString(one, "func Main(")
		instead(filepath.Join(run, name, "main.go"), one)
		imports += fmt.Sprintf("import %q\n", "envoywalk/"+e.Dir+"/run/"+name)
		cases += fmt.Sprintf("case %q: %s.Main()\n", filepath.Base(variant), name)
	}
	instead(filepath.Join(run, "main.go"), "package main\nimport (\"os\"; \"path/filepath\")\n"+imports+
		"func main() { switch filepath.Base(filepath.Dir(os.Args[0])) {\n"+cases+"default: os.Exit(70) } }\n")
	return replace
}
