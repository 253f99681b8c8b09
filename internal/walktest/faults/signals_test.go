package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest/load"
)

// signal sends one to the proxy itself, whatever was started in front of it.
func (p *proxy) signal(which syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(p.pid, which); err != nil {
		p.t.Fatalf("the proxy is gone: %v\n%s", err, p.Stderr)
	}
}

func (p *proxy) wantExit(want int) {
	p.t.Helper()
	if status := p.Wait(); status != want {
		p.t.Errorf("exit status %d, and %d was expected:\n%s", status, want, p.Stderr)
	}
}

// talk says one word through a route and wants it back.
func (p *proxy) talk(route string) {
	p.t.Helper()
	c := p.dial(route)
	defer c.Close()
	io.WriteString(c, "hello")
	c.CloseWrite()
	if word, err := io.ReadAll(c); string(word) != "hello" {
		p.t.Errorf("%q came, %v", word, err)
	}
}

// Row 26.
func TestAReaderOfTheLogAndTheTreeWhoGoesAwayEndsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gone, status := filepath.Join(dir, "gone"), filepath.Join(dir, "status")
	// The reader is there until the proxy serves, and then is not.
	script := fmt.Sprintf(`{ "$@"; echo $? > %s; } 2>&1 | { sed -u "/all workers have all listeners/q"; : > %s; }`,
		status, gone)
	p := startWith(t, []string{"sh", "-c", script, "sh"}, []string{"--concurrency", "1", "-l", "debug",
		"--trace", "tree", "--trace-sample", "1,1"}, route{name: "r", hosts: []string{echo(t)}})
	t.Cleanup(func() { syscall.Kill(p.pid, syscall.SIGKILL) }) // the shell's end is not its own
	p.gathers()
	p.eventually(func() bool { _, err := os.Stat(gone); return err == nil }, func() string { return "sed still reads" })
	for range 20 {
		p.talk("r")
	}
	p.wantNoSpin()
	p.crowd.leaves()
	p.wantConservation()
	p.signal(syscall.SIGTERM)
	p.eventually(func() bool { text, _ := os.ReadFile(status); return len(text) > 0 },
		func() string { return "it does not end" })
	if text, _ := os.ReadFile(status); string(text) != "0\n" {
		t.Errorf("exit status %s", text)
	}
	if spans := readSpans(t, filepath.Join(p.dir, "trace")); len(spans) < 1000 {
		t.Errorf("the other trace has only %d spans", len(spans))
	}
}

// Row 26. Most find the proxy about to write to them.
func TestClientsThatVanishWhileTheyAreWrittenToHarmNobody(t *testing.T) {
	t.Parallel()
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()}})
	for n := range 12 {
		client, server := p.dial("r"), u.accept()
		if n == 2 {
			p.gathers()
		}
		go func() {
			write(server, load.NewStream(uint64(n), load.Down), 0, 8*mib)
			server.Close()
		}()
		io.CopyN(io.Discard, client, int64(1+n*30_000))
		reset(client)
	}
	p.becomes("cluster.r.upstream_cx_active", 0)
	p.heals(`(writev|readv) (EPIPE|ECONNRESET) C\d+`)
}

// moved is what a connection's calls have moved, by the label of its fd: C7 or C8>r. A label is its own for a
// whole run.
func moved(t *testing.T, path string) (read, written map[string]int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read, written = map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var raw struct {
			Name       string
			Attributes []struct {
				Key   string
				Value struct{ Value any }
			}
		}
		json.Unmarshal(lines.Bytes(), &raw)
		into := map[string]map[string]int{"readv": read, "writev": written}[raw.Name]
		label, n := "", 0.0
		for _, a := range raw.Attributes {
			switch a.Key {
			case "fd.label":
				label, _ = a.Value.Value.(string)
			case "syscall.ret":
				n, _ = a.Value.Value.(float64)
			}
		}
		if into != nil && n > 0 {
			into[label] += int(n)
		}
	}
	return read, written
}

// flood sends a stream until the connection is closed: more than a slow receiver takes, and no more than a trace
// can keep up with.
func flood(c *net.TCPConn, s load.Stream) {
	piece := make([]byte, 8<<10)
	for at := 0; ; {
		s.Fill(piece, uint64(at))
		n, err := c.Write(piece)
		if at += n; err != nil {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Row 27. What the proxy had read, the trace tells; what was delivered, the receivers know. The slow ones let
// much wait in the proxy.
func TestATerminatedProxyHasDeliveredEveryByteThatItHadRead(t *testing.T) {
	t.Parallel()
	u := listen(t)
	p := startWith(t, nil, []string{"--concurrency", "1", "--trace-sample", "20,1000000000"},
		route{name: "r", hosts: []string{u.address()}})
	const pairs = 4
	var receiving sync.WaitGroup
	var mu sync.Mutex
	delivered := map[string][]int{}
	take := func(side string, c *net.TCPConn, s load.Stream, slow int) {
		got, err := readAll(c, s, slow)
		if err != nil {
			t.Errorf("%s, after %d bytes: %v", side, got, err)
		}
		mu.Lock()
		defer mu.Unlock()
		delivered[side] = append(delivered[side], got)
	}
	var open []*net.TCPConn
	for n := range pairs {
		client, server := p.dial("r"), u.accept()
		open = append(open, client, server)
		up, down := load.NewStream(uint64(n), load.Up), load.NewStream(uint64(n), load.Down)
		go flood(client, up)
		go flood(server, down)
		receiving.Go(func() { take("clients", client, down, n*2) })
		receiving.Go(func() { take("upstreams", server, up, n*2) })
	}
	p.eventually(func() bool { return p.stats()["tcp.r.downstream_cx_tx_bytes_total"] > 4*mib },
		func() string { return "hardly anything goes through" })
	p.signal(syscall.SIGTERM)
	p.WaitFor("shutting down server instance")
	p.eventually(func() bool { c, err := net.Dial("tcp", p.at["r"]); closed(c); return err != nil },
		func() string { return "it still accepts" })
	p.wantExit(0)
	receiving.Wait()
	for _, c := range open {
		c.Close()
	}
	read, written := moved(t, filepath.Join(p.dir, "trace"))
	sum := map[string]int{}
	for label, n := range read { // what was read on one side is for the other
		sum["read from "+sideOf(label)] += n
		sum["written to "+sideOf(label)] += written[label]
	}
	for side, all := range delivered {
		for _, n := range all {
			sum["delivered to "+side] += n
		}
	}
	t.Logf("%v", sum)
	for from, to := range map[string]string{"clients": "upstreams", "upstreams": "clients"} {
		if a, b, c := sum["read from "+from], sum["written to "+to], sum["delivered to "+to]; a != b || b != c || a == 0 {
			t.Errorf("%d bytes were read from %s, %d written to %s, %d delivered", a, from, b, to, c)
		}
	}
	if strings.Contains(p.Stderr.String(), "dropped") {
		t.Error("the trace is not whole")
	}
}

func sideOf(label string) string {
	if strings.Contains(label, ">") {
		return "upstreams"
	}
	return "clients"
}

func closed(c net.Conn) {
	if c != nil {
		c.Close()
	}
}

// Row 27, with time.
func TestWithDrainTimeConnectionsEndByThemselvesBeforeTheProxyDoes(t *testing.T) {
	t.Parallel()
	p := startWith(t, nil, []string{"--concurrency", "2", "--shutdown-drain-time-s", "600"},
		route{name: "r", hosts: []string{echo(t)}})
	p.gathers()
	p.signal(syscall.SIGTERM)
	p.WaitFor("draining connections for up to 600 s")
	if c, err := net.Dial("tcp", p.at["r"]); err == nil {
		c.Close()
		t.Error("it still accepts")
	}
	if state := p.stats()["server.live"]; state != 0 {
		t.Errorf("server.live is %d", state)
	}
	time.Sleep(50 * time.Millisecond) // in which the crowd goes on
	p.crowd.leaves()
	p.wantExit(0)
}

// Row 28.
func TestASecondSignalEndsTheProxyAtOnceWithAStatusThatTells(t *testing.T) {
	t.Parallel()
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := startWith(t, nil, []string{"--concurrency", "1", "--shutdown-drain-time-s", "600"},
			route{name: "r", hosts: []string{echo(t)}})
		client := p.dial("r")
		word := make([]byte, 5)
		io.WriteString(client, "hello")
		io.ReadFull(client, word)
		p.signal(syscall.SIGTERM)
		p.WaitFor("draining connections for up to 600 s")
		began := time.Now()
		time.Sleep(150 * time.Millisecond) // sooner it would count as the same signal
		p.signal(second)
		p.WaitFor("another signal hastens the shutdown")
		p.wantExit(1)
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
		ends(t, client)
	}
}

// Row 29.
func TestSIGHUPIsEatenAndSaidAndOthersThatMeanNothingAreToo(t *testing.T) {
	t.Parallel()
	p := start(t, nil, route{name: "r", hosts: []string{echo(t)}})
	p.gathers()
	for range 3 {
		p.signal(syscall.SIGHUP)
		p.signal(syscall.SIGPIPE)
		p.signal(syscall.SIGWINCH)
		p.signal(syscall.SIGURG)
		p.talk("r")
	}
	p.WaitFor("caught and eating SIGHUP. See documentation for how to hot restart.")
	p.heals()
}

// Row 30. The proxy writes an access log, three kinds of trace and a log, all of which are moved away and
// reopened while there is traffic.
func TestNoLineOfAnyFileIsLostWhenAllAreMovedAndReopenedUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	otlp, tree, log := filepath.Join(dir, "otlp"), filepath.Join(dir, "tree"), filepath.Join(dir, "log")
	script := `touch "$0"; tail --pid=$$ -n +1 -f "$0" & shown=$!; "$@"; status=$?; kill $shown; exit $status`
	p := startWith(t, []string{"sh", "-c", script, log}, []string{"--concurrency", "1", "--log-path", log, "-l", "debug",
		"--trace", "otlp=" + otlp, "--trace", "tree=" + tree, "--trace-sample", "1,1"},
		route{name: "r", hosts: []string{echo(t)}})
	t.Cleanup(func() { syscall.Kill(p.pid, syscall.SIGKILL) }) // the shell's end is not its own
	files := []string{filepath.Join(p.dir, "r"), filepath.Join(p.dir, "trace"), otlp, tree, log}
	const talkers, each, rounds = 2, 60, 6
	var talking sync.WaitGroup
	for range talkers {
		talking.Go(func() {
			for range each {
				p.talk("r")
			}
		})
	}
	for n := range rounds {
		for _, f := range files {
			if err := os.Rename(f, fmt.Sprintf("%s.%d", f, n)); err != nil {
				t.Fatal(err)
			}
		}
		p.signal(syscall.SIGUSR1)
		p.eventually(func() bool { return allThere(files) }, func() string { return "a file is not reopened" })
	}
	talking.Wait()
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
	said := regexp.MustCompile(`wrote (\d+) spans`).FindStringSubmatch(p.Stderr.String())
	if said == nil {
		t.Fatalf("it does not say how many spans it wrote:\n%s", p.Stderr)
	}
	spans, _ := strconv.Atoi(said[1])
	for n, want := range []int{talkers * each, spans, spans, 0, talkers * each} {
		all := wholeLines(t, files[n])
		switch {
		case n == 1 || n == 2:
			for _, line := range all {
				if !json.Valid([]byte(line)) {
					t.Fatalf("%s has a broken line: %.100s", files[n], line)
				}
			}
		case n == 3:
			want = len(all)
		case n == 4:
			all = regexp.MustCompile(`(?m) \[C\d+\] new connection$`).FindAllString(strings.Join(all, "\n"), -1)
		}
		t.Logf("%s: %d lines in %d files", filepath.Base(files[n]), len(all), rounds+1)
		if len(all) != want || want == 0 {
			t.Errorf("%s has %d lines, and not %d", files[n], len(all), want)
		}
	}
}

func allThere(files []string) bool {
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			return false
		}
	}
	return true
}

// wholeLines are those of a file and of what it was moved to.
func wholeLines(t *testing.T, path string) (all []string) {
	t.Helper()
	files, _ := filepath.Glob(path + "*")
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 0 && text[len(text)-1] != '\n' {
			t.Errorf("%s ends in the middle of a line", f)
		}
		all = append(all, strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })...)
	}
	return all
}

// Row 31.
func TestSIGQUITTellsWhatEveryThreadDoesAndWhereEveryGoroutineStands(t *testing.T) {
	t.Parallel()
	p := start(t, nil, route{name: "r", hosts: []string{echo(t)}})
	client := p.dial("r")
	io.WriteString(client, "hello")
	io.ReadFull(client, make([]byte, 5))
	p.signal(syscall.SIGQUIT)
	p.wantExit(2)
	for _, want := range []string{`06-filter-chain: quit. What its threads are doing:`,
		`  main_thread \(tid \d+\): turn \d+, waiting`, `  worker_0 \(tid \d+\): turn \d+, .*, connections 1\n`,
		`goroutine \d+ `, `epoll`} {
		if !regexp.MustCompile(want).MatchString(p.Stderr.String()) {
			t.Errorf("it does not say %q:\n%.3000s", want, p.Stderr)
		}
	}
	ends(t, client)
}
