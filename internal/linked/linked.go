// Package linked builds programs that are built again and again.
package linked

import (
	"context"
	"os/exec"
)

// Program is the command that builds pkg, of the module whose folder is root, into file, with these flags of go
// build. Unlike go build, which links anew each time, go run keeps what it has linked in Go's own cache, and
// throws it away when nobody wanted it for days. So it is given cp to run: its program is copied, and does
// nothing. What differs each time, such as a program somebody works on, is better built by go build: a
// program takes 10 MB or more of the cache.
func Program(ctx context.Context, root, pkg, file string, flags ...string) *exec.Cmd {
	args := append([]string{"run", "-exec", "cp", "-ldflags=-s -w"}, flags...) // nobody debugs it: half the time to link
	cmd := exec.CommandContext(ctx, "go", append(args, pkg, file)...)
	cmd.Dir = root
	return cmd
}
