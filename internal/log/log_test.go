package log

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func tid() int { return 1234 }

// atNoon makes a logger whose clock stands still, and the buffer it writes to.
func atNoon() (*Logger, *bytes.Buffer) {
	out := &bytes.Buffer{}
	l := New(out, tid)
	l.now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 5, 123456789, time.UTC) }
	return l, out
}

// logged is the one line that a pattern makes of a message, without its newline.
func logged(t *testing.T, pattern string, escaped bool, message string) string {
	t.Helper()
	l, out := atNoon()
	if err := l.SetFormat(pattern, escaped); err != nil {
		t.Fatal(err)
	}
	l.Component(ConnHandler).Error("%s", message)
	return strings.TrimSuffix(out.String(), "\n")
}

func TestALineLooksLikeEnvoys(t *testing.T) {
	l, out := atNoon()
	l.Component(Main).Info("starting main dispatch loop, epoch %d", 0)
	want := regexp.MustCompile(`^\[2026-11-22 12:00:05\.123\]\[1234\]\[info\]\[main\] ` +
		`\[internal/log/log_test\.go:\d+\] starting main dispatch loop, epoch 0\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got %q", out)
	}
}

func TestAllSixFunctionsNameTheirCallersLineAndLevel(t *testing.T) {
	l, out := atNoon()
	l.SetLevel(Trace)
	if err := l.SetFormat("%l %L %g", false); err != nil {
		t.Fatal(err)
	}
	c := l.Component(Config)
	for _, log := range []func(string, ...any){
		c.Trace, c.Debug, c.Info, c.Warn, c.Error, c.Critical} {
		log("x")
	}
	for i, got := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		level := Level(i)
		want := level.String() + " " + level.short() + " internal/log/log_test.go"
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryFlagOfAFormat(t *testing.T) {
	for pattern, want := range map[string]string{
		"%Y/%m/%d": "2026/11/22",
		"%T,%e":    "12:00:05,123",
		"%t %l %L": "1234 error E",
		"%n: %v":   "conn_handler: hi",
		"100%% %_": "100% hi",
		"":         "",
		"no flags": "no flags",
		"%v中文%v":   "hi中文hi",
	} {
		if got := logged(t, pattern, false, "hi"); got != want {
			t.Errorf("%q gave %q, want %q", pattern, got, want)
		}
	}
}

func TestAnUnknownFlagIsRefusedAndTheOldFormatStays(t *testing.T) {
	l, out := atNoon()
	for pattern, want := range map[string]string{
		"%q":   "error: log format '%q' has an unknown flag '%q'",
		"%v %": "error: log format '%v %' ends in the middle of a flag",
		"%é":   "error: log format '%é' has an unknown flag '%é'",
		"%-8l": "error: log format '%-8l' has an unknown flag '%-'",
	} {
		if err := l.SetFormat(pattern, false); err == nil || err.Error() != want {
			t.Errorf("%q gave %v, want %s", pattern, err, want)
		}
	}
	l.Component(Main).Info("still here")
	if !strings.HasSuffix(out.String(), "] still here\n") {
		t.Errorf("got %q", out)
	}
}

func TestWhatAPeerSendsCannotForgeALineOrDriveATerminal(t *testing.T) {
	for message, want := range map[string]string{
		"\x1b[31mred":             `\x1b[31mred`,
		"a\n[fake] line":          `a\n[fake] line`,
		"\r\t\x00\x7f":            `\r\t\x00\x7f`,
		"bad \xff\xfe":            `bad \xff\xfe`,
		"\u009b31m \u202e \u2028": `\xc2\x9b31m \xe2\x80\xae \xe2\x80\xa8`,
		"中文 \u00e9 \ufffd":        "中文 \u00e9 \ufffd",
	} {
		if got := logged(t, "%v", false, message); got != want {
			t.Errorf("%q is logged as %q, want %q", message, got, want)
		}
	}
}

func TestAnEscapedLineIsACString(t *testing.T) {
	got := logged(t, "[\"%v\"]", true, "a\n\x1b'\\é")
	if want := `[\"a\n\033\'\\\303\251\"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestALineIsOneWriteEvenWithManyThreads(t *testing.T) {
	var writes oneLine
	l := New(&writes, tid)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				l.Component(Upstream).Warn("%s", strings.Repeat("x", 5000))
			}
		})
	}
	wg.Wait()
	if writes.lines != 800 || writes.broken != 0 {
		t.Errorf("%d lines, %d broken", writes.lines, writes.broken)
	}
}

// oneLine counts Writes that hold exactly one line, and others.
type oneLine struct{ lines, broken int }

func (w *oneLine) Write(b []byte) (int, error) {
	if bytes.Count(b, []byte("\n")) == 1 && b[len(b)-1] == '\n' {
		w.lines++
	} else {
		w.broken++
	}
	return len(b), nil
}

func TestALogFileMovedAwayIsLetGo(t *testing.T) {
	dir := t.TempDir()
	path, moved := filepath.Join(dir, "envoy.log"), filepath.Join(dir, "old.log")
	l, err := Open(path, tid)
	if err != nil {
		t.Fatal(err)
	}
	l.Component(Main).Info("one")
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	l.Component(Main).Info("two")
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Component(Main).Info("three")
	if got := tails(t, moved); got != "one two" {
		t.Errorf("the moved file has %q", got)
	}
	if got := tails(t, path); got != "three" {
		t.Errorf("the new file has %q", got)
	}
}

// tails is the last word of each line of a file.
func tails(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		words = append(words, line[strings.LastIndex(line, " ")+1:])
	}
	return strings.Join(words, " ")
}

func TestAReopenThatFailsKeepsTheOldFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	path := filepath.Join(dir, "envoy.log")
	_, err := Open(path, tid)
	if err == nil || !strings.HasPrefix(err.Error(), "Failed to open log-file '"+path+"'.") {
		t.Fatalf("opening a file in no directory gave %v", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, tid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil {
		t.Fatal("the reopen did not fail")
	}
	l.Component(Main).Info("kept")
	if got := tails(t, dir+".old/envoy.log"); got != "kept" {
		t.Errorf("the old file has %q", got)
	}
}

func TestReopeningALogThatIsNotAFileDoesNothing(t *testing.T) {
	l, out := atNoon()
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Component(Main).Info("x")
	if out.Len() == 0 {
		t.Error("the log has lost its writer")
	}
}

func TestADisabledLevelAllocatesNothing(t *testing.T) {
	c := New(io.Discard, tid).Component(Pool)
	if n := testing.AllocsPerRun(100, func() { c.Debug("creating a new connection") }); n != 0 {
		t.Errorf("a disabled message allocates %v times", n)
	}
}
