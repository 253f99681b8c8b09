// Command run lets the check of the exercise judge a trace file: exit 0 accepts it, 1 rejects it.
package main

import (
	"fmt"
	"os"

	ledger "envoywalk/chapters/06-filter-chain/exercises/ledger"
	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Println("usage: run TRACE-FILE")
		os.Exit(2)
	}
	t, err := saved.Open(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	var run []*moment.Moment
	for _, span := range t.Spans {
		run = append(run, moment.Read(span))
	}
	if err := ledger.Check(run); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
