package sink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace/sink"
)

// spans opens the sinks, sends n spans and closes everything.
func spans(t *testing.T, n int, o sink.Options, specs ...string) (int64, error) {
	t.Helper()
	s, err := sink.Open(specs, o)
	if err != nil {
		t.Fatal(err)
	}
	emit(t, s, n)
	return s.Close()
}

func emit(t *testing.T, s *sink.Sinks, n int) {
	t.Helper()
	var options []sdk.TracerProviderOption
	for _, p := range s.Processors {
		options = append(options, sdk.WithSpanProcessor(p))
	}
	provider := sdk.NewTracerProvider(options...)
	for range n {
		_, span := provider.Tracer("test").Start(context.Background(), "aSpan")
		span.End()
	}
	if err := provider.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestEverySinkWritesWhereItIsTold(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"tree", "json", "otlp"} {
		file := filepath.Join(dir, name)
		var stdout bytes.Buffer
		n, err := spans(t, 3, sink.Options{Stdout: &stdout}, name+"="+file, name, "none")
		text, _ := os.ReadFile(file)
		if err != nil || n != int64(len(text)) || strings.Count(string(text), "aSpan") != 3 {
			t.Errorf("%s: %d bytes, %v, in the file\n%s", name, n, err, text)
		}
		if strings.Count(stdout.String(), "aSpan") != 3 {
			t.Errorf("%s on stdout:\n%s", name, stdout.String())
		}
		for line := range strings.Lines(string(text)) {
			if name != "tree" && !json.Valid([]byte(line)) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

func TestWhatCannotBeOpenedIsSaidInASentence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	for want, specs := range map[string][]string{
		"no such sink. The sinks are tree": {"jsn"},
		"names no file":                    {"tree="},
		"none writes no file":              {"none=x"},
		"another sink writes this file":    {"tree=" + file, "json=" + file},
		"no such file or directory":        {"json=" + file + "/no/such"},
	} {
		_, err := sink.Open(specs, sink.Options{Stdout: &bytes.Buffer{}})
		if want == "no such file or directory" && err != nil {
			want = filepath.Base(file) // a file stands where a folder should
		}
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "--trace "+specs[len(specs)-1]) {
			t.Errorf("%v: %v", specs, err)
		}
	}
}

func TestAFullDiskIsCountedAndKillsNothing(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	for _, name := range []string{"tree", "json", "otlp", "chrome", "mermaid"} {
		_, err := spans(t, 1000, sink.Options{Stdout: &bytes.Buffer{}}, name+"=/dev/full")
		if err == nil || !strings.Contains(err.Error(), "lines, ") ||
			!strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReaderWhoGoesAwayIsAWriteError(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	_, err = spans(t, 1000, sink.Options{Stdout: w}, "tree", "json")
	if err == nil || !strings.Contains(err.Error(), "broken pipe") {
		t.Error(err)
	}
}

// watched is a buffer that another goroutine may look at.
type watched struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *watched) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Len()
}

func TestALineDoesNotWaitForTheNext(t *testing.T) {
	var w watched
	s, err := sink.Open([]string{"tree"}, sink.Options{Stdout: &w})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 { // the timer starts anew
		before := w.len()
		emit(t, s, 1)
		for end := time.Now().Add(5 * time.Second); w.len() == before; {
			if time.Now().After(end) {
				t.Fatal("nothing was written")
			}
			time.Sleep(time.Millisecond)
		}
	}
}
