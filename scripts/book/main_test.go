package main

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestBothLanguagesSayEverything(t *testing.T) {
	verbs := regexp.MustCompile(`%[a-z]`)
	en, zh := reflect.ValueOf(english), reflect.ValueOf(chinese)
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		if en.Field(i).Kind() != reflect.String {
			continue
		}
		e, z := en.Field(i).String(), zh.Field(i).String()
		if e == "" || z == "" {
			t.Errorf("%s is empty in one language", name)
		}
		a, b := verbs.FindAllString(e, -1), verbs.FindAllString(z, -1)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s formats %v in English and %v in Chinese", name, a, b)
		}
	}
	for name := range commands {
		if english.usage[name] == "" || chinese.usage[name] == "" {
			t.Errorf("help %s is empty in one language", name)
		}
		shown := "go tool book " + name
		if !strings.Contains(english.help, shown) || !strings.Contains(chinese.help, shown) {
			t.Errorf("help does not show %s in both languages", name)
		}
	}
}

func TestLangIsTakenFromFlagThenEnvironment(t *testing.T) {
	env := func(v string) func(string) string {
		return func(name string) string {
			if name == "LANG" {
				return v
			}
			return ""
		}
	}
	for _, c := range []struct {
		args, lang, want, rest string
	}{
		{"help", "", "en", "help"},
		{"help", "zh_CN.UTF-8", "zh", "help"},
		{"--lang zh help", "", "zh", "help"},
		{"help --lang=en run", "zh_CN", "en", "help run"},
		{"run 04 -- --lang zh", "", "en", "run 04 -- --lang zh"},
	} {
		lang, rest := takeLang(strings.Fields(c.args), env(c.lang))
		if lang != c.want || strings.Join(rest, " ") != c.rest {
			t.Errorf("%q under LANG=%q: %s %q", c.args, c.lang, lang, rest)
		}
	}
}

func TestWhatIsNotUnderstoodIsNeverAPass(t *testing.T) {
	for _, args := range []string{"nonsense", "--lang fr help", "run", "run 99", "receipt",
		"receipt 00 01",
		"receipt --nope 00", "tree", "help nonsense"} {
		var out, err bytes.Buffer
		code := invoke(strings.Fields(args), &out, &err)
		if code != couldNotLook || err.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, err.String())
		}
	}
}

func TestTheModuleIsFoundFromEverySubfolder(t *testing.T) {
	top := findModule(".")
	if top == "" || findModule("receipt/testdata") != top {
		t.Errorf("from here %q, from testdata %q", top, findModule("receipt/testdata"))
	}
	if elsewhere := findModule(t.TempDir()); elsewhere != "" {
		t.Errorf("outside it is %q", elsewhere)
	}
}

func TestAChapterHasThreeNames(t *testing.T) {
	b := &book{module: findModule("."), text: &english}
	for _, name := range []string{"0", "00", "00-event-loop"} {
		if got, err := b.chapter(name); err != nil || got != "00-event-loop" {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
}

func TestAProgramServesWhereItIsGivenAConfiguration(t *testing.T) {
	for args, want := range map[string]bool{"": false, "--concurrency 2": false, "-c a.yaml": true,
		"--config-path=a.yaml": true, "--concurrency 2 --config-yaml {}": true, "c": false} {
		if got := serves(strings.Fields(args)); got != want {
			t.Errorf("%q serves: %v", args, got)
		}
	}
}

func TestTheLogTellsReadinessAndLoss(t *testing.T) {
	var l logWatch
	for _, part := range []string{"[info][main] starting ma",
		"in dispatch loop\ntrace: dropped 12 rec", "ords\n"} {
		l.Write([]byte(part))
	}
	if !l.isReady() || l.droppedRecords() != 12 {
		t.Errorf("ready %v, dropped %d", l.isReady(), l.droppedRecords())
	}
}

func TestFlagsStandBeforeAndAfterTheChapter(t *testing.T) {
	b := &book{module: findModule("."), text: &english}
	var o receiptOptions
	args := strings.Fields("--json 00 --connect a:1 --connect b:2")
	chapter, err := b.parse("receipt", args, o.define)
	if err != nil || chapter != "00-event-loop" || !o.json || len(o.connect) != 2 {
		t.Errorf("%s %v %+v", chapter, err, o)
	}
}

func TestHelpIsPrintedInBothLanguages(t *testing.T) {
	for lang, word := range map[string]string{"en": "newcomer", "zh": "初次来访"} {
		var out bytes.Buffer
		code := invoke([]string{"help", "--lang", lang}, &out, os.Stderr)
		if code != pass || !strings.Contains(out.String(), word) {
			t.Errorf("%s: exit %d\n%s", lang, code, out.String())
		}
	}
}
