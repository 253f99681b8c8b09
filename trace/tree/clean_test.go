package tree

import (
	"strings"
	"testing"
	"unicode/utf8"

	"envoywalk/trace/moment"
)

func FuzzClean(f *testing.F) {
	f.Add("12<echo>")
	f.Add("\x1b]0;x\x07\xff\u2028\u202e\u009b")
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []string{moment.Clean(s), moment.Quote(s)} {
			if !utf8.ValidString(c) || strings.ContainsAny(c, "\x1b\n\r\u2028\u2029\u202e\u009b") {
				t.Errorf("%q became %q", s, c)
			}
		}
		if moment.Clean(moment.Clean(s)) != moment.Clean(s) {
			t.Errorf("%q is not clean after cleaning", s)
		}
		for wide := range 12 {
			if got := shorten(moment.Clean(s), wide); columnsOf(got) > max(wide, 1) {
				t.Errorf("%q has %d columns, not %d", got, columnsOf(got), wide)
			}
		}
	})
}

func TestPlainAndChineseTextStayAsTheyAre(t *testing.T) {
	for _, s := range []string{`bind(10<echo>, 127.0.0.1:10000) "a\"b"`, "监听器", "naïve"} {
		if moment.Clean(s) != s {
			t.Errorf("%q became %q", s, moment.Clean(s))
		}
	}
	if columnsOf("监听器") != 6 {
		t.Error("a Chinese character takes two columns")
	}
}
