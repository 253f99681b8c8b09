// Command run asks the exercise's check about the trace in a file. Status 1: it rejects it, and says why.
package main

import (
	"fmt"
	"os"

	beforebind "envoywalk/chapters/03-bind/exercises/before-bind"
	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: run TRACE, as --trace otlp=TRACE writes it")
		os.Exit(2)
	}
	t, err := saved.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var run []*moment.Moment
	for _, span := range t.Spans {
		run = append(run, moment.Read(span))
	}
	if err := beforebind.Check(run); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
