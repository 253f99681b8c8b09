// Command lab is chapter 06's program with its listen fds watched in a way that no configuration of
// Envoy asks for, so that the accept lab can compare. Its first argument says how; the rest are the
// program's own.
//
//	lab exclusive|edge -c envoy.yaml
package main

import (
	"fmt"
	"os"

	eventloop "envoywalk/chapters/00-event-loop"
	filterchain "envoywalk/chapters/06-filter-chain"
)

func main() {
	s := filterchain.Wire()
	switch watch := append(os.Args, "")[1]; watch {
	case "exclusive":
		s.ListenTrigger = eventloop.Exclusive
	case "edge":
		s.ListenTrigger = eventloop.Edge
	default:
		fmt.Fprintf(os.Stderr, "lab: watch the listen fds how? exclusive or edge, not %q\n", watch)
		os.Exit(2)
	}
	os.Exit(s.Main(append(os.Args[:1:1], os.Args[2:]...)))
}
