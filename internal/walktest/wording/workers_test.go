package wording

import (
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

// TestMoreWorkersThanFdsAreRefusedInASentence: each worker's loop takes two fds.
func TestMoreWorkersThanFdsAreRefusedInASentence(t *testing.T) {
	p := walktest.Start(t, "04", "--concurrency", "1000000", "--trace", "none", "-l", "off")
	if code := p.Wait(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	said := p.Stderr.String()
	if !strings.HasPrefix(said, "cannot make an event loop for each of 1000000 workers: Too many open files\n") ||
		!strings.Contains(said, "hint: ") || strings.Contains(said, "goroutine") {
		t.Errorf("it said:\n%s", said)
	}
}
