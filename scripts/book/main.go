// Command book is the reader's one command: it runs a chapter, holds its trace against the kernel's
// account, prints and records trees, and says what a machine lacks.
//
//	go tool book help
//
// It builds and runs on every system and imports no chapter; what needs Linux says so.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
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
	out, err io.Writer
	module   string // the folder of go.mod
	text     *text
}

func main() {
	os.Exit(invoke(os.Args[1:], os.Stdout, os.Stderr))
}

func invoke(args []string, out, err io.Writer) int {
	lang, args := takeLang(args, os.Getenv)
	b := &book{out: out, err: err, text: texts[lang]}
	if b.text == nil {
		b.text = texts["en"]
		return b.lacking(fmt.Sprintf(b.text.noSuchLang, lang))
	}
	if len(args) == 0 {
		args = []string{"help"}
	}
	command, known := commands[strings.TrimLeft(args[0], "-")]
	if !known {
		return b.lacking(fmt.Sprintf(b.text.noSuchCommand, args[0]))
	}
	if b.module = findModule("."); b.module == "" && !command.anywhere {
		return b.lacking(b.text.noModule)
	}
	return command.run(b, args[1:])
}

type command struct {
	run      func(*book, []string) int
	anywhere bool // needs no checkout
}

var commands map[string]command

func init() { // not in the declaration: help reads the table
	commands = map[string]command{
		"run":          {run: (*book).run},
		"receipt":      {run: (*book).receipt},
		"tree":         {run: (*book).tree},
		"translations": {run: (*book).translations},
		"export":       {run: (*book).export, anywhere: true},
		"import":       {run: (*book).importStrace, anywhere: true},
		"diff":         {run: (*book).diff, anywhere: true},
		"check":        {run: (*book).check},
		"progress":     {run: (*book).progress},
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
