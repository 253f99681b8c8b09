// Package walktest runs the chapters' real binaries for tests: built once, started, watched, stopped.
package walktest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"envoywalk/internal/linked"
)

// Patience is how long anything may take before a test gives up; nothing waits that long when all is well.
const Patience = 30 * time.Second

var built struct {
	sync.Mutex
	dir      string
	binaries map[string]string
}

// Root is the module's folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Binary builds a chapter's binary once per test process and returns its path. chapter is a number: 04.
func Binary(t testing.TB, chapter string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if path := built.binaries[chapter]; path != "" {
		return path
	}
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "walktest")
		if err != nil {
			t.Fatal(err)
		}
		os.Chmod(dir, 0o755) // for tests that run a binary as another user
		built.dir, built.binaries = dir, map[string]string{}
	}
	folders, _ := filepath.Glob(filepath.Join(Root(), "chapters", chapter+"-*", "run"))
	if len(folders) != 1 {
		t.Fatalf("chapter %s: found %v", chapter, folders)
	}
	path := filepath.Join(built.dir, "envoywalk-"+chapter)
	build := linked.Program(t.Context(), Root(), folders[0], path)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building chapter %s: %v\n%s", chapter, err, out)
	}
	built.binaries[chapter] = path
	return path
}

// CleanUp removes the binaries. Call it from TestMain after m.Run.
func CleanUp() {
	built.Lock()
	defer built.Unlock()
	os.RemoveAll(built.dir)
	built.dir, built.binaries = "", nil
}

// Process is a started binary.
type Process struct {
	t      testing.TB
	Cmd    *exec.Cmd
	Stdout *Output
	Stderr *Output
	ended  chan struct{}
}

// Output collects what a process prints, and can be waited on.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newOutput() *Output { return &Output{more: make(chan struct{}, 1)} }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Start starts a chapter's binary; it is killed, if need be, when the test ends.
func Start(t testing.TB, chapter string, args ...string) *Process {
	t.Helper()
	return StartCommand(t, exec.Command(Binary(t, chapter), args...))
}

// StartCommand is Start for a command of the caller's making: under strace, as another user.
func StartCommand(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{t: t, Cmd: cmd, Stdout: newOutput(), Stderr: newOutput(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	cmd.WaitDelay = Patience // a grandchild may keep the pipes open
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-p.ended })
	return p
}

// WaitFor waits until the process has printed what pattern matches, on either stream, and returns the match
// with its groups. A process that ends first, or says nothing in time, fails the test.
func (p *Process) WaitFor(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(Patience)
	for ended := false; ; {
		for _, o := range [...]*Output{p.Stdout, p.Stderr} {
			if m := re.FindStringSubmatch(o.String()); m != nil {
				return m
			}
		}
		if ended {
			p.t.Fatalf("%s ended without saying %q:\n%s", p.Cmd.Args, pattern, p.tail())
		}
		select {
		case <-p.Stdout.more:
		case <-p.Stderr.more:
		case <-p.ended:
			ended = true
		case <-deadline:
			p.t.Fatalf("%s did not say %q in %v:\n%s", p.Cmd.Args, pattern, Patience, p.tail())
		}
	}
}

// Ready waits until every worker has every listener.
func (p *Process) Ready() {
	p.t.Helper()
	p.WaitFor(`all workers have all listeners|starting main dispatch loop`)
}

// Wait waits for the end and returns the exit status.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.Cmd.ProcessState.ExitCode()
	case <-time.After(Patience):
		p.t.Fatalf("%s is still running:\n%s", p.Cmd.Args, p.tail())
		return -1
	}
}

// Stop sends a signal and waits for the end.
func (p *Process) Stop(s os.Signal) int {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	return p.Wait()
}

func (p *Process) tail() string {
	text := p.Stdout.String() + p.Stderr.String()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// Config writes an envoy.yaml into the test's folder and returns its path.
func Config(t testing.TB, yaml string, args ...any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "envoy.yaml")
	if len(args) > 0 {
		yaml = fmt.Sprintf(yaml, args...)
	}
	if err := os.WriteFile(path, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
