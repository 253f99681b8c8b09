//go:build !unix

package grade

import "syscall"

// signals: where there is no SIGUSR1, no chapter runs that could be sent one.
var signals = map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
