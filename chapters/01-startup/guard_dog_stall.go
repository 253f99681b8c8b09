package startup

import (
	"bytes"
	"fmt"
	"runtime"
	"time"
)

// stacksMost bounds what is said of a stall. In bytes.
const stacksMost = 64 << 10

// tellStall tells what every thread is doing and where every goroutine stands, once a stall: it may
// be over by the time that somebody comes to look. It runs on the guard dog's thread and waits for
// none of the others, except that the Go runtime halts all of them for a moment.
//
// Envoy: Server::GuardDogImpl::step only counts
func (i *Instance) tellStall(who string, quiet time.Duration) {
	var b bytes.Buffer
	i.writeThreads(&b, fmt.Sprintf("%s has given no sign of life for %v", who, quiet.Round(time.Millisecond)))
	stacks := make([]byte, stacksMost)
	stacks = stacks[:runtime.Stack(stacks, true)]
	b.Write(stacks)
	if len(stacks) == stacksMost {
		b.WriteString("\nthe rest is left out")
	}
	for line := range bytes.Lines(b.Bytes()) {
		i.main.Error("%s", bytes.TrimRight(line, "\n"))
	}
}
