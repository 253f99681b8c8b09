// Command book is the reader's one command: it runs a chapter, holds its trace against the kernel's
// account, prints and records trees, and says what a machine lacks.
//
//	go tool book help
//
// It builds and runs on every system and imports no chapter; what needs Linux says so.
package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// Exit codes of every subcommand but run, which passes on its program's own.
const (
	pass         = 0
	notYet       = 1 // it was looked at, and it is not right
	couldNotLook = 2 // something is lacking, or the command line was not understood: never a pass
	ourFault     = 3 // this tool or the project is broken, not what was looked at
)

// book is one invocation.
type book struct {
	in       io.Reader
	out, err io.Writer
	module   string // the folder of go.mod
	text     *text
	screen   screen
	goos     string          // runtime.GOOS
	unread   exercise.Broken // those that this invocation has told of
	// For tests: somebody can be asked although there is no terminal; what looks at a child, nil for the kernel.
	interactive bool
	witness     func(pid int) (*witness.Process, error)
}

func main() {
	b := &book{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	os.Exit(b.invoke(os.Args[1:]))
}

func invoke(args []string, out, err io.Writer) int {
	b := &book{in: strings.NewReader(""), out: out, err: err}
	return b.invoke(args)
}

// invoke runs the command that the arguments name.
func (b *book) invoke(args []string) int {
	lang, args := takeLang(args, os.Getenv)
	b.screen = screenOf(b.out, os.Getenv)
	b.goos, b.unread = cmp.Or(b.goos, runtime.GOOS), nil
	if b.text = texts[lang]; b.text == nil {
		b.text = texts["en"]
		return b.lacking(fmt.Sprintf(b.text.noSuchLang, lang))
	}
	if len(args) == 0 {
		args = []string{"help"}
	}
	name := strings.TrimLeft(args[0], "-")
	command, known := commands[name]
	switch {
	case name == "h":
		return b.help(nil)
	case !known:
		return b.lacking(b.noCommand(args[0]))
	case name != "help" && asksForHelp(args[1:]):
		return b.help(args[:1])
	}
	if b.module = cmp.Or(b.module, findModule(".")); b.module == "" && !command.anywhere {
		return b.lacking(b.text.noModule)
	}
	return command.run(b, args[1:])
}

// asksForHelp: --help stands among the arguments that are ours.
func asksForHelp(args []string) bool {
	ours, _ := splitArgs(args)
	return slices.ContainsFunc(ours, func(a string) bool { return a == "-h" || a == "--help" || a == "-help" })
}

type command struct {
	run      func(*book, []string) int
	anywhere bool // needs no checkout
}

var commands map[string]command

func init() { // not in the declaration: help reads the table
	maps.Copy(english.usage, lessonUsageEnglish)
	maps.Copy(chinese.usage, lessonUsageChinese)
	commands = map[string]command{
		"run":          {run: (*book).run},
		"receipt":      {run: (*book).receipt},
		"tree":         {run: (*book).tree},
		"translations": {run: (*book).translations},
		"export":       {run: (*book).export, anywhere: true},
		"import":       {run: (*book).importStrace, anywhere: true},
		"diff":         {run: (*book).differences, anywhere: true},
		"check":        {run: (*book).check},
		"next":         {run: (*book).next},
		"watch":        {run: (*book).watch},
		"hint":         {run: (*book).hint},
		"predict":      {run: (*book).predict},
		"solution":     {run: (*book).solution},
		"reset":        {run: (*book).reset},
		"progress":     {run: (*book).progress},
		"teach":        {run: (*book).teach},
		"class":        {run: (*book).class, anywhere: true},
		"read":         {run: (*book).read},
		"lab":          {run: (*book).experiment},
		"doctor":       {run: (*book).doctor, anywhere: true},
		"version":      {run: (*book).version, anywhere: true},
		"help":         {run: (*book).help, anywhere: true},
	}
}

// takeLang takes --lang out of the arguments, up to a --. Without it the environment decides.
func takeLang(args []string, getenv func(string) string) (lang string, rest []string) {
	lang = envLang(getenv)
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, value, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		switch {
		case name != "lang" || !strings.HasPrefix(args[i], "-"):
			continue
		case joined:
			return value, append(args[:i:i], args[i+1:]...)
		case i+1 < len(args):
			return args[i+1], append(args[:i:i], args[i+2:]...)
		}
	}
	return lang, args
}

func envLang(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// lacking says what stands in the way and how to learn more.
func (b *book) lacking(what string) int {
	fmt.Fprintln(b.err, what)
	return couldNotLook
}

func (b *book) fault(err error) int {
	fmt.Fprintf(b.err, b.text.ourFault+"\n", err)
	return ourFault
}
