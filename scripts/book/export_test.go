package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/internal/step"
	"envoywalk/trace"
	"envoywalk/trace/sink"
)

// savedRun is a file with a small trace of chapter 04, as a sink wrote it.
func savedRun(t *testing.T, format string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run."+format)
	sinks, err := sink.Open([]string{format + "=" + file}, sink.Options{Chapter: 4})
	if err != nil {
		t.Fatal(err)
	}
	r := trace.New(trace.Config{Service: "envoywalk 04-threading", Processors: append([]sdk.SpanProcessor{}, sinks.Processors...)})
	main := r.Thread("main_thread", 100, 0)
	function := main.Enter(step.OnSocketEvent)
	call := &trace.Syscall{Name: "listen", ErrnoName: func(int) string { return "" },
		Format: func(func(int64) string, *trace.Record) string { return "7, -1" }}
	main.Call(call, 0, main.Now(), [4]int64{}, 0, "")
	function.Exit()
	main.End()
	stats, err := r.Close(t.Context())
	sinks.Stats(stats)
	if _, closing := sinks.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
	return file
}

func export(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = invoke(append([]string{"export", "--lang", "en"}, args...), &o, &e)
	return code, o.String(), e.String()
}

func TestASavedTraceIsExportedToEveryForm(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	for _, from := range []string{"json", "otlp", "html"} {
		file := savedRun(t, from)
		for to, want := range map[string]string{
			"tree": "listen(7, -1) = 0", "html": "<!doctype html>", "json": `"Name":"listen"`, "otlp": `"name":"listen"`,
			"chrome": `"name":"listen","ph":"B"`, "mermaid": "t0->>t0: listen(7, -1) = 0", "strace": " listen(7, -1) = 0\n",
		} {
			code, out, said := export(t, file, "--to", to)
			if code != pass || !strings.Contains(out, want) || said != "" {
				t.Errorf("%s to %s: exit %d, %s\n%.300s", from, to, code, said, out)
			}
			if to == "chrome" && !json.Valid([]byte(out)) {
				t.Errorf("no JSON: %s", out)
			}
		}
	}
}

func TestTheNameOfTheFileDecidesTheForm(t *testing.T) {
	file := savedRun(t, "json")
	for name, want := range map[string]string{"a.mmd": "sequenceDiagram", "a.strace": "listen(7, -1)", "a.html": "<!doctype html>",
		"a.txt": "m thread", "a.jsonl": "resourceSpans"} {
		out := filepath.Join(t.TempDir(), name)
		code, _, said := export(t, file, "-o", out)
		text, _ := os.ReadFile(out)
		if code != pass || !strings.Contains(string(text), want) || !strings.Contains(said, out+": written.") {
			t.Errorf("%s: exit %d, %s\n%.300s", name, code, said, text)
		}
	}
}

func TestTheTreesFlagsDecideWhatIsShown(t *testing.T) {
	file := savedRun(t, "json")
	for _, c := range []struct {
		args  string
		shown bool
	}{{"--all", true}, {"--kinds functions", false}, {"--kinds syscalls", true}, {"--thread nobody", false}, {"--thread x,main -e", true}} {
		code, out, said := export(t, append([]string{file}, strings.Fields(c.args)...)...)
		if code != pass || strings.Contains(out, "listen(7") != c.shown {
			t.Errorf("%s: exit %d, %s\n%s", c.args, code, said, out)
		}
	}
}

func TestWhatCannotBeExportedIsSaid(t *testing.T) {
	file := savedRun(t, "json")
	empty := filepath.Join(t.TempDir(), "empty")
	os.WriteFile(empty, nil, 0o600)
	for want, args := range map[string]string{
		"takes one file":            file + " " + file,
		"no such file":              "/none/such",
		"there is no span in it":    empty,
		"would be overwritten":      file + " --to html -o " + file,
		"no such sink. The sinks":   file + " --to svg",
		"there is no kind 'colour'": file + " --kinds colour",
		"not defined: -x":           file + " -x",
	} {
		code, _, said := export(t, strings.Fields(args)...)
		if code != couldNotLook || !strings.Contains(said, want) {
			t.Errorf("%s: exit %d, %s", args, code, said)
		}
	}
}

func TestATraceThatWasCutOffIsExportedAsFarAsItGoes(t *testing.T) {
	file := savedRun(t, "json")
	text, _ := os.ReadFile(file)
	os.WriteFile(file, text[:len(text)-20], 0o600)
	code, out, said := export(t, file, "--to", "strace")
	if code != pass || !strings.Contains(out, "listen(") || !strings.Contains(said, "line 3 is cut off") {
		t.Errorf("exit %d, %s\n%s", code, said, out)
	}
}

func TestOTLPGoesToTheCollectorThatTheEnvironmentNames(t *testing.T) {
	file := savedRun(t, "json")
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	code, out, said := export(t, file, "--to", "otlp")
	if code != pass || out != "" || requests.Load() != 1 || !strings.Contains(said, "pushed 3 spans to "+server.URL) {
		t.Errorf("exit %d, %d requests, %s\n%s", code, requests.Load(), said, out)
	}
}
