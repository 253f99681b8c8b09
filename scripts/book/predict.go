package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
)

// question is one of a prediction, with what the learner has answered so far.
type question struct {
	Name   string `json:"name"`
	Ask    string `json:"ask"`
	YesNo  bool   `json:"yes_no"`
	Answer string `json:"answer"`
}

// predict asks a prediction's questions one by one, writes the answers down and grades them. Where nobody
// can be asked it prints them.
func (b *book) predict(args []string) int {
	var asJSON bool
	e, err := b.oneExercise("predict", args, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "") })
	if err != nil {
		return b.refused(err)
	}
	if e.Kind != exercise.Predict {
		return b.lacking(fmt.Sprintf(b.lessons().noPredict, e.ID, b.lessons().kinds[e.Kind]))
	}
	path := e.AnswerFile(b.module, "")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b.lacking(b.gone(e))
		return notYet
	}
	if err != nil {
		return b.lacking(err.Error())
	}
	questions := b.questions(e, string(text))
	switch {
	case asJSON:
		return b.json(questions)
	case !b.interactive && !isTerminal(b.in):
		return b.printQuestions(e, questions)
	}
	all, after := b.askAll(e, questions), answered(string(text), questions)
	if !all && slices.Equal(questions, b.questions(e, string(text))) {
		fmt.Fprintln(b.out, "\n"+b.lessons().resetNot)
		return notYet
	}
	if err := os.WriteFile(path, []byte(after), 0o644); err != nil {
		return b.lacking(err.Error())
	}
	if !all {
		fmt.Fprintf(b.out, "\n"+b.lessons().predictKept+"\n", b.shown(path), e.ID)
		return notYet
	}
	fmt.Fprintf(b.out, b.lessons().predictWritten+"\n\n", b.shown(path))
	if err := b.canGrade(); err != nil {
		return b.lacking(err.Error())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	code, _ := b.checkEach(ctx, []*exercise.Exercise{e}, false)
	return code
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (b *book) questions(e *exercise.Exercise, text string) (all []question) {
	for i := range e.Checks {
		c := &e.Checks[i]
		q := question{Name: c.Name, Ask: c.Ask.In(b.text.lang), YesNo: c.YesNo}
		if found := answerLine(c.Name).FindStringSubmatch(text); found != nil {
			q.Answer = strings.TrimSpace(found[2])
		}
		all = append(all, q)
	}
	return all
}

// answerLine is the line of an answer: its name, its value, and a comment behind it.
func answerLine(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(` + regexp.QuoteMeta(name) + `:)([^#\n]*)(#.*)?$`)
}

// answered is the answers' file with the answers in it. All else stays as it is.
func answered(text string, questions []question) string {
	for _, q := range questions {
		line := answerLine(q.Name)
		if !line.MatchString(text) {
			text = strings.TrimRight(text, "\n") + "\n" + q.Name + ":\n"
		}
		text = line.ReplaceAllStringFunc(text, func(old string) string {
			parts := line.FindStringSubmatch(old)
			value := padded(" "+q.Answer, columns(parts[2]))
			if parts[3] != "" && !strings.HasSuffix(value, " ") {
				value += " "
			}
			return strings.TrimRight(parts[1]+value+parts[3], " ")
		})
	}
	return text
}

// printQuestions says first that nobody is asked, and what to do instead.
func (b *book) printQuestions(e *exercise.Exercise, questions []question) int {
	code := b.lacking(fmt.Sprintf(b.lessons().predictNo, b.answerPath(e), e.ID))
	for i, q := range questions {
		b.print(fmt.Sprintf("%3d  %s  ", i+1, q.Name), q.Ask+b.choice(q))
	}
	return code
}

// choice is what can be answered where that is not a number.
func (b *book) choice(q question) string {
	if q.YesNo {
		return "  (yes/no)"
	}
	return ""
}

// askAll asks one question after the other. False: the reader went away before the last.
func (b *book) askAll(e *exercise.Exercise, questions []question) bool {
	words := b.lessons()
	head := fmt.Sprintf(words.predictHead, e.ID, len(questions))
	fmt.Fprint(b.out, b.screen.hang("", head))
	lines := bufio.NewScanner(b.in)
	for i := range questions {
		q := &questions[i]
		fmt.Fprintln(b.out)
		b.print("", fmt.Sprintf(words.predictAsk, i+1, len(questions), q.Ask)+b.choice(*q))
		for asked := true; asked; {
			fmt.Fprintf(b.out, "  [%s] > ", q.Answer)
			if !lines.Scan() {
				return false
			}
			asked = !q.hear(strings.TrimSpace(lines.Text()))
			if asked {
				fmt.Fprintln(b.out, "  "+b.wanted(q))
			}
		}
	}
	return true
}

func (b *book) wanted(q *question) string {
	if q.YesNo {
		return "yes / no"
	}
	return b.lessons().predictWrite
}

// hear takes an answer down if it is one. An empty line keeps what is there.
func (q *question) hear(said string) bool {
	if said == "" {
		return true
	}
	if !q.YesNo {
		n, err := grade.Number(said)
		if err == nil {
			q.Answer = strconv.Itoa(n)
		}
		return err == nil
	}
	switch strings.ToLower(said) {
	case "y", "yes", "是", "会":
		q.Answer = "yes"
	case "n", "no", "否", "不", "不会":
		q.Answer = "no"
	default:
		return false
	}
	return true
}
