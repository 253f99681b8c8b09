package exercise

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sound = `kind: write
title: {en: a title, zh: 标题}
minutes: 10
section: 二.3
answer: a.go
checks:
  - {name: one, says: {en: it holds, zh: 成立}, kernel: {exit: 0}, span: {call: bind}}
  - {name: two, says: {en: it holds, zh: 成立}, kernel: {exit: 0}, span: {call: listen}}
hints: [{en: a, zh: 一}, {en: b, zh: 二}, {en: c, zh: 三}]
wrong:
  - {name: a, fails: one}
  - {name: b, fails: two}
  - {name: c, fails: two}
`

func TestABrokenExerciseNamesItsLineAndLeavesTheOthers(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, "chapters", "03-bind", "exercises", name, "exercise.yaml")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("good", sound)
	if all, err := All(root); err != nil || len(all) != 1 {
		t.Fatalf("%v %v", all, err)
	}
	for _, c := range []struct{ old, is, says string }{
		{sound, "", ":1: the file is empty"},
		{"minutes:", "minuets:", ":3: there is no field called minuets"},
		{"minutes: 10", "minutes: ten", ":3: cannot unmarshal"},
		{"kind: write", "kind: [", ":"},
		{"kind: write", "kind: guess", `:1: kind "guess"`},
		{"span: {call: listen}", "look: x", ":8: check 2 (two): every claim has two witnesses"},
		{"name: two", "name: one", ":8: two checks are called one"},
		{"{name: c, fails: two}", "{name: c, fails: six}", ":13: wrong/c fails at"},
		{"minutes: 10", "minutes: 0", ":1: answer, minutes and section must be there"},
	} {
		write("bad", strings.Replace(sound, c.old, c.is, 1))
		all, err := All(root)
		var broken Broken
		if !errors.As(err, &broken) || len(broken) != 1 || broken.Exercises()[0].ID != "03/bad" {
			t.Fatalf("%q: %v", c.is, err)
		}
		if want := "chapters/03-bind/exercises/bad/exercise.yaml" + c.says; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q, not %q", err, want)
		}
		if len(all) != 1 || all[0].ID != "03/good" {
			t.Errorf("left are %v", all)
		}
	}
}
