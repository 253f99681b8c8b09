package startup

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"envoywalk/internal/step"
	"envoywalk/internal/walktest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}

// serve runs a whole server in this process: it starts, calls during from outside, shuts down. change may
// fill seams. It returns the exit status and the messages of the log, in order.
func serve(t *testing.T, yaml string, change func(*Seams), during func(*Demo),
	args ...string) (int, []string) {
	t.Helper()
	s := Wire()
	s.Chapter.Config = yaml
	s.Demo = func(d *Demo) {}
	if during != nil {
		s.Demo = during
	}
	if change != nil {
		change(s)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	path := filepath.Join(t.TempDir(), "log")
	code := s.Main(append([]string{"envoywalk", "--trace", "none", "--log-path", path}, args...))
	return code, messages(path)
}

var linePrefix = regexp.MustCompile(`^(\[[^\]]*\])+ \[[^\]]*\] `)

// messages are the lines of a log without what stands before the message.
func messages(path string) (all []string) {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		all = append(all, linePrefix.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""))
	}
	return all
}

// only keeps the lines that contain one of the words.
func only(lines []string, words ...string) (kept []string) {
	for _, line := range lines {
		for _, w := range words {
			if strings.Contains(line, w) {
				kept = append(kept, line)
				break
			}
		}
	}
	return kept
}

// eventually waits for what must become true by itself.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(walktest.Patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// clusters is a cluster manager of the test's making.
type clusters struct {
	initialized func(func())
	shutdown    func()
}

func (c *clusters) SetInitializedCb(done func()) { c.initialized(done) }
func (c *clusters) Shutdown() {
	if c.shutdown != nil {
		c.shutdown()
	}
}

// onLoop runs f from the main loop, later.
func onLoop(i *Instance, f func()) { i.Dispatcher.Post(i.Dispatcher, step.None, f) }
