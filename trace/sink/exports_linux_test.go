package sink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envoywalk/trace/sink"
)

func TestEveryChromeFileIsAWholeListAcrossRenames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chrome")
	s := open(t, "chrome="+path)
	_, life := s.provider.Tracer("test").Start(context.Background(), "life")
	const moves = 5
	for n := range moves {
		s.emit(100)
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, n)); err != nil {
			t.Fatal(err)
		}
		s.Reopen()
		eventually(t, "the new file is there", func() bool { _, err := os.Stat(path); return err == nil })
	}
	s.emit(100)
	s.Reopen() // nobody has moved it
	s.emit(100)
	life.End()
	if _, err := s.close(); err != nil || s.told.len() > 0 {
		t.Errorf("%v, %s", err, &s.told.b)
	}
	files, _ := filepath.Glob(path + "*")
	ended, lives := 0, 0
	for _, file := range files {
		text, _ := os.ReadFile(file)
		var events []struct{ Name, Ph string }
		if err := json.Unmarshal(text, &events); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, e := range events {
			switch e.Name + " " + e.Ph {
			case "aSpan E":
				ended++
			case "life B":
				lives++
			}
		}
	}
	if len(files) != moves+1 || ended != (moves+2)*100 || lives != moves+1 {
		t.Errorf("%d files, %d spans, life begins %d times", len(files), ended, lives)
	}
}

func TestWhatAProgramReadsIsNoTextForPeople(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	for spec, want := range map[string]bool{"chrome": false, "chrome=f": true, "mermaid": false, "strace": false, "otlp": false} {
		if sink.Readable([]string{spec}) != want {
			t.Errorf("%s: %v", spec, !want)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	if !sink.Readable([]string{"otlp"}) {
		t.Error("what is pushed stands not on stdout")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "x")
	if _, err := sink.Open([]string{"otlp"}, sink.Options{Stdout: &bytes.Buffer{}}); err == nil ||
		!strings.Contains(err.Error(), "--trace otlp: OTEL_EXPORTER_OTLP_PROTOCOL is") {
		t.Error(err)
	}
}
