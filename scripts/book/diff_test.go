package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"envoywalk/trace"
)

// writeRun writes a small run as the json sink does: a socket and what is done with it.
func writeRun(t *testing.T, name string, calls ...string) string {
	t.Helper()
	var b strings.Builder
	for i, call := range append([]string{"socket"}, calls...) {
		args, ret := "AF_INET", 7
		var about []attribute.KeyValue
		if call != "socket" {
			args, ret = "7<echo>", 0
			about = []attribute.KeyValue{trace.KeyFD.Int(7), trace.KeyFDLabel.String("echo")}
		}
		attributes, err := json.Marshal(append(about, trace.KeySeqStart.Int(i+1), trace.KeySeqEnd.Int(i+1),
			trace.KeyKind.String("syscall"), trace.KeyThreadName.String("main_thread"),
			trace.KeySyscall.String(call), trace.KeyArgs.String(args), trace.KeyRet.Int(ret)))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, `{"Name":%q,"SpanContext":{"TraceID":"8da46d9b687ee8af00000000c0000001",`+
			`"SpanID":"%016x","TraceFlags":"01"},"Parent":{"TraceID":"00000000000000000000000000000000",`+
			`"SpanID":"0000000000000000"},"SpanKind":1,"StartTime":"2026-11-22T21:44:55.5Z",`+
			`"EndTime":"2026-11-22T21:44:55.5Z","Attributes":%s,"Status":{"Code":"Unset"}}`+"\n",
			call, i+1, attributes)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDiffPassesOnlyWhereNothingIsDifferent(t *testing.T) {
	a, b := writeRun(t, "a.json", "bind", "listen", "close"), writeRun(t, "b.json", "bind", "close")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{a, a}, pass, "4 the same, 0 missing (-), 0 extra (+)"},
		{[]string{a, b}, notYet, "- 3 main listen(7<echo>) = 0"},
		{[]string{b, a}, notYet, "+ 3 main listen(7<echo>) = 0"},
		{[]string{a, "--calls", b, "--lang", "zh"}, notYet, "相同 3，缺少 1（-）"},
		{[]string{a}, couldNotLook, ""},
		{[]string{a, b, b}, couldNotLook, ""},
		{[]string{a, a + ".not"}, couldNotLook, ""},
		{[]string{a, "--nonsense", a}, couldNotLook, ""},
	} {
		var out, err bytes.Buffer
		code := invoke(append([]string{"diff"}, c.args...), &out, &err)
		if code != c.code || !strings.Contains(out.String(), c.says) || code == couldNotLook && err.Len() == 0 {
			t.Errorf("%q: exit %d\n%s%s", c.args, code, out.String(), err.String())
		}
	}
}
