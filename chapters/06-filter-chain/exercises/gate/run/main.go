// Command run is chapter 06 with the exercise in it.
package main

import (
	"os"

	filterchain "envoywalk/chapters/06-filter-chain"
	gate "envoywalk/chapters/06-filter-chain/exercises/gate"
)

func main() {
	s := filterchain.Wire()
	gate.Fill(s)
	os.Exit(s.Main(os.Args))
}
