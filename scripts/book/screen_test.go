package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestColourIsOnlyForATerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if screenOf(&bytes.Buffer{}, env()).color || screenOf(file, env()).color {
		t.Error("a buffer or a file is given colours")
	}
	if got := (screen{color: true}).paint(green, "ok"); got != "\x1b[32mok\x1b[0m" {
		t.Errorf("green is %q", got)
	}
	if got := (screen{}).paint(green, "ok"); got != "ok" {
		t.Errorf("without colour it is %q", got)
	}
}

func TestTheScreenIsAsWideAsCOLUMNSSays(t *testing.T) {
	for value, want := range map[string]int{"": usualWidth, "72": 72, "7": leastWidth, "nonsense": usualWidth} {
		if got := screenOf(&bytes.Buffer{}, env("COLUMNS", value)).wide; got != want {
			t.Errorf("COLUMNS=%s: %d, not %d", value, got, want)
		}
	}
}

func TestTextIsWrappedUnderWhereItBegan(t *testing.T) {
	s := screen{wide: 40}
	if got := s.hang("  1  ", "one two three four five six seven eight nine"); got !=
		"  1  one two three four five six seven\n     eight nine\n" {
		t.Errorf("English:\n%s", got)
	}
	for _, line := range strings.Split(s.hang("看    ", "这是一句很长的中文，中间没有空格，但是标点不会出现在行首，好好好好。"), "\n") {
		if columns(line) > 42 || strings.HasPrefix(strings.TrimLeft(line, " "), "，") {
			t.Errorf("Chinese: %q is %d columns", line, columns(line))
		}
	}
	if got := wrap("/a/path/that/is/much/longer/than/the/line x", 10); got[0] != "/a/path/that/is/much/longer/than/the/line" {
		t.Errorf("a path was broken: %q", got)
	}
}

func TestNoLineBeginsWithWhatCloses(t *testing.T) {
	text := "要问谁？ *紧跟在 `bind` 之后的 `getsockname`：端口 0 由内核挑选，所以要去问它（`ss -ltn 1`）。* 然后“它”说 ok. *好！*"
	for wide := 12; wide < 80; wide++ {
		lines := wrap(text, wide)
		for i, line := range lines {
			first, _ := utf8.DecodeRuneInString(line)
			last, _ := utf8.DecodeLastRuneInString(line)
			if i > 0 && strings.ContainsRune(closing, first) || strings.HasPrefix(line, "* ") || line == "*" ||
				strings.ContainsRune(opening, last) || strings.HasSuffix(line, " *") {
				t.Errorf("%d columns: %q", wide, lines)
			}
			if columns(line) > max(wide, len("`getsockname`：")) {
				t.Errorf("%d columns: %q is wider", wide, line)
			}
		}
	}
}

func TestASlipOfTheFingersIsUnderstood(t *testing.T) {
	for said, meant := range map[string]string{"chekc": "check", "hnit": "hint", "sol": "solution", "Progres": "progress",
		"raed": "read", "xyzzy": "", "q": ""} {
		var out, err bytes.Buffer
		code := invoke([]string{"--lang", "en", said}, &out, &err)
		has := strings.Contains(err.String(), "Did you mean")
		if code != couldNotLook || has != (meant != "") || !strings.Contains(err.String(), meant) {
			t.Errorf("%s: exit %d, %s", said, code, err.String())
		}
	}
}

func TestHelpIsAskedForInManyWays(t *testing.T) {
	for _, args := range []string{"help check", "check --help", "check -h", "check 03/x --help"} {
		var out, err bytes.Buffer
		code := invoke(strings.Fields("--lang en "+args), &out, &err)
		if code != pass || !strings.HasPrefix(out.String(), "go tool book check") {
			t.Errorf("%s: exit %d\n%s%s", args, code, out.String(), err.String())
		}
	}
	if ours := asksForHelp(strings.Fields("04 -- --help")); ours {
		t.Error("what stands after -- is the program's")
	}
}

func TestTwoTextsAreLaidOverEachOther(t *testing.T) {
	var signs string
	for _, l := range overlay("a\nb\nc\n", "a\nx\nc\nd\n") {
		signs += string(l.sign) + l.text + " "
	}
	if signs != " a -b +x  c +d " {
		t.Errorf("it is %q", signs)
	}
	if lines := overlay("", "a"); len(lines) == 0 || lines[len(lines)-1] != (changed{'+', "a"}) {
		t.Errorf("nothing against a line is %v", lines)
	}
}

func TestAnAnswerIsWrittenIntoItsLine(t *testing.T) {
	text := "# what is asked\nthreads:          # with main\nyes:\n"
	got := answered(text, []question{{Name: "threads", Answer: "4"}, {Name: "yes", Answer: "no"}, {Name: "new", Answer: "1"}})
	if got != "# what is asked\nthreads: 4        # with main\nyes: no\nnew: 1\n" {
		t.Errorf("it is\n%s", got)
	}
	if again := answered(got, []question{{Name: "threads", Answer: "5"}}); !strings.Contains(again, "threads: 5        # with main\n") {
		t.Errorf("an answer is changed to\n%s", again)
	}
}
