package startup

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// server is chapter 04's binary, whose admin has a socket.
type server struct {
	*walktest.Process
	t      *testing.T
	admin  string
	client http.Client
}

const oneListener = `
static_resources:
  listeners:
  - name: echo
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
    filter_chains: [ { filters: [ { name: envoy.filters.network.echo } ] } ]
`

const tcpAdmin = `admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }`

// startServer starts a configuration whose admin is on TCP, port 0; a file tells which that became.
func startServer(t *testing.T, config string, args ...string) *server {
	t.Helper()
	where := filepath.Join(t.TempDir(), "admin")
	p := walktest.Start(t, "04", append([]string{"-c", walktest.Config(t, "%s", config),
		"--admin-address-path", where}, args...)...)
	p.WaitFor("all workers have all listeners")
	return &server{Process: p, t: t, admin: "http://" + read(where),
		client: http.Client{Timeout: walktest.Patience}}
}

func (s *server) ask(method, path string) (int, string, http.Header) {
	s.t.Helper()
	r, _ := http.NewRequest(method, s.admin+path, nil)
	r.Header.Set("User-Agent", "test")
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), answer.Header
}

func (s *server) expect(method, path string, code int, pattern string) string {
	s.t.Helper()
	got, body, _ := s.ask(method, path)
	if got != code || !regexp.MustCompile(pattern).MatchString(body) {
		s.t.Errorf("%s %s: %d %q, want %d %s", method, path, got, body, code, pattern)
	}
	return body
}

func TestAdminPages(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener, "--service-node", "me", "--concurrency", "2")
	s.expect("GET", "/ready", 200, `^LIVE\n$`)
	s.expect("POST", "/ready", 200, `^LIVE\n$`)
	s.expect("GET", "/listeners", 200, `^echo::127\.0\.0\.1:[1-9]\d*\n$`)
	s.expect("GET", "/listeners?format=json", 200,
		`^\{\n "listener_statuses": \[\n  \{\n   "name": "echo",\n   "local_address": \{\n    "socket_`)
	s.expect("GET", "/", 200, `(?s)^<!DOCTYPE html>.*envoywalk 04-threading.*<a href='ready'>ready</a>`)
	s.expect("GET", "/help", 200, `^admin commands are:\n  /: Admin home page\n  /certs: `)
	s.expect("GET", "/nothing", 404, `(?s)^invalid path\. admin commands are:\n.*  /stats: `)
	s.expect("GET", "/ready/", 404, `^invalid path`)
	s.expect("GET", "/runtime_modify?a=1", 405, `^Method GET not allowed, POST required\.`)
	_, _, header := s.ask("GET", "/ready")
	if header.Get("Content-Type") != "text/plain; charset=UTF-8" ||
		header.Get("Cache-Control") != "no-cache, max-age=0" ||
		header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error(header)
	}
	if code := s.Stop(syscall.SIGTERM); code != 0 {
		t.Error("status", code)
	}
}

func TestServerInfo(t *testing.T) {
	s := startServer(t, tcpAdmin+"\nnode: { id: mine, cluster: ours, metadata: { k: v } }"+oneListener,
		"--service-node", "me", "--service-zone", "here", "--drain-time-s", "7", "-l", "debug")
	var info struct {
		Version, State string
		Node           struct {
			ID, Cluster string
			Locality    struct{ Zone string }
			Metadata    struct{ K string }
		}
		Options struct {
			Mode      string
			Drain     string `json:"drain_time"`
			LogLevel  string `json:"log_level"`
			Config    string `json:"config_path"`
			BaseID    string `json:"base_id"`
			NoRestart bool   `json:"disable_hot_restart"`
		} `json:"command_line_options"`
	}
	body := s.expect("GET", "/server_info", 200, `"uptime_current_epoch": "\d+s"`)
	if err := json.Unmarshal([]byte(body), &info); err != nil {
		t.Fatal(err)
	}
	if info.Version != "envoywalk 04-threading" || info.State != "LIVE" || info.Node.ID != "me" ||
		info.Node.Cluster != "ours" || info.Node.Locality.Zone != "here" || info.Node.Metadata.K != "v" {
		t.Errorf("%+v", info)
	}
	if o := info.Options; o.Mode != "Serve" || o.Drain != "7s" || o.LogLevel != "debug" ||
		o.BaseID != "0" || !strings.HasSuffix(o.Config, "envoy.yaml") || !o.NoRestart {
		t.Errorf("%+v", o)
	}
}

func TestStatsPage(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener, "--concurrency", "2")
	s.expect("GET", "/stats", 200, `(?s)listener_manager\.workers_started: 1\n.*server\.concurrency: 2\n`)
	only := s.expect("GET", "/stats?filter=^server%5C.(live%7Cstate)$", 200, ``)
	same(t, strings.Fields(only), []string{"server.live:", "1", "server.state:", "0"})
	s.expect("GET", "/stats?filter=((", 400, `^Invalid regex: ".+"\n$`)
	s.expect("GET", "/stats?format=html", 404,
		`^usage: /stats\?format=json  or /stats\?format=prometheus \n\n$`)
	all := s.expect("GET", "/stats", 200, `server\.envoy_bug_failures: 0`)
	used := s.expect("GET", "/stats?usedonly", 200, `server\.live: 1`)
	if strings.Contains(used, "envoy_bug_failures") || len(used) >= len(all) {
		t.Error("usedonly shows what was never used")
	}
	for name, want := range map[string]string{"listener_manager.listener_added": "1",
		"listener_manager.listener_create_success": "2", "listener_manager.listener_create_failure": "0",
		"listener_manager.listener_modified": "0", "listener_manager.listener_removed": "0",
		"listener_manager.listener_stopped": "0", "listener_manager.listener_in_place_updated": "0",
		"listener_manager.total_listeners_active": "1", "listener_manager.total_listeners_warming": "0",
		"listener_manager.total_listeners_draining": "0", "workers.watchdog_miss": "0",
		"server.worker_0.watchdog_miss": "0", "server.worker_1.watchdog_mega_miss": "0"} {
		if !strings.Contains(all, "\n"+name+": "+want+"\n") {
			t.Errorf("%s: %s is missing", name, want)
		}
	}
}

func TestStatsAsJSONHaveEnvoysShape(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	type stats struct {
		Stats []struct {
			Name       string
			Value      any
			Histograms *struct {
				Supported []float64 `json:"supported_quantiles"`
				Computed  []struct {
					Name   string
					Values []struct{ Interval, Cumulative *float64 }
				} `json:"computed_quantiles"`
			}
		}
	}
	var some, none stats
	body := s.expect("GET", "/stats?format=json&filter=^server%5C.(live%7Cinit)", 200, `^\{"stats":\[`)
	if err := json.Unmarshal([]byte(body), &some); err != nil || len(some.Stats) != 2 {
		t.Fatal(err, body)
	}
	if live := some.Stats[0]; live.Name != "server.live" || live.Value != 1.0 {
		t.Error(live)
	}
	h := some.Stats[1].Histograms
	if len(h.Supported) != 10 || h.Supported[1] != 25 ||
		h.Computed[0].Name != "server.initialization_time_ms" ||
		len(h.Computed[0].Values) != 10 || h.Computed[0].Values[9].Cumulative == nil {
		t.Errorf("%+v", h)
	}
	body = s.expect("GET", "/stats?format=json&filter=^nothing", 200, ``)
	if err := json.Unmarshal([]byte(body), &none); err != nil || len(none.Stats) != 0 {
		t.Error("without histograms there is no object for them:", body)
	}
}

func TestRuntimePages(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	s.expect("POST", "/runtime_modify", 400, `^usage: /runtime_modify`)
	s.expect("POST", "/runtime_modify?"+url.Values{"overload.x": {"3"}}.Encode(), 200, `^OK\n$`)
	s.expect("GET", "/runtime", 200, `(?s)"overload.x": \{\n\s+"final_value": "3",.*"base",\n\s+"admin"`)
	s.expect("GET", "/stats?filter=admin_overrides", 200, `: 1\n$`)
	s.expect("POST", "/runtime_modify?overload.x=", 200, `^OK\n$`)
	s.expect("GET", "/stats?filter=num_keys", 200, `: 0\n$`)
}

func TestAHundredAskAtOnceWhileListenersAccept(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	echo := strings.TrimPrefix(strings.TrimSpace(s.expect("GET", "/listeners", 200, "echo")), "echo::")
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			client := http.Client{Timeout: walktest.Patience,
				Transport: &http.Transport{DisableKeepAlives: true}}
			answer, err := client.Get(s.admin + [...]string{"/ready", "/stats", "/listeners"}[n%3])
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != 200 || len(body) == 0 {
				t.Error(answer.StatusCode, err)
			}
		})
		all.Go(func() {
			conn, err := net.DialTimeout("tcp", echo, walktest.Patience)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(walktest.Patience))
			io.Copy(io.Discard, conn)
		})
	}
	all.Wait()
}

func TestAdminOverAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin")
	config := "admin: { address: { pipe: { path: " + path + " } } }" + oneListener
	p := walktest.Start(t, "04", "-c", walktest.Config(t, "%s", config))
	p.WaitFor("all workers have all listeners")
	dial := func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }
	client := http.Client{Transport: &http.Transport{DialContext: dial}}
	answer, err := client.Get("http://admin/ready")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != "LIVE\n" {
		t.Errorf("%q", body)
	}
}

// Whoever holds an admin connection without saying anything holds up neither others nor the end.
func TestSilentClientsBlockNobody(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	for range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.admin, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /ready HT")
	}
	s.expect("GET", "/ready", 200, "LIVE")
	if code := s.Stop(syscall.SIGTERM); code != 0 {
		t.Error("status", code)
	}
}

func TestAnAdminPortThatIsTakenEndsTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	config := strings.Replace(tcpAdmin, "port_value: 0", "port_value: "+port, 1) + oneListener
	trace := filepath.Join(t.TempDir(), "trace")
	p := walktest.Start(t, "04", "-c", walktest.Config(t, "%s", config), "--trace", "json="+trace)
	p.WaitFor(`error initializing configuration '.*envoy.yaml': ` +
		`cannot bind '127.0.0.1:` + port + `': Address already in use`)
	p.WaitFor(`\n  at .*envoy.yaml:1:\d+\n  path: admin.address`)
	if code := p.Wait(); code != 1 {
		t.Error("status", code)
	}
	open := map[string]bool{}
	for _, s := range readSpans(t, trace) {
		if label := s.text("syscall.ret.label"); label != "" {
			open[label] = true
		}
		if s.Name == "close" {
			delete(open, s.text("fd.label"))
		}
	}
	if len(open) > 0 {
		t.Error("still open:", open)
	}
}

func TestTheTraceSaysWhereAdminConnectionsGo(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	s := startServer(t, tcpAdmin+oneListener, "--trace", "json="+trace)
	s.expect("GET", "/ready", 200, "LIVE")
	s.Stop(syscall.SIGTERM)
	for _, span := range readSpans(t, trace) {
		if to := span.text("handover.to"); to != "" || strings.Contains(span.Name, "hand") {
			if span.text("fd.label") == "" || span.text("thread.name") != "main_thread" {
				t.Errorf("%s: fd %q on %q", span.Name, span.text("fd.label"), span.text("thread.name"))
			}
			return
		}
	}
	t.Error("no span says that net/http has the connection")
}

// span is what these tests read of a span that stdouttrace wrote.
type span struct {
	Name        string
	SpanContext struct{ SpanID string }
	Parent      struct{ SpanID string }
	Attributes  []struct {
		Key   string
		Value struct{ Value any }
	}
}

func (s span) attribute(key string) any {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.Value
		}
	}
	return nil
}

func (s span) text(key string) string {
	text, _ := s.attribute(key).(string)
	return text
}

// readSpans reads a --trace json=FILE, in the order of seq.start.
func readSpans(t *testing.T, path string) (all []span) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for in := json.NewDecoder(bufio.NewReader(file)); in.More(); {
		var s span
		if err := in.Decode(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return inOrder(all)
}
