// Command run is chapter 03: listeners whose sockets are bound, and do not listen.
package main

import (
	"os"

	bind "envoywalk/chapters/03-bind"
)

func main() { os.Exit(bind.Wire().Main(os.Args)) }
