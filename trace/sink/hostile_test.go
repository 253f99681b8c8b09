package sink_test

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"envoywalk/internal/step"
	"envoywalk/trace"
	"envoywalk/trace/sink"
)

// hostile is what a peer may have put into a name that a span then carries: a server name, an address of a
// PROXY header, the path of a unix socket.
type hostile string

func (h hostile) String() string { return string(h) }

var worst = []string{"\x1b[31m", "\x1b]0;title\x07", "\xff", "\xc0\x80", "\xed\xa0\x80", "\u2028", "\u202e", "\ufeff", "\x00",
	"\r\n", "\n{\"", "\"", "\\", "</script>", "%s%n", "\u009b", "é", "漢", "🙂", "a", "B", " ", "\t", "\x7f", "\u200b"}

func hostileText(r *rand.Rand) hostile {
	var b strings.Builder
	for range r.IntN(12) {
		if r.IntN(3) == 0 {
			b.WriteByte(byte(r.Uint32()))
			continue
		}
		b.WriteString(worst[r.IntN(len(worst))])
	}
	if r.IntN(500) == 0 {
		b.WriteString(strings.Repeat("\x1b\xff", 10_000))
	}
	return hostile(b.String())
}

// walk tells of one text in one of the ways that a lane has, and around it a connection.
func walk(l *trace.Lane, n int, text hostile) {
	fd := 3 + n%50
	story := l.BeginStory(uint64(n+1), 0)
	span := l.EnterStory(story, step.OnReadReady)
	switch n % 7 {
	case 0:
		l.Endpoints(story, text, text)
	case 1:
		l.Label(fd, string(text))
		span.On(fd)
	case 2:
		l.LabelUpstream(fd, uint64(n), string(text))
		span.On(fd)
	case 3:
		span.Of(string(text))
	case 4:
		l.EnterTimer(string(text), false).Exit()
	case 5:
		l.EnterRun(step.None, string(text), "", 0).Exit()
	case 6:
		l.HandOver(fd, string(text))
		l.Later(7, string(text))
	}
	span.Exit()
	l.EndStory(story, false)
}

// Row 49.
func TestTenThousandHostileTextsSpoilNoSpanAndNoTerminal(t *testing.T) {
	const texts = 10_000
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	s, err := sink.Open([]string{"json=" + file("json"), "otlp=" + file("otlp"), "tree=" + file("tree")},
		sink.Options{Stdout: io.Discard, All: true})
	if err != nil {
		t.Fatal(err)
	}
	recorder := trace.New(trace.Config{Service: "test", Processors: s.Processors})
	r := rand.New(rand.NewPCG(49, 49))
	lane := recorder.Thread(string(hostileText(r)), 1, 0)
	for n := range texts {
		walk(lane, n, hostileText(r))
	}
	lane.End()
	stats, err := recorder.Close(context.Background())
	if err != nil || stats.Dropped > 0 || stats.Spans < 2*texts {
		t.Fatalf("%+v, %v", stats, err)
	}
	if _, err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"json", "otlp", "tree"} {
		text, _ := os.ReadFile(file(name))
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			if name == "tree" {
				wantHarmless(t, line)
			} else if !json.Valid([]byte(line)) || !utf8.ValidString(line) {
				t.Fatalf("%s: no JSON: %q", name, line)
			}
		}
		if name != "tree" && n != int(stats.Spans) {
			t.Errorf("%s: %d lines for %d spans", name, n, stats.Spans)
		}
	}
}

func wantHarmless(t *testing.T, line string) {
	t.Helper()
	for _, r := range strings.TrimSuffix(line, "\n") {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' {
			t.Fatalf("%q in %.200q", r, line)
		}
	}
}
