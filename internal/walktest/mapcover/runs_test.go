package mapcover

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}

// collected are the spans of all runs, made once for all tests.
var collected struct {
	sync.Once
	spans []*span
}

// theDemo is the run whose one connection is looked at closely.
const theDemo = "the demo"

// spans runs the binaries over the configurations that between them enter as many steps as there is a way to.
func spans(t *testing.T) []*span {
	t.Helper()
	collected.Do(func() {
		var all []*span
		for _, run := range []struct {
			name string
			run  func(t *testing.T, sink string)
		}{
			{"the event loop's demo", demo("00")}, {theDemo, demo(youngest)}, {"validate", validate},
			{"init_only", initOnly}, {"serve", serve}, {"proxy", proxy},
		} {
			path := filepath.Join(t.TempDir(), "spans.json")
			run.run(t, "json="+path)
			all = append(all, readSpans(t, run.name, path)...)
		}
		collected.spans = all
	})
	if collected.spans == nil {
		t.Fatal("the runs failed")
	}
	return collected.spans
}

func demo(chapter string) func(*testing.T, string) {
	return func(t *testing.T, sink string) { ends(t, walktest.Start(t, chapter, "--trace", sink)) }
}

func ends(t *testing.T, p *walktest.Process) {
	t.Helper()
	if status := p.Wait(); status != 0 || strings.Contains(p.Stderr.String(), "dropped") {
		t.Fatalf("exit status %d: %s", status, p.Stderr)
	}
}

func validate(t *testing.T, sink string) {
	config := walktest.Config(t, "node: {}\n")
	ends(t, walktest.Start(t, youngest, "--trace", sink, "-c", config, "--mode", "validate"))
}

func initOnly(t *testing.T, sink string) {
	config := walktest.Config(t, "node: {}\n")
	ends(t, walktest.Start(t, youngest, "--trace", sink, "-c", config, "--mode", "init_only"))
}

// everything asks for all that chapters 01 to 04 act on. Without filters every connection is closed at once: %[1]s is a folder, %[2]d a port.
const everything = `
admin: {address: {pipe: {path: %[1]s/admin}}}
enable_dispatcher_stats: true
layered_runtime:
  layers:
  - name: limits
    static_layer:
      overload: {global_downstream_max_connections: 1}
      envoy: {resource_limits: {listener: {shared: {connection_limit: 1}}}}
static_resources:
  secrets:
  - name: one
    generic_secret: {secret: {inline_string: x}}
  listeners:
  - name: shared
    address: {pipe: {path: %[1]s/shared, mode: 0600}}
    max_connections_to_accept_per_socket_event: 1
    filter_chains: [{}]
  - name: own
    reuse_port: true
    connection_balance_config: {exact_balance: {}}
    address: {socket_address: {address: 127.0.0.1, port_value: %[2]d}}
    socket_options:
    - {level: 1, name: 9, int_value: 1, state: STATE_PREBIND}
    - {level: 1, name: 9, int_value: 1, state: STATE_BOUND}
    - {level: 1, name: 9, int_value: 1, state: STATE_LISTENING}
    tcp_fast_open_queue_length: 5
    filter_chains: [{}]
  - name: any
    address: {socket_address: {address: 0.0.0.0, port_value: 0}}
    filter_chains: [{}]
  - name: hidden
    bind_to_port: false
    address: {socket_address: {address: 127.0.0.1, port_value: 1}}
    filter_chains: [{}]
`

// serve runs a server that has everything, until two workers had a connection at the same time, which the limit
// of one forbids, and ends it with SIGTERM.
func serve(t *testing.T, sink string) {
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	config := walktest.Config(t, everything, dir, port)
	p := walktest.Start(t, youngest, "--trace", sink, "-c", config, "--concurrency", "3")
	p.WaitFor("all workers have all listeners")
	knock("tcp4", l.Addr().String())
	for deadline := time.Now().Add(walktest.Patience); !rejected(dir + "/admin"); {
		if time.Now().After(deadline) {
			t.Fatal("no two workers ever had a connection at once")
		}
		crowd(dir + "/shared")
	}
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Fatalf("exit status %d: %s", status, p.Stderr)
	}
}

// crowd knocks from eight sides at once.
func crowd(path string) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 16 {
				knock("unix", path)
			}
		})
	}
	all.Wait()
}

// knock connects and waits until the other end closes.
func knock(network, address string) {
	c, err := net.DialTimeout(network, address, walktest.Patience)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(walktest.Patience))
	io.Copy(io.Discard, c)
}

// rejected asks the admin whether the global limit turned somebody away. The asker may be the one who is
// turned away: then he asks again.
func rejected(admin string) bool {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", admin)
		}}}
	answer, err := client.Get("http://admin/stats?filter=downstream_global_cx_overflow&usedonly")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return false
	}
	for _, line := range strings.Split(string(body), "\n") {
		var n int
		if name, value, found := strings.Cut(line, ": "); found && name != "listener.admin.downstream_global_cx_overflow" {
			fmt.Sscan(value, &n)
		}
		if n > 0 {
			return true
		}
	}
	return false
}
