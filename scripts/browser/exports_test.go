package browser

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"envoywalk/internal/walktest"
)

// exported runs a chapter's demo with a sink of each name, and returns where they wrote.
func exported(t *testing.T, chapter string, sinks ...string) func(sink string) string {
	t.Helper()
	dir := t.TempDir()
	file := func(sink string) string { return filepath.Join(dir, sink) }
	args := []string{"--concurrency", "2"}
	for _, sink := range sinks {
		args = append(args, "--trace", sink+"="+file(sink))
	}
	p := walktest.Start(t, chapter, args...)
	if code := p.Wait(); code != 0 {
		t.Fatalf("chapter %s: exit %d\n%s", chapter, code, p.Stderr)
	}
	return file
}

// stdoutSpan is a span of the json sink, as OpenTelemetry's own exporter spells it.
type stdoutSpan struct {
	Name                string
	SpanContext, Parent struct{ TraceID, SpanID string }
	SpanKind            int
	StartTime, EndTime  time.Time
	Attributes          []stdoutAttribute
	Links               []struct {
		SpanContext struct{ TraceID, SpanID string }
	}
	Status   struct{ Code, Description string }
	Resource []stdoutAttribute
}

type stdoutAttribute struct {
	Key   string
	Value struct{ Value any }
}

// The collector's own package reads the lines, and every span is what the json sink says it is.
func TestTheCollectorReadsEverySpanAsItWas(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		file := exported(t, chapter, "json", "otlp")
		said := map[string]stdoutSpan{}
		eachLine(t, file("json"), func(line []byte) {
			var s stdoutSpan
			if err := json.Unmarshal(line, &s); err != nil {
				t.Fatal(err)
			}
			said[s.SpanContext.SpanID] = s
		})
		read := 0
		eachLine(t, file("otlp"), func(line []byte) {
			traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(line)
			if err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			for _, of := range traces.ResourceSpans().All() {
				for _, in := range of.ScopeSpans().All() {
					for _, s := range in.Spans().All() {
						read++
						wantSame(t, s, of.Resource(), said[s.SpanID().String()])
					}
				}
			}
		})
		if read != len(said) || read < 300 {
			t.Errorf("chapter %s: %d spans read of %d", chapter, read, len(said))
		}
		t.Logf("chapter %s: %d spans", chapter, read)
	}
}

func eachLine(t *testing.T, file string, do func([]byte)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		do(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func wantSame(t *testing.T, s ptrace.Span, on pcommon.Resource, said stdoutSpan) {
	t.Helper()
	parent := s.ParentSpanID().String()
	if parent == "" {
		parent = "0000000000000000"
	}
	var links, saidLinks []string
	for _, l := range s.Links().All() {
		links = append(links, l.TraceID().String()+l.SpanID().String())
	}
	for _, l := range said.Links {
		saidLinks = append(saidLinks, l.SpanContext.TraceID+l.SpanContext.SpanID)
	}
	code := map[ptrace.StatusCode]string{ptrace.StatusCodeUnset: "Unset", ptrace.StatusCodeOk: "Ok", ptrace.StatusCodeError: "Error"}
	got := []any{s.Name(), s.TraceID().String(), s.SpanID().String(), parent, int(s.Kind()), s.StartTimestamp().AsTime(),
		s.EndTimestamp().AsTime(), links, code[s.Status().Code()], s.Status().Message(), s.Attributes().AsRaw(), on.Attributes().AsRaw()}
	want := []any{said.Name, said.SpanContext.TraceID, said.SpanContext.SpanID, said.Parent.SpanID, said.SpanKind, said.StartTime,
		said.EndTime, saidLinks, said.Status.Code, said.Status.Description, raw(said.Attributes), raw(said.Resource)}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: got\n%#v\nwant\n%#v", said.Name, got[i], want[i])
		}
	}
}

// raw is a list of attributes as the collector's package spells it: whole numbers are integers.
func raw(attributes []stdoutAttribute) map[string]any {
	m := map[string]any{}
	for _, a := range attributes {
		m[a.Key] = whole(a.Value.Value)
	}
	return m
}

func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) {
			return int64(v)
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return v
}
