package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// rowsPart runs the tests of the chapters' faults with the sizes that ENVOYWALK_SOAK=1 gives them.
func (s *soak) rowsPart(r *result) error {
	return s.test(r, "rows", "ENVOYWALK_SOAK=1", "-timeout=30m", "./chapters/05-connection/...", "./chapters/06-filter-chain/...")
}

// exercisesPart grades every solution, built with -race, and every known wrong answer so many times: each must be
// told the same each time.
func (s *soak) exercisesPart(r *result) error {
	return s.test(r, "exercises", fmt.Sprintf("ENVOYWALK_EXERCISES=%d", s.exercises), "-race", "-timeout=3h", "-v",
		"-run=EveryExerciseKeepsTheLaws", "./scripts/book/grade")
}

// test runs tests of the project with one more variable in their environment.
func (s *soak) test(r *result, part, variable string, args ...string) error {
	test := exec.CommandContext(s.ctx, "go", append([]string{"test", "-count=1"}, args...)...)
	test.Dir = s.root
	test.Env = append(os.Environ(), variable)
	began := time.Now()
	stop := s.watch(part, func() string {
		return fmt.Sprintf("%s of %s", time.Since(began).Round(time.Second), strings.Join(test.Args, " "))
	})
	out, err := test.CombinedOutput()
	stop()
	r.law(err == nil, "%s %s", variable, strings.Join(test.Args, " "))
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		r.figure("%s", line)
	}
	if test.ProcessState == nil {
		return fmt.Errorf("go test: %w", err)
	}
	return nil
}
