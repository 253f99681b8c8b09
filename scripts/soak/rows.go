package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// rowsPart runs the tests of the chapters' faults with the sizes that ENVOYWALK_SOAK=1 gives them.
func (s *soak) rowsPart(r *result) error {
	test := exec.CommandContext(s.ctx, "go", "test", "-count=1", "-timeout=30m", "./chapters/05-connection/...",
		"./chapters/06-filter-chain/...")
	test.Dir = s.root
	test.Env = append(os.Environ(), "ENVOYWALK_SOAK=1")
	stop := s.watch("rows", func() string { return strings.Join(test.Args, " ") })
	out, err := test.CombinedOutput()
	stop()
	r.law(err == nil, "ENVOYWALK_SOAK=1 %s", strings.Join(test.Args, " "))
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		r.figure("%s", line)
	}
	if test.ProcessState == nil {
		return fmt.Errorf("go test: %w", err)
	}
	return nil
}
