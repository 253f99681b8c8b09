package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
)

// said finds a number in what the proxy said on stderr; 0 if it did not say so.
func (p *proxy) said(pattern string) int {
	m := regexp.MustCompile(pattern).FindStringSubmatch(p.Stderr.String())
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// Row 47. Of the trace's two readers one takes a byte now and then: the trace waits, the proxy does not, and in
// the end each span was either written or counted.
func TestASinkThatIsHardlyReadHoldsUpNobodyAndEverySpanIsAccountedFor(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	unix.Mkfifo(fifo, 0o600)
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var arrived bytes.Buffer
	var hurry atomic.Bool
	var read atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		piece := make([]byte, 64<<10)
		for size := 1; ; {
			if hurry.Load() {
				size = len(piece)
			} else {
				time.Sleep(10 * time.Millisecond)
			}
			n, err := reader.Read(piece[:size])
			read.Add(int64(n))
			if arrived.Write(piece[:n]); err != nil {
				return
			}
		}
	}()
	p := startWith(t, nil, []string{"--concurrency", "1", "--trace", "otlp=" + fifo,
		"--trace-sample", "400,1000000000"},
		route{name: "r", hosts: []string{echo(t)}})
	const clients = 800
	for range clients {
		p.talk("r")
	}
	if n := p.stats()["tcp.r.downstream_cx_total"]; n != clients {
		t.Errorf("%d connections of %d", n, clients)
	}
	p.wantNoSpin()
	if n := read.Load(); n > 10_000 {
		t.Errorf("the reader has %d bytes already", n)
	}
	p.gathers()
	hurry.Store(true)
	p.heals()
	reader.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // O_RDWR: it has no end of its own
	<-ended
	lines := 0
	for line := range bytes.Lines(arrived.Bytes()) {
		if lines++; !json.Valid(line) {
			t.Fatalf("%.100s", line)
		}
	}
	spans, dropped := p.said(`wrote (\d+) spans`), p.said(`dropped (\d+) records`)
	t.Logf("%d spans, %d lines, %d records dropped", spans, lines, dropped)
	if lines != spans || spans == 0 {
		t.Errorf("%d lines of %d spans", lines, spans)
	}
}

// Row 48. No file may grow any more, as on a full disk: trace, log and access log lose lines, whole ones, and go
// on when they may grow again.
func TestFilesThatMayNotGrowAreToldOnceLoseWholeLinesAndGoOnLater(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	script := `touch "$0"; tail --pid=$$ -n +1 -f "$0" & shown=$!; "$@"; status=$?; kill $shown; exit $status`
	p := startWith(t, []string{"sh", "-c", script, log}, []string{"--concurrency", "1",
		"--trace-sample", "500,1000000000", "--log-path", log, "-l", "debug"}, route{name: "r", hosts: []string{echo(t)}})
	t.Cleanup(func() { syscall.Kill(p.pid, syscall.SIGKILL) })
	p.talk("r")
	p.logged("r", 1)
	var old unix.Rlimit
	unix.Prlimit(p.pid, unix.RLIMIT_FSIZE, nil, &old)
	if err := unix.Prlimit(p.pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 10, Max: old.Max}, nil); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		p.talk("r")
	}
	p.eventually(func() bool {
		return p.said("trace: cannot write to (.*)") == 0 &&
			strings.Contains(p.Stderr.String(), "trace: cannot write to ")
	}, func() string { return "the trace says nothing" })
	p.becomes("filesystem.write_failed", 50)
	p.wantNoSpin()
	unix.Prlimit(p.pid, unix.RLIMIT_FSIZE, &old, nil)
	p.eventually(func() bool {
		p.talk("r")
		text := p.Stderr.String()
		return strings.Contains(text, "is written again; lines lost: ") && strings.Contains(text, "log-file '"+log+"' is written")
	}, func() string { return "not all is written again" })
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
	text := p.Stderr.String()
	for _, once := range []string{"trace: cannot write to ", "cannot write log-file ", "log-file '" + log + "' is written again"} {
		if n := strings.Count(text, once); n != 1 {
			t.Errorf("%q is told %d times:\n%.2000s", once, n, text)
		}
	}
	whole := wholeLines(t, filepath.Join(p.dir, "trace"))
	for _, line := range whole {
		if !json.Valid([]byte(line)) {
			t.Fatalf("a broken line: %.100s", line)
		}
	}
	spans, lost := p.said(`wrote (\d+) spans`), p.said(`: (\d+) lines, \d+ bytes could not be written`)
	t.Logf("%d spans: %d lines in the file, %d told as lost", spans, len(whole), lost)
	if len(whole)+lost != spans || lost == 0 {
		t.Errorf("%d lines and %d lost of %d spans", len(whole), lost, spans)
	}
	wholeLines(t, log)
}

// Row 48. A device that is always full, from the first byte on.
func TestLogAndTraceOnAFullDeviceAreToldOnceAndTheProxyServes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trace")
	p := unheard(t, route{name: "r", hosts: []string{echo(t)}}, "--log-path", "/dev/full", "-l", "debug",
		"--trace", "tree=/dev/full", "--trace", "json="+path)
	for range 3 {
		p.talk("r")
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
	text := p.Stderr.String()
	for _, once := range []string{"cannot write log-file '/dev/full': ", "trace: cannot write to /dev/full: ",
		"trace to /dev/full: "} {
		if n := strings.Count(text, once); n != 1 {
			t.Errorf("%q is told %d times:\n%.2000s", once, n, text)
		}
	}
	if spans := readSpans(t, path); len(spans) == 0 {
		t.Error("the other trace is empty")
	}
}

// Row 48. The disk breaks for some writes.
func TestADiskThatBreaksForAWhileCostsOnlyWhatItLosesThen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trace")
	wrap := underStrace(t, "-P", path, "-e", "trace=write", "-e", "inject=write:error=EIO:when=2..3")
	p := startWith(t, wrap, []string{"--concurrency", "1", "--trace", "otlp=" + path,
		"--trace-sample", "1000,1000000000"},
		route{name: "r", hosts: []string{echo(t)}})
	p.eventually(func() bool { p.talk("r"); return strings.Contains(p.Stderr.String(), "is written again; lines lost: ") },
		func() string { return "it is not written again" })
	p.gathers()
	p.heals()
	lines := wholeLines(t, path)
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("a broken line: %.100s", line)
		}
	}
	spans, lost := p.said(`wrote (\d+) spans`), p.said(`: (\d+) lines, \d+ bytes could not be written: .*input/output error`)
	if len(lines)+lost != spans || lost == 0 {
		t.Errorf("%d lines and %d lost of %d spans", len(lines), lost, spans)
	}
}

// unheard is a proxy whose log nobody gets to see: the admin tells when it is there.
func unheard(t *testing.T, r route, flags ...string) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "f")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, c := r.yaml(dir)
	config := walktest.Config(t, "%s", "admin: {address: {pipe: {path: "+dir+"/admin}}}\nstatic_resources:\n"+
		"  listeners: ["+l+"]\n  clusters: ["+c+"]\n")
	p := &proxy{t: t, dir: dir, admin: unixClient(dir + "/admin")}
	p.Process = walktest.Start(t, "06", append([]string{"-c", config, "--concurrency", "1"}, flags...)...)
	p.pid = p.Cmd.Process.Pid
	p.eventually(func() bool { c, err := net.Dial("unix", dir+"/admin"); closed(c); return err == nil },
		func() string { return "there is no admin" })
	p.becomes("listener_manager.workers_started", 1)
	p.at = p.addresses()
	return p
}

// underStrace is strace as a grandchild, so that the process that the test started is the proxy itself.
func underStrace(t *testing.T, flags ...string) []string {
	t.Helper()
	wrap := append([]string{"strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"}, flags...)
	if out, err := exec.Command(wrap[0], append(wrap[1:], "true")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "faults: NOT TRIED, %s: strace cannot be used here: %v %s\n", t.Name(), err, out)
		t.Skip("strace cannot be used here")
	}
	return wrap
}
