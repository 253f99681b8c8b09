package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/grade"
)

// run builds a chapter's program and runs it in the reader's folder, as `go run` would, but with
// the program's own exit code. Ctrl-C reaches the program; this tool only waits.
func (b *book) run(args []string) int {
	ours, theirs := splitArgs(args)
	if len(ours) != 1 {
		return b.lacking(b.text.usage["run"])
	}
	chapter, err := b.chapter(ours[0])
	if err != nil && (strings.Contains(ours[0], "/") || b.here() != "") {
		return b.runExercise(ours[0], theirs)
	}
	if err != nil {
		return b.lacking(err.Error())
	}
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	program, err := b.build(context.Background(), chapter, dir)
	if err != nil {
		return b.lacking(err.Error())
	}
	return b.runProgram(program, theirs)
}

// runExercise runs what an exercise is about: a mutant of a hunt, or the program with the learner's answer in
// it. Without flags it gets the exercise's configuration and flags, and shows its tree.
func (b *book) runExercise(name string, theirs []string) int {
	e, mutant, err := b.findMutant(name)
	if err != nil {
		return b.refused(err)
	}
	if err := b.canGrade(); err != nil {
		return b.lacking(err.Error())
	}
	if names := mutantNames(e); e.Kind == exercise.Hunt && mutant == "" {
		return b.lacking(fmt.Sprintf(b.lessons().whichMutant, e.ID, strings.Join(names, ", "), "run", e.ID, names[0]))
	}
	dir, err := os.MkdirTemp("", "book")
	if err != nil {
		return b.fault(err)
	}
	defer os.RemoveAll(dir)
	g := b.grader(dir)
	program, err := g.Program(context.Background(), e, mutant)
	if err == nil && len(theirs) == 0 {
		theirs, err = usualArgs(g, e)
	}
	if err != nil {
		return b.lacking(b.compilers(err.Error()))
	}
	return b.runProgram(program, theirs)
}

// usualArgs are the flags that the grader gives the program, and the tree for whoever watches.
func usualArgs(g *grade.Grader, e *exercise.Exercise) ([]string, error) {
	args := append([]string{"--trace", "tree"}, e.Args...)
	config, err := g.Configuration(e)
	if config != "" {
		args = append(args, "-c", config)
	}
	return args, err
}

// runProgram runs it in the reader's folder and returns its own exit code.
func (b *book) runProgram(program string, args []string) int {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = b.in, b.out, b.err
	return b.exitCode(cmd.Run())
}

func (b *book) exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return pass
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	case errors.As(err, &exit):
		fmt.Fprintln(b.err, exit)
		return notYet
	}
	return b.fault(err)
}
