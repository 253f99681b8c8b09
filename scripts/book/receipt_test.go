package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// The one test here that asks the kernel: a real run of chapter 00, under strace.
func TestChapter00AgreesWithTheKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a program under strace")
	}
	if err := mayTrace(context.Background()); err != nil {
		t.Skip("COULD NOT LOOK: no receipt without strace and ptrace: ", err)
	}
	var out, errs bytes.Buffer
	if code := invoke([]string{"receipt", "00", "--json"}, &out, &errs); code != pass {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	var report struct {
		Agrees                        bool
		Calls, Agreed, Threads, Extra int
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if !report.Agrees || report.Calls < 20 || report.Agreed != report.Calls || report.Threads != 2 {
		t.Errorf("%+v", report)
	}
	t.Logf("%d of %d calls", report.Agreed, report.Calls)
}

// Every third wait of every thread is interrupted, the Go runtime's among them.
func TestInterruptedWaitsAreToldOneByOne(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a program under strace")
	}
	if err := mayTrace(context.Background()); err != nil {
		t.Skip("COULD NOT LOOK: no receipt without strace and ptrace: ", err)
	}
	var out, errs bytes.Buffer
	args := []string{"receipt", "00", "--inject", "epoll_pwait:error=EINTR:when=1+3"}
	code := invoke(args, &out, &errs)
	if code != pass {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
}

// proxying proxies to an upstream and to nobody: %d are the ports of both listeners, the upstream, and nobody.
const proxying = `
static_resources:
  listeners:
  - name: proxied
    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config: {"@type": &tcp type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy,
          stat_prefix: up, cluster: up}
  - name: refused
    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
    filter_chains:
    - filters:
      - {name: envoy.filters.network.tcp_proxy, typed_config: {"@type": *tcp, stat_prefix: down, cluster: down}}
  clusters:
  - name: up
    type: STATIC
    load_assignment:
      cluster_name: up
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
  - name: down
    type: STATIC
    load_assignment:
      cluster_name: down
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
`

// The upstream's own calls are another process's: what is compared is the proxy's two sides alone.
func TestAProxyAgreesWithTheKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a program under strace")
	}
	if err := mayTrace(context.Background()); err != nil {
		t.Skip("COULD NOT LOOK: no receipt without strace and ptrace: ", err)
	}
	for way, what := range map[string]string{"--half-close": "shutdown(", "--reset": "ECONNRESET"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			ports, keep := freePorts(t, 4), t.TempDir()
			config := filepath.Join(keep, "envoy.yaml")
			yaml := fmt.Sprintf(proxying, ports[0], ports[1], ports[2], ports[3])
			if err := os.WriteFile(config, []byte(yaml), 0o666); err != nil {
				t.Fatal(err)
			}
			at := func(n int) string { return fmt.Sprintf("127.0.0.1:%d", ports[n]) }
			var out, errs bytes.Buffer
			code := invoke([]string{"receipt", "06", "--keep", keep, "--connections", "4", "--connect", at(0),
				"--connect", at(1), "--upstream", at(2), "--send", `hello\n`, way, "--", "-c", config,
				"--concurrency", "2"}, &out, &errs)
			if code != pass {
				t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
			}
			seen, err := os.ReadFile(filepath.Join(keep, "strace.txt"))
			if err != nil {
				t.Fatal(err)
			}
			// Where threads meet, strace breaks a call in two: only what stands in one half can be asked for.
			for _, call := range []string{what, "EINPROGRESS", "readv(", "writev(", "SO_ERROR", "[ECONNREFUSED]"} {
				if !bytes.Contains(seen, []byte(call)) {
					t.Errorf("the run has no %s", call)
				}
			}
			t.Log(out.String())
		})
	}
}

// freePorts asks the kernel for ports that nobody has.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
