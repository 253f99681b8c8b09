package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
)

// ofOurs are words that stand in English screens and have no place in a Chinese one; the kernel's and the
// program's own have.
var ofOurs = regexp.MustCompile(`\b(waited|says|the|with|rejects|accepts|watches|before|counter|clients)\b`)

func TestAChineseScreenIsChinese(t *testing.T) {
	d := newDesk(t)
	d.answers(written, "wrong/untold")
	text := d.says(notYet, "check --lang zh "+written, "内核说", "看起来是：", "文章 ")
	for line := range strings.Lines(text) {
		if found := ofOurs.FindString(line); found != "" {
			t.Errorf("%q is English: %s", found, line)
		}
	}
}

func TestWhatIsOnlyInAnotherOrderIsNotToldAsUntold(t *testing.T) {
	d := newDesk(t)
	d.answers("03/reuseport", "wrong/late")
	text := strings.Join(strings.Fields(d.says(notYet, "check 03/reuseport")), " ")
	for _, part := range []string{"no setsockopt(<echo>, ..., SO_REUSEPORT, [1], ...) before bind(<echo>, ...);",
		"but there is", "It works, but not in the order that was asked."} {
		if !strings.Contains(text, part) {
			t.Errorf("it does not say %q:\n%s", part, text)
		}
	}
	r := &grade.Result{Check: &exercise.Check{}, Verdict: grade.DoesNotTell, Amiss: grade.Order}
	if c := claimOf(r, "en"); c.Verdict != "works but not as asked" {
		t.Errorf("--json says %q", c.Verdict)
	}
	for lang, l := range lessonsIn {
		for a := grade.TooFew; a <= grade.Elsewhere; a++ {
			if l.amiss[a] == "" {
				t.Errorf("%s: nothing is said of %d", lang, a)
			}
		}
	}
}

func TestAnAnswerThatCannotBeReadIsNoBuildError(t *testing.T) {
	d := newDesk(t)
	for id, text := range map[string]string{hunted: "a: { symbol: x, line: 1\nb: 3\n", asked: "sets 6\n",
		"02/sockets": "static_resources:\n  listeners: [\n - a\n"} {
		path := d.exercise(id).AnswerFile(d.book.module, "")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		said := d.says(notYet, "check "+id, "Your answer cannot be read yet:", d.exercise(id).Answer+":")
		if strings.Contains(said, "build") {
			t.Errorf("nothing is built of this:\n%s", said)
		}
		d.says(notYet, "check --lang zh "+id, "你的答案还读不懂：")
	}
	for _, verdict := range d.verdicts() {
		if verdict != verdictUnreadable {
			t.Errorf("noted is %q", verdict)
		}
	}
}

func TestAnAnswerThatIsGoneCanBeBroughtBack(t *testing.T) {
	d := newDesk(t)
	for _, id := range []string{hunted, asked, written} {
		e := d.exercise(id)
		if err := os.Remove(e.AnswerFile(d.book.module, "")); err != nil {
			t.Fatal(err)
		}
		d.says(notYet, "check "+id, e.Answer+" is gone; go tool book reset "+id)
		d.says(notYet, "check --lang zh "+id, e.Answer+" 不见了；go tool book reset "+id)
		d.says(pass, "reset "+id)
		if _, err := os.Stat(e.AnswerFile(d.book.module, "")); err != nil {
			t.Error(err)
		}
	}
	if err := os.Remove(d.exercise(asked).AnswerFile(d.book.module, "")); err != nil {
		t.Fatal(err)
	}
	d.says(notYet, "predict "+asked, "is gone; go tool book reset "+asked)
}

func TestAHunterWhoNamesAnotherFunctionIsToldSo(t *testing.T) {
	d := newDesk(t)
	e := d.exercise(hunted)
	text := []byte("a: { symbol: wake, line: 62 }")
	if err := os.WriteFile(e.AnswerFile(d.book.module, ""), text, 0o644); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(d.says(notYet, "check "+hunted)), " ")
	want := "you named wake: that one is as it should be. The symptom: " + e.LooksLike[0].Say.En
	if !strings.Contains(said, want) {
		t.Errorf("it is not told %q:\n%s", want, said)
	}
	if strings.Contains(said, "start") {
		t.Errorf("the right one was given away:\n%s", said)
	}
}

func TestWhatIsWaitedForIsOneLineThatGoesAgain(t *testing.T) {
	d := newDesk(t)
	d.book.text, d.book.screen = texts["en"], screen{wide: 40}
	d.book.waiting(exercise.Words{En: strings.Repeat("x", 100)})
	d.book.waiting(exercise.Words{})
	lines := strings.Split(d.err.String(), "\r\x1b[K")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "still waiting for xx") || columns(lines[1]) >= 40 ||
		lines[2] != "" {
		t.Errorf("%q", lines)
	}
	if d.book.grader("").Waiting != nil {
		t.Error("it is told where no terminal is")
	}
}

func TestAHuntersLineOutsideTheSymbolIsToldInsteadOfTheSymptom(t *testing.T) {
	d := newDesk(t)
	e := d.exercise(hunted)
	text := []byte("a: { symbol: start, line: 1 }")
	if err := os.WriteFile(e.AnswerFile(d.book.module, ""), text, 0o644); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(d.says(notYet, "check "+hunted)), " ")
	if want := "line 1 of post.go is not in postQueue.start, which stands from line "; !strings.Contains(said, want) {
		t.Errorf("it is not told %q:\n%s", want, said)
	}
	for _, l := range e.LooksLike {
		if strings.Contains(said, l.Say.En) {
			t.Errorf("the symptom is told again: %s", l.Say.En)
		}
	}
}
