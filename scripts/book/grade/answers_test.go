package grade

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func TestAnAnswerThatCannotBeReadIsToldWhereAndWhatOneLooksLike(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.yaml")
	for _, x := range []struct {
		hunt         bool
		text, en, zh string
	}{
		{true, "a: postQueue.start\nb: x\n", "answers.yaml:1:4: write an answer as  a: { symbol:", "答案请写成"},
		{true, "a: { symbol: x, line: three }\n", "answers.yaml:1:4: write an answer", "答案请写成"},
		{true, "a: { symbol: x, line: 3\nb: x\n", "answers.yaml:2:1: did not find expected ','", "大括号里缺少逗号"},
		{true, "# one\n# two\na: { symbol: ::, line: 3 }\n", "answers.yaml:3:1: did not find expected node content",
			"这里应当有内容"},
		{false, "loops 3\n", "answers.yaml:1:1: write an answer as  name: 3", "名字: 3"},
		{false, "loops: [3]\n", "answers.yaml:1:8: write an answer as  name: 3", "名字: 3"},
		{false, "loops: 3\nloops: 4\n", "answers.yaml:2:1: loops is there twice", "loops 写了两次"},
		{false, "# 数\nloops：3\nx: 1\n", "answers.yaml:2:6: YAML wants an ASCII colon", "冒号是全角的"},
	} {
		if err := os.WriteFile(path, []byte(x.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readAnswers[string](path)
		if x.hunt {
			_, err = readAnswers[found](path)
		}
		var u *Unreadable
		if !errors.As(err, &u) || !strings.HasPrefix(u.En, x.en) || !strings.Contains(u.Zh, x.zh) {
			t.Errorf("%q: %+v, want %q, %q", x.text, err, x.en, x.zh)
		}
	}
	if err := os.WriteFile(path, []byte("early: 1\nEarly: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readAnswers[string](path, "late", "early"); err == nil ||
		err.Error() != "answers.yaml:2:1: nobody asks for Early; meant early?" {
		t.Errorf("a name that nobody asks for: %v", err)
	}
	for _, text := range []string{"", "# nothing\n", "a:\nb: 3 # 三：3\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAnswers[string](path); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAYesMayBeSaidInSeveralWays(t *testing.T) {
	asked := &exercise.Check{YesNo: true}
	for said, want := range map[string]string{"yes": "yes", "Y": "yes", "True": "yes", "是": "yes", "对": "yes",
		"No": "no", "n": "no", "否": "no", "不": "no", "1": "1", "maybe": "maybe", "": ""} {
		if got := meant(asked, said); got != want || noAnswer(asked, said) != (want != "yes" && want != "no") {
			t.Errorf("%q means %q, want %q", said, got, want)
		}
	}
	if got := meant(&exercise.Check{}, "y"); got != "y" {
		t.Errorf("where a number is asked for, y is %q", got)
	}
}

func TestANumberMayBeWrittenInSeveralWays(t *testing.T) {
	for said, want := range map[string]string{"6": "6", "06": "6", "６": "6", "2.0": "2", "２．０": "2", "2.5": "2.5",
		"six": "six", "": ""} {
		if got := meant(&exercise.Check{}, said); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
	path := filepath.Join(t.TempDir(), "answers.yaml")
	text := "a: { symbol: x, line: \"45\" }\nb: { symbol: x, line: 45 }\nc: { line: 4 }\nd: { symbol: x }\ne:\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := readAnswers[found](path)
	if err != nil || all["a"] != (found{"x", 45}) || all["b"] != all["a"] || all["c"] != (found{"", 4}) ||
		all["d"] != (found{"x", 0}) || all["e"] != (found{}) {
		t.Errorf("%+v, %v", all, err)
	}
	if told := all["c"].told(); told.En != "line 4" {
		t.Errorf("without a symbol it is told %q", told.En)
	}
}

func TestAHuntersPlaceThatIsNoneIsToldSo(t *testing.T) {
	functions := map[string]exercise.Lines{"Dispatcher.Post": {First: 40, Last: 48}, "Queue.Post": {First: 50, Last: 60},
		"Dispatcher.run": {First: 70, Last: 80}, "newDispatcher": {First: 5, Last: 9}, "wakeUp": {First: 1, Last: 2}}
	for _, x := range []struct {
		said   found
		en, zh string
	}{
		{found{"Dispatcher.Post", 41}, "", ""}, {found{"Post", 55}, "", ""}, {found{}, "", ""},
		{found{"", 3}, "the symbol is missing: in which function of post.go is line 3?", "还缺符号："},
		{found{"Dispatcher.run", 41}, "line 41 of post.go is not in Dispatcher.run, which stands from line 70 to line 80.",
			"post.go 的第 41 行不在 Dispatcher.run 里：它在第 70 到 80 行。"},
		{found{"wakeUp", 0}, "the line is missing. wakeUp stands in post.go from line 1 to line 2.", "还缺行号。"},
		{found{"DispatcherImpl::wakup", 1}, "post.go has no function DispatcherImpl::wakup. Nearest: wakeUp.",
			"post.go 里没有函数 DispatcherImpl::wakup。名字相近的有：wakeUp。"},
		{found{"xyzzy", 1}, "post.go has no function xyzzy. It has Dispatcher.Post, Dispatcher.run, ",
			"post.go 里没有函数 xyzzy，有的是：Dispatcher.Post、"},
	} {
		got := x.said.nowhere("chapters/00/post.go", functions)
		if !strings.HasPrefix(got.En, x.en) || !strings.HasPrefix(got.Zh, x.zh) || (x.en == "") != (got.En == "") {
			t.Errorf("%+v: %+v", x.said, got)
		}
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
		{true, "no", say}, {true, "false", say}, {true, "不", say}, {true, "maybe", wantYesNo}, {true, "1", wantYesNo},
	} {
		s := &scene{exercise: &exercise.Exercise{LooksLike: []exercise.Likely{{Check: "asked", Say: say}}}}
		c := &exercise.Check{Name: "asked", YesNo: x.yesNo}
		if got := s.mistaken(&Result{Check: c, Answered: same(x.answer)}); got != x.want {
			t.Errorf("%q: %+v, want %+v", x.answer, got, x.want)
		}
	}
}
