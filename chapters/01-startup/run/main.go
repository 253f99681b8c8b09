// Command run is chapter 01: a server that starts, and has nothing yet to listen with.
package main

import (
	"os"

	startup "envoywalk/chapters/01-startup"
)

func main() { os.Exit(startup.Wire().Main(os.Args)) }
