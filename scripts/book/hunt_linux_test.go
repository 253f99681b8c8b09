package main

import (
	"os"
	"strings"
	"testing"

	"envoywalk/scripts/book/exercise"
)

func TestAFoundFaultIsNotToldAsWhatTheProgramDoes(t *testing.T) {
	d := newDesk(t)
	e := d.exercise(hunted)
	names := mutantNames(e)
	text, err := os.ReadFile(e.AnswerFile(d.book.module, exercise.Solution))
	if err != nil {
		t.Fatal(err)
	}
	one := strings.Replace(string(text), "\n"+names[1]+":", "\n# ", 1) // the second is not answered
	if err := os.WriteFile(e.AnswerFile(d.book.module, ""), []byte(one), 0o644); err != nil {
		t.Fatal(err)
	}
	d.says(notYet, "check "+hunted, "ok  a: found; it breaks: ", "NO  b: ", "     1 more follows.\n")
	d.says(notYet, "check --lang zh "+hunted, "ok  a：找到了；它做不到的是：", "后面还有 1 条。\n")
}
