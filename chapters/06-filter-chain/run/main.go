// Command run is chapter 06: connections have filters, and tcp_proxy carries their bytes to a cluster.
package main

import (
	"os"

	filterchain "envoywalk/chapters/06-filter-chain"
)

func main() { os.Exit(filterchain.Wire().Main(os.Args)) }
