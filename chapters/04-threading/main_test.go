package threading

import (
	"os"
	"testing"

	"envoywalk/internal/walktest"
)

// TestMain: the test's own binary is also the laboratory, a chapter 04 whose open seams the tests
// fill. It must be a process of its own, because a server ends with its process.
func TestMain(m *testing.M) {
	if os.Getenv(labVariable) != "" {
		os.Exit(runLab())
	}
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}
