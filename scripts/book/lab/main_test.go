package lab

import (
	"context"
	"os"
	"testing"
)

var (
	ctx     = context.Background()
	folders []string
)

// tempDir is a folder that outlives a test: the tests share a run.
func tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "lab")
	folders = append(folders, dir)
	return dir, err
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range folders {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}
