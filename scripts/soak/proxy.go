package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"envoywalk/internal/linked"
)

// patience is how long anything but the load itself may take.
const patience = 30 * time.Second

// proxy is the binary under test at work.
type proxy struct {
	ctx       context.Context
	cmd       *exec.Cmd
	ended     chan struct{}
	log       string // its path
	admin     string
	listeners []string
}

// bufferLimit is per connection; what is Envoy's advice at the edge.
const bufferLimit = 32 << 10

const document = `admin:
  address: {socket_address: {address: 127.0.0.1, port_value: 0}}
static_resources:
  listeners:
%[1]s  clusters:
  - name: soak
    type: STATIC
    connect_timeout: 30s
    per_connection_buffer_limit_bytes: %[3]d
    circuit_breakers: {thresholds: [{max_connections: 1000000, max_pending_requests: 1000000}]}
    load_assignment: {cluster_name: soak, endpoints: [{lb_endpoints: [%[2]s]}]}
`

const listenerText = `  - name: soak%d
    address: {socket_address: {address: 127.0.0.%d, port_value: 0}}
    per_connection_buffer_limit_bytes: %d
    filter_chains: [{filters: [{name: envoy.filters.network.tcp_proxy, typed_config: {
      "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy,
      stat_prefix: soak, cluster: soak}}]}]
`

// moduleRoot is the folder of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if path := strings.TrimSpace(string(out)); err == nil && strings.HasSuffix(path, "go.mod") {
		return filepath.Dir(path), nil
	}
	return "", errors.New("soak needs a checkout of the project, and Go, to build what it tests")
}

// build builds the last chapter's binary.
func (s *soak) build() (string, error) {
	path := filepath.Join(s.dir, "envoywalk-06")
	build := linked.Program(s.ctx, s.root, "./chapters/06-filter-chain/run", path)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building chapter 06: %w\n%s", err, out)
	}
	return path, nil
}

// startProxy starts the binary with so many listeners before one cluster of these hosts.
func (s *soak) startProxy(listeners int, hosts []string) (*proxy, error) {
	var all, endpoints []string
	for i := range listeners {
		all = append(all, fmt.Sprintf(listenerText, i, i+1, bufferLimit))
	}
	for _, h := range hosts {
		ip, port, _ := net.SplitHostPort(h)
		endpoints = append(endpoints,
			fmt.Sprintf("{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}", ip, port))
	}
	dir, err := os.MkdirTemp(s.dir, "proxy")
	if err != nil {
		return nil, err
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	text := fmt.Sprintf(document, strings.Join(all, ""), strings.Join(endpoints, ", "), bufferLimit)
	if err := os.WriteFile(file("envoy.yaml"), []byte(text), 0o644); err != nil {
		return nil, err
	}
	p := &proxy{ctx: s.ctx, log: file("log"), ended: make(chan struct{}),
		cmd: exec.Command(s.binary, "-c", file("envoy.yaml"), "--concurrency", strconv.Itoa(s.concurrency),
			"--admin-address-path", file("admin"), "--log-path", file("log"), "-l", "warning")}
	// A crash is told on stderr, whatever the log is.
	crash, err := os.Create(file("stderr"))
	if err != nil {
		return nil, err
	}
	defer crash.Close()
	p.cmd.Stderr = crash
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	if err := p.ready(file("admin"), listeners); err != nil {
		p.stop()
		return nil, fmt.Errorf("the proxy does not start: %w\n%s", err, p.said())
	}
	return p, nil
}

// ready waits until every worker listens.
func (p *proxy) ready(adminPath string, listeners int) error {
	return p.until("it listens", func() bool {
		admin, err := os.ReadFile(adminPath)
		if p.admin = string(admin); err != nil || p.admin == "" {
			return false
		}
		stats, err := p.stats()
		if err != nil || stats.sum("listener_manager.workers_started") != 1 {
			return false
		}
		text, err := p.get("/listeners")
		p.listeners = nil
		for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
			if _, address, ok := strings.Cut(line, "::"); ok {
				p.listeners = append(p.listeners, address)
			}
		}
		return err == nil && len(p.listeners) == listeners
	})
}

// until waits until something holds, unless the process ends first.
func (p *proxy) until(what string, holds func() bool) error {
	for deadline := time.Now().Add(patience); !holds(); {
		select {
		case <-p.ended:
			return fmt.Errorf("it ended: %v", p.cmd.ProcessState)
		case <-p.ctx.Done():
			return p.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %v in vain until %s", patience, what)
		}
	}
	return nil
}

// stop asks the process to end, and returns what it said of interest.
func (p *proxy) stop() error {
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.ended
		return errors.New("the proxy did not stop when asked to")
	}
	if state := p.cmd.ProcessState; state.ExitCode() != 0 {
		return fmt.Errorf("the proxy ended with %v\n%s", state, p.said())
	}
	return nil
}

// said is the end of its log.
func (p *proxy) said() string {
	var last []string
	for _, path := range []string{p.log, filepath.Join(filepath.Dir(p.log), "stderr")} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		var lines []string
		for scan := bufio.NewScanner(f); scan.Scan(); {
			lines = append(lines, scan.Text())
		}
		f.Close()
		last = append(last, lines[:min(len(lines), 40)]...)
	}
	return strings.Join(last, "\n")
}

// adminClient leaves no connection behind: it would be counted.
var adminClient = http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

func (p *proxy) get(path string) (string, error) {
	answer, err := adminClient.Get("http://" + p.admin + path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, answer.Status)
	}
	return string(text), err
}

// stats are the counters and gauges.
type stats map[string]uint64

func (p *proxy) stats() (stats, error) {
	text, err := p.get("/stats")
	all := stats{}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		if n, err := strconv.ParseUint(value, 10, 64); err == nil {
			all[name] = n
		}
	}
	return all, err
}

// sum adds up all stats of a name; where it has a *, that stands for one part between dots, or several.
func (s stats) sum(name string) (n uint64) {
	before, after, star := strings.Cut(name, "*")
	for have, value := range s {
		if have == name || star && len(have) >= len(name) && strings.HasPrefix(have, before) &&
			strings.HasSuffix(have, after) && !strings.Contains(have, ".worker_") &&
			!strings.Contains(have, "admin") {
			n += value
		}
	}
	return n
}

// footprint is what the process holds.
type footprint struct {
	fds, threads int
	heap         int // live Go objects, after a collection
	rss          int
}

func (f footprint) String() string {
	return fmt.Sprintf("%d fds, %d threads, heap %s, RSS %s", f.fds, f.threads, size(f.heap), size(f.rss))
}

func (p *proxy) footprint() (f footprint, err error) {
	text, err := p.get("/memory")
	if err != nil {
		return f, err
	}
	var memory struct{ Allocated string }
	if err = json.Unmarshal([]byte(text), &memory); err != nil {
		return f, err
	}
	if f.heap, err = strconv.Atoi(memory.Allocated); err != nil {
		return f, err
	}
	f.fds, f.threads, f.rss = p.count("fd"), p.count("task"), p.rss()
	return f, nil
}

// leastFootprint looks several times: the admin's own connection ends a little after its answer.
func (p *proxy) leastFootprint() (least footprint, err error) {
	for range 5 {
		now, err := p.footprint()
		if err != nil {
			return least, err
		}
		time.Sleep(50 * time.Millisecond)
		now.fds = p.count("fd")
		if least == (footprint{}) {
			least = now
		}
		least = footprint{min(least.fds, now.fds), min(least.threads, now.threads), min(least.heap, now.heap),
			min(least.rss, now.rss)}
	}
	return least, nil
}

func (p *proxy) count(what string) int {
	names, _ := os.ReadDir(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, what))
	return len(names)
}

func (p *proxy) rss() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.Atoi(fields[0])
	return kib << 10
}
