// Command freeports prints N TCP ports that nobody listens on, one a line. It asks the kernel for all of them
// before it gives any back, so that they differ.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

func main() {
	n := 1
	if len(os.Args) > 1 {
		var err error
		if n, err = strconv.Atoi(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, "freeports N: how many ports?")
			os.Exit(1)
		}
	}
	var held []net.Listener
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		held = append(held, l)
	}
	for _, l := range held {
		fmt.Println(l.Addr().(*net.TCPAddr).Port)
		l.Close()
	}
}
