package page

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The page's logic is tested in its own language, without any document: web/test. The pages that a browser
// draws are tested in scripts/browser.
func TestTheLogicOfThePage(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("NOT TESTED: the page's logic, because there is no node here (v20 or newer). CI has it.")
	}
	tests, err := filepath.Glob("web/test/*.test.mjs")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests in web/test: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args := append([]string{"--test", "--test-reporter=spec"}, tests...)
	out, err := exec.CommandContext(ctx, node, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}
