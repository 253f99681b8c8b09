package faults

import (
	"flag"
	"os"
	"testing"

	"envoywalk/internal/walktest"
)

// TestMain is also the upstream process that a test kills. Most of a test here is waiting for a timeout, so
// more of them run at a time than there are processors.
func TestMain(m *testing.M) {
	if os.Getenv(upstreamVariable) != "" {
		beUpstream()
		return
	}
	flag.Parse()
	flag.Set("test.parallel", "6")
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}
