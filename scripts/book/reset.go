package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"envoywalk/scripts/book/exercise"
)

// reset puts the starter back in the place of the learner's answer, and keeps that.
func (b *book) reset(args []string) int {
	var yes bool
	e, err := b.oneExercise("reset", args, func(f *flag.FlagSet) { f.BoolVar(&yes, "yes", false, "") })
	if err != nil {
		return b.refused(err)
	}
	path, words := e.AnswerFile(b.module, ""), b.lessons()
	starter, err := os.ReadFile(e.AnswerFile(b.module, exercise.Starter))
	if err != nil {
		return b.fault(err)
	}
	mine, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // nothing is lost, so nobody is asked
		if err := os.WriteFile(path, starter, 0o644); err != nil {
			return b.lacking(err.Error() + "\n" + words.resetNot)
		}
		return b.isReset(e, words.resetBack)
	case err != nil:
		return b.lacking(err.Error() + "\n" + words.resetNot)
	case bytes.Equal(mine, starter):
		return b.isReset(e, fmt.Sprintf(words.resetSame, b.shown(path)))
	}
	backup := filepath.Join(b.keptIn(e), time.Now().Format("20060102-150405-")+e.Answer)
	if !yes && !b.agrees(fmt.Sprintf(words.resetAsk, b.shown(path), b.shown(backup))) {
		fmt.Fprintln(b.out, words.resetNot)
		return notYet
	}
	if err := putBack(path, backup, mine, starter); err != nil {
		return b.lacking(err.Error() + "\n" + words.resetNot)
	}
	return b.isReset(e, fmt.Sprintf(words.resetDone, b.shown(backup)))
}

// isReset notes that the starter is there again.
func (b *book) isReset(e *exercise.Exercise, says string) int {
	b.note(attempt{Exercise: e.ID, Of: len(e.Checks), Verdict: verdictReset,
		SHA256: hashOf(e.AnswerFile(b.module, ""))})
	fmt.Fprintln(b.out, says)
	return pass
}

// putBack keeps what is there before anything is overwritten.
func putBack(path, backup string, mine, starter []byte) error {
	if err := os.MkdirAll(filepath.Dir(backup), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(backup, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(mine); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, starter, 0o644)
}

// agrees asks. Silence is no.
func (b *book) agrees(question string) bool {
	fmt.Fprint(b.out, question)
	line, _ := bufio.NewReader(b.in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "是", "好":
		return true
	}
	return false
}
