package faults

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// route is a listener, a tcp_proxy and the cluster behind it, all plain but for what a test adds: proxy, cluster
// and listener are the rest of a flow mapping of YAML.
type route struct {
	name                     string // of all three; the stats are below tcp.<name>. and cluster.<name>.
	proxy, cluster, listener string
	hosts                    []string
}

const extension = `"@type": type.googleapis.com/envoy.extensions.`

// yaml is the route's listener and its cluster. Every connection is logged to <dir>/<name>.
func (r route) yaml(dir string) (listener, cluster string) {
	if !strings.Contains(r.cluster, "connect_timeout") {
		r.cluster += ", connect_timeout: 10s"
	}
	if !strings.Contains(r.cluster, "type:") {
		r.cluster += ", type: STATIC"
	}
	var hosts []string
	for _, h := range r.hosts {
		host, port, _ := net.SplitHostPort(h)
		hosts = append(hosts, fmt.Sprintf("{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}",
			host, port))
	}
	log := fmt.Sprintf(`access_log: [{name: file, typed_config: {%saccess_loggers.file.v3.FileAccessLog, path: %s, `+
		`log_format: {text_format: "%%RESPONSE_FLAGS%% %%BYTES_RECEIVED%% %%BYTES_SENT%% %%UPSTREAM_HOST%%\n"}}}]`,
		extension, filepath.Join(dir, r.name))
	listener = fmt.Sprintf(`{name: %s, address: {socket_address: {address: 127.0.0.1, port_value: 0}}, `+
		`filter_chains: [{filters: [{name: tcp, typed_config: {%sfilters.network.tcp_proxy.v3.TcpProxy, `+
		`stat_prefix: %s, cluster: %s, %s%s}}]}]%s}`, r.name, extension, r.name, r.name, log,
		comma(r.proxy), comma(r.listener))
	cluster = fmt.Sprintf("{name: %s, load_assignment: {cluster_name: %s, endpoints: [{lb_endpoints: [%s]}]}%s}",
		r.name, r.name, strings.Join(hosts, ", "), comma(r.cluster))
	return listener, cluster
}

func comma(more string) string {
	if more = strings.TrimLeft(more, ", "); more == "" {
		return ""
	}
	return ", " + more
}

// traced is how many of the first connections' numbers are traced. What is to be looked at in the trace comes
// first; all others are left out, or bulk would make it gigabytes.
const traced = 7

// proxy is the real binary at work, with one worker, so that all connections share a loop.
type proxy struct {
	*walktest.Process
	t     *testing.T
	dir   string
	pid   int
	admin *http.Client
	at    map[string]string // where the listeners listen, by name

	fds, threads int // before the first connection
	crowd        *crowd
}

// start starts the proxy with these routes, and one of its own for the crowd. wrap may put another command in
// front of the binary.
func start(t *testing.T, wrap []string, routes ...route) *proxy {
	t.Helper()
	return startWith(t, wrap, []string{"--concurrency", "1"}, routes...)
}

// startWith is start with other flags; further sinks of the trace come beside the one that heals reads.
func startWith(t *testing.T, wrap, flags []string, routes ...route) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "f") // short, for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	routes = append(routes, route{name: "crowd", hosts: []string{echo(t)}})
	var listeners, clusters []string
	for _, r := range routes {
		l, c := r.yaml(dir)
		listeners, clusters = append(listeners, l), append(clusters, c)
	}
	socket := filepath.Join(dir, "admin")
	config := walktest.Config(t, "%s", "admin: {address: {pipe: {path: "+socket+"}}}\nstatic_resources:\n  listeners: ["+
		strings.Join(listeners, ",\n  ")+"]\n  clusters: ["+strings.Join(clusters, ",\n  ")+"]\n")
	args := append(wrap, walktest.Binary(t, "06"), "-c", config)
	if !slices.Contains(flags, "none") {
		args = append(args, "--trace", "json="+filepath.Join(dir, "trace"))
	}
	if !slices.Contains(flags, "--trace-sample") {
		args = append(args, "--trace-sample", fmt.Sprintf("%d,1000000000", traced))
	}
	args = append(args, flags...)
	p := &proxy{t: t, dir: dir, admin: unixClient(socket)}
	p.Process = walktest.StartCommand(t, exec.Command(args[0], args[1:]...))
	p.pid, _ = strconv.Atoi(p.WaitFor(`\]\[(\d+)\]\[info\]\[main\] \S+ starting main dispatch loop`)[1])
	p.WaitFor("all workers have all listeners")
	p.at = p.addresses()
	p.fds, p.threads = p.settled()
	return p
}

func unixClient(path string) *http.Client {
	return &http.Client{Timeout: walktest.Patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
}

func (p *proxy) get(path string) string {
	p.t.Helper()
	r, err := p.admin.Get("http://admin" + path)
	if err != nil {
		p.t.Fatalf("GET %s: %v\n%s", path, err, p.Stderr)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return string(body)
}

func (p *proxy) addresses() map[string]string {
	all := map[string]string{}
	for _, line := range strings.Split(p.get("/listeners"), "\n") {
		if name, address, found := strings.Cut(strings.TrimSpace(line), "::"); found {
			all[name] = address
		}
	}
	return all
}

// stats are all counters and gauges.
func (p *proxy) stats() map[string]int {
	p.t.Helper()
	all := map[string]int{}
	for _, line := range strings.Split(p.get("/stats"), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		if n, err := strconv.Atoi(value); err == nil {
			all[name] = n
		}
	}
	return all
}

// becomes waits until a stat has this value.
func (p *proxy) becomes(name string, want int) {
	p.t.Helper()
	got := 0
	p.eventually(func() bool {
		value, found := p.stats()[name]
		if got = value; !found {
			p.t.Fatalf("there is no %s", name)
		}
		return got == want
	}, func() string { return fmt.Sprintf("%s is %d, and %d was expected", name, got, want) })
}

// eventually waits until the world is as it should be.
func (p *proxy) eventually(holds func() bool, why func() string) {
	p.t.Helper()
	for deadline := time.Now().Add(walktest.Patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("after %v: %s\n%s", walktest.Patience, why(), p.Stderr)
		}
	}
}

// logged waits until so many lines are in a route's access log, and returns them.
func (p *proxy) logged(route string, n int) []string {
	p.t.Helper()
	var lines []string
	p.eventually(func() bool {
		text, _ := os.ReadFile(filepath.Join(p.dir, route))
		lines = strings.Split(string(text), "\n")
		return len(lines) > n
	}, func() string { return fmt.Sprintf("%d connections of %s are logged, not %d", len(lines)-1, route, n) })
	return lines[:n]
}

// descriptors are the fds that the process has open.
func (p *proxy) descriptors() map[int]bool {
	p.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
	if err != nil {
		p.t.Fatalf("the proxy is gone: %v\n%s", err, p.Stderr)
	}
	all := map[int]bool{}
	for _, e := range entries {
		n, _ := strconv.Atoi(e.Name())
		all[n] = true
	}
	return all
}

// settled is how many fds and threads there are when neither number changes.
func (p *proxy) settled() (fds, threads int) {
	for same := 0; same < 5; same++ {
		f, all := len(p.descriptors()), len(p.loops(false))
		if f != fds || all != threads {
			fds, threads, same = f, all, 0
		}
		time.Sleep(4 * time.Millisecond)
	}
	return fds, threads
}

// loops are the processor times of the process's threads: of all, or of main and the workers.
func (p *proxy) loops(only bool) (all []time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.pid))
	for _, dir := range threads {
		name, _ := os.ReadFile(dir + "/comm")
		if only && filepath.Base(dir) != strconv.Itoa(p.pid) && !strings.HasPrefix(string(name), "wrk:") {
			continue
		}
		text, _ := os.ReadFile(dir + "/schedstat")
		first, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		all = append(all, time.Duration(ns))
	}
	return all
}

// wantNoSpin watches the loops for a while in which next to nothing happens.
func (p *proxy) wantNoSpin() {
	p.t.Helper()
	sum := func() (s time.Duration) {
		for _, d := range p.loops(true) {
			s += d
		}
		return s
	}
	before, began := sum(), time.Now()
	time.Sleep(100 * time.Millisecond)
	if used, passed := sum()-before, time.Since(began); used > passed/5 {
		p.t.Errorf("main and worker computed %v in %v with next to nothing to do: a loop spins", used, passed)
	}
}

// resident is how much memory the process has, in bytes.
func (p *proxy) resident() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	fields := strings.Fields(string(text) + " 0 0")
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// threadsMore is how many threads the Go runtime may have started since: it never ends one.
const threadsMore = 6

// heals ends the test: nobody in the crowd lost a byte; fds, threads and gauges are back; every connection and
// every byte is accounted for; no loop spins; the process is alive and ends well. It returns the trace, which
// must have these spans, each a pattern for name, error and fd label.
func (p *proxy) heals(want ...string) []span {
	p.t.Helper()
	p.wantNoSpin()
	p.crowd.leaves()
	threads := 0
	p.eventually(func() bool {
		fds, n := p.settled()
		threads = n
		return fds <= p.fds // one less: the first count met one that was on its way out
	}, func() string { return fmt.Sprintf("%d fds were open and now %d", p.fds, len(p.descriptors())) })
	if threads > p.threads+threadsMore {
		p.t.Errorf("there were %d threads and now %d", p.threads, threads)
	}
	p.wantNoSpin()
	p.wantConservation()
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		p.t.Errorf("exit status %d:\n%s", status, p.Stderr)
	}
	if told := regexp.MustCompile(`trace: .*`).FindString(p.Stderr.String()); told != "" {
		p.t.Log(told)
	}
	if slices.Contains(p.Cmd.Args, "none") {
		return nil // --trace none
	}
	spans := readSpans(p.t, filepath.Join(p.dir, "trace"))
	for _, pattern := range want {
		if !seen(spans, pattern) {
			p.t.Errorf("none of %d spans is %s\n%s", len(spans), pattern, p.Stderr)
		}
	}
	return spans
}

// wantConservation: accepted is closed, and read is written or discarded, when nobody is left.
func (p *proxy) wantConservation() {
	p.t.Helper()
	var s map[string]int
	p.eventually(func() bool {
		s = p.stats()
		return s["listener.127.0.0.1_0.downstream_cx_active"] == 0
	}, func() string { return "connections of nobody are active" })
	read, written := 0, 0
	for name, n := range s {
		if strings.HasPrefix(name, "filesystem.") || strings.HasPrefix(name, "listener.admin.") {
			continue
		}
		switch last := name[strings.LastIndex(name, ".")+1:]; {
		case last == "downstream_cx_rx_bytes_total", last == "upstream_cx_rx_bytes_total":
			read += n
		case last == "downstream_cx_tx_bytes_total", last == "upstream_cx_tx_bytes_total", last == "bytes_discarded":
			written += n
		case strings.HasSuffix(last, "_buffered"), strings.HasSuffix(last, "cx_active"), last == "upstream_rq_active",
			last == "upstream_rq_pending_active", last == "upstream_flush_active":
			if n != 0 {
				p.t.Errorf("%s is %d when nobody is left", name, n)
			}
		}
	}
	const l = "listener.127.0.0.1_0.downstream_"
	if total, gone := s[l+"cx_total"], s[l+"cx_destroy"]; total != gone || total == 0 {
		p.t.Errorf("%d connections began and %d ended", total, gone)
	}
	if read != written || read == 0 {
		p.t.Errorf("%d bytes were read, and %d written or discarded", read, written)
	}
}
