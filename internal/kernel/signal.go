//go:build linux && (amd64 || arm64)

package kernel

import (
	"os/signal"

	"golang.org/x/sys/unix"
)

// IgnoreSIGPIPE lets a write to a pipe that nobody reads fail with EPIPE. Without it Go ends a process whose
// standard output's reader has gone.
func IgnoreSIGPIPE() { signal.Ignore(unix.SIGPIPE) }
