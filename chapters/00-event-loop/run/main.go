// Command run is chapter 00: two threads, two event loops, and what they say to each other.
package main

import (
	"os"

	eventloop "envoywalk/chapters/00-event-loop"
)

func main() { os.Exit(eventloop.Main(os.Args)) }
