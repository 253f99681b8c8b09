package sink_test

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

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

// hostileCall has the text among its arguments.
var hostileCall = &trace.Syscall{Name: "write", HasFD: true, ErrnoName: func(int) string { return "EPERM" },
	Format: func(fd func(int64) string, r *trace.Record) string { return fd(r.Args[0]) + ", " + r.Text }}

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
		l.Call(hostileCall, 0, l.Now(), [4]int64{int64(fd)}, int64(n%3)-1, string(text))
		id, at := l.Posting()
		l.Posted(id, at, step.None, string(text), string(text), trace.PostOutcome{})
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
	collector := collect(t)
	specs := []string{"otlp"} // pushed
	for name := range harmless {
		specs = append(specs, name+"="+filepath.Join(dir, name))
	}
	s, err := sink.Open(specs, sink.Options{Stdout: io.Discard, All: true})
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
	for name, check := range harmless {
		text, _ := os.ReadFile(filepath.Join(dir, name))
		t.Run(name, func(t *testing.T) { check(t, string(text), int(stats.Spans)) })
	}
	if n := collector.Load(); n != int64(stats.Spans) {
		t.Errorf("the collector has taken %d of %d spans", n, stats.Spans)
	}
}

// harmless says what a file of each sink is when no text has spoilt it.
var harmless = map[string]func(t *testing.T, text string, spans int){
	"json": wantLines, "otlp": wantLines,
	"tree": func(t *testing.T, text string, _ int) { wantHarmless(t, text) },
	"strace": func(t *testing.T, text string, _ int) {
		wantHarmless(t, text)
		wantEvery(t, text, `^1 \d+\.\d{6} write\(.*\) = (-1 EPERM \(Operation not permitted\)|[01])$`)
	},
	"mermaid": func(t *testing.T, text string, _ int) {
		wantHarmless(t, text)
		wantEvery(t, text, `^sequenceDiagram$|^    (participant t\d+ as|t\d+(->>|-\))t\d+:|Note over t\d+:)`+
			` ([\pL\p{Nd} _.,:/()=|*+?!'\[\]…-]|#\d+;)+$`)
		if n := utf8.RuneCountInString(text); n > 50_000 {
			t.Errorf("%d characters: Mermaid takes 50,000", n)
		}
	},
	"chrome": func(t *testing.T, text string, spans int) {
		var events []struct{ Ph string }
		if err := json.Unmarshal([]byte(text), &events); err != nil || !utf8.ValidString(text) {
			t.Fatal(err)
		}
		n := map[string]int{}
		for _, e := range events {
			n[e.Ph]++
		}
		if n["B"] != n["E"] || n["b"] != n["e"] || n["B"]+n["b"] != spans {
			t.Errorf("%v for %d spans", n, spans)
		}
	},
}

// wantLines: a line of JSON for each span.
func wantLines(t *testing.T, text string, spans int) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if !json.Valid([]byte(line)) || !utf8.ValidString(line) {
			t.Fatalf("no JSON: %q", line)
		}
	}
	if n != spans {
		t.Errorf("%d lines for %d spans", n, spans)
	}
}

func wantEvery(t *testing.T, text, pattern string) {
	t.Helper()
	line, n := regexp.MustCompile(pattern), 0
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if n++; !line.MatchString(l) {
			t.Fatalf("%.300q", l)
		}
	}
	if n < 20 {
		t.Errorf("%d lines", n)
	}
}

func wantHarmless(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		for _, r := range strings.TrimSuffix(line, "\n") {
			if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' {
				t.Fatalf("%q in %.200q", r, line)
			}
		}
	}
}

// collect starts a collector that reads what it is sent and counts the spans.
func collect(t *testing.T) *atomic.Int64 {
	t.Helper()
	var spans atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(text, &request); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, of := range request.ResourceSpans {
			for _, in := range of.ScopeSpans {
				spans.Add(int64(len(in.Spans)))
			}
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.URL)
	return &spans
}
