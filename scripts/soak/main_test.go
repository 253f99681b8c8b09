package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// trial runs the program in this process, with so little that it takes moments.
func trial(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	var text bytes.Buffer
	args = append([]string{"--bytes", "24MiB", "--connections", "400", "--at-once", "20", "--held", "200", "--hold",
		"1s", "--every", "300ms", "--slow", "20", "--slow-size", "512KiB"}, args...)
	status = run(t.Context(), args, &text, &text)
	return status, text.String()
}

func TestTheProxyKeepsEveryLawInASmallRun(t *testing.T) {
	// Among so few, what the process needs once counts as theirs.
	status, out := trial(t, "--only", "bytes,connections,held,slow", "--per-idle", "16KiB")
	// Too little is sent here for a slow reader to fill the kernel's buffers: whether reads pause is the kernel's.
	out = strings.ReplaceAll(out, "BROKEN: every pause was ended: 0 and 0", "")
	if status > 1 || strings.Contains(out, "BROKEN: ") || strings.Count(out, "lost 0, doubled 0") != 4 {
		t.Errorf("status %d:\n%s", status, out)
	}
}

func TestAProxyWithAFaultBreaksItsLaw(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for fault, want := range map[string]string{
		"":        "",
		"loses":   "BROKEN: of ",
		"leaks":   "BROKEN: fds after - before: ",
		"hoards":  "BROKEN: heap after - before",
		"forgets": "BROKEN: connections: clients opened ",
	} {
		t.Setenv(faultVariable, fault)
		status, out := trial(t, "--binary", self, "--only", "connections")
		if status != min(len(want), 1) || !strings.Contains(out, want) {
			t.Errorf("a proxy that %s: status %d:\n%s", fault, status, out)
		}
	}
}

func TestWhatCannotBeLookedAtIsNoPass(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--binary /bin/false", "the proxy does not start: it ended: exit status 1"},
		{"--binary /bin/false --held 100000000", "100000000 connections need 200000100 fds"},
		{"--only nothing", `there is no part "nothing"`},
		{"--slow 0", "sizes are at least 1"},
		{"--bytes many", `not a number of bytes: "many"`},
		{"word", `not "word"`},
	} {
		args := append([]string{"--only", "held"}, strings.Fields(c.args)...)
		if status, out := trial(t, args...); status != 2 || !strings.Contains(out, c.want) {
			t.Errorf("%s: status %d:\n%s", c.args, status, out)
		}
	}
}

func TestAnInterruptedRunSaysSoAndLeavesNothingBehind(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	t.Setenv("TMPDIR", t.TempDir())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, stop)
	var text bytes.Buffer
	status := run(ctx, []string{"--only", "connections", "--binary", self}, &text, &text)
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "soak*"))
	if status != 2 || !strings.Contains(text.String(), "interrupted") || len(left) != 0 {
		t.Errorf("status %d, left %v:\n%s", status, left, text.String())
	}
}

func TestASizeThatWasGivenWinsOverQuick(t *testing.T) {
	z, err := flags([]string{"--quick", "--held", "17", "--bytes", "3MiB"}, &bytes.Buffer{})
	if err != nil || z.held != 17 || z.bytes != 3<<20 || z.connections != 20_000 || strings.Contains(z.only, "rows") {
		t.Errorf("%+v, %v", z, err)
	}
}

func TestSizesAreReadAndSaidInUnits(t *testing.T) {
	for text, want := range map[string]size{"10GiB": 10 << 30, "1 MiB": 1 << 20, "7": 7, "64B": 64, "2TiB": 2 << 40} {
		var z size
		if err := z.Set(text); err != nil || z != want {
			t.Errorf("%s: %d, %v", text, z, err)
		}
	}
	for z, want := range map[size]string{0: "0 B", 10 << 30: "10 GiB", 1536: "1.50 KiB"} {
		if z.String() != want {
			t.Errorf("%d is said as %s", z, z)
		}
	}
}

func TestStatsAreAddedUpByName(t *testing.T) {
	s := stats{"listener.a.x": 1, "listener.b.x": 2, "listener.a.worker_0.x": 4, "listener.admin.x": 8, "other.x": 16}
	if got := s.sum("listener.*.x"); got != 3 {
		t.Error(got)
	}
	if got := s.sum("other.x"); got != 16 {
		t.Error(got)
	}
}
