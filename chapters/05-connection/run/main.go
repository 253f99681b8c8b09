// Command run is chapter 05: an accepted socket becomes a connection.
package main

import (
	"os"

	connection "envoywalk/chapters/05-connection"
)

func main() { os.Exit(connection.Wire().Main(os.Args)) }
