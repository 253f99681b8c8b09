// Command run is chapter 04: every worker listens and accepts.
package main

import (
	"os"

	threading "envoywalk/chapters/04-threading"
)

func main() { os.Exit(threading.Wire().Main(os.Args)) }
