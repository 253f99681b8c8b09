package grade

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"envoywalk/scripts/book/exercise"
)

func TestASymbolMayBeSaidInSeveralWays(t *testing.T) {
	for said, want := range map[string]bool{
		"Connection.onRead": true, "(*Connection).onRead": true, "onRead": true,
		"envoywalk/chapters/05-connection.(*Connection).onRead": true, "connection.Connection.onRead": true,
		"": false, "Read": false, "onReadReady": false, "Connection": false, "Other.onRead": false,
	} {
		if sameSymbol(said, "Connection.onRead") != want {
			t.Errorf("%q is Connection.onRead: want %t", said, want)
		}
	}
}

func TestAnAnswerThatCannotBeReadIsToldWhatOneLooksLike(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.yaml")
	for text, want := range map[string]string{
		"a: postQueue.start\nb: x\n": "answers.yaml: line 1, line 2: write an answer as  a: { symbol:",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readAnswers[found](path)
		if !errors.Is(err, ErrBuild) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if err := os.WriteFile(path, []byte("loops 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "line 1: write an answer as  name: 3"
	if _, err := readAnswers[yaml.Node](path); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestAWordWhereANumberIsAskedForIsNoMistakenPrediction(t *testing.T) {
	say := exercise.Words{En: "count again"}
	for _, x := range []struct {
		yesNo  bool
		answer string
		want   exercise.Words
	}{
		{false, "7", say}, {false, "two", wantNumber}, {false, "", exercise.Words{}},
		{true, "no", say}, {true, "false", say}, {true, "maybe", wantYesNo}, {true, "1", wantYesNo},
	} {
		s := &scene{exercise: &exercise.Exercise{LooksLike: []exercise.Likely{{Check: "asked", Say: say}}}}
		c := &exercise.Check{Name: "asked", YesNo: x.yesNo}
		if got := s.mistaken(&Result{Check: c, Answered: x.answer}); got != x.want {
			t.Errorf("%q: %+v, want %+v", x.answer, got, x.want)
		}
	}
}
