// Command run shows chapter 00: two threads, two event loops, and what they say to each other.
package main

import (
	"fmt"
	"os"

	eventloop "envoywalk/chapters/00-event-loop"
)

func main() {
	if err := eventloop.Demo(os.Stdout, os.Args[1:], false); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
