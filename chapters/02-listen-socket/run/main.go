// Command run is chapter 02: listeners with sockets, not yet bound.
package main

import (
	"os"

	listensocket "envoywalk/chapters/02-listen-socket"
)

func main() { os.Exit(listensocket.Wire().Main(os.Args)) }
