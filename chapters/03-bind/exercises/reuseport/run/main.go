// Command run is chapter 03 with the exercise in it.
package main

import (
	"os"

	bind "envoywalk/chapters/03-bind"
	reuseport "envoywalk/chapters/03-bind/exercises/reuseport"
)

func main() {
	s := bind.Wire()
	reuseport.Fill(s)
	os.Exit(s.Main(os.Args))
}
