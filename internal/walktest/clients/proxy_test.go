package clients

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// upstreams are the servers' ports, by the port that stands in docs/clients.yaml.
type upstreams map[string]string

// proxy is the real binary with docs/clients.yaml, in which /tmp/clients has become a folder of the test's own,
// and every listener's port is the kernel's choice.
type proxy struct {
	*walktest.Process
	t     *testing.T
	dir   string
	admin *http.Client
	ports map[string]string // by listener
}

// folder is a folder with a short name, for sockets, that every user may enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start starts the proxy. dir is the test's folder.
func start(t *testing.T, dir string, servers upstreams) *proxy {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(walktest.Root(), "docs", "clients.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	yaml := strings.ReplaceAll(string(text), "/tmp/clients", dir)
	yaml = strings.Replace(yaml, "{ socket_address: { address: 127.0.0.1, port_value: 9901 } }",
		"{ pipe: { path: "+dir+"/admin } }", 1)
	yaml = regexp.MustCompile(`port_value: \d+`).ReplaceAllStringFunc(yaml, func(field string) string {
		port := strings.TrimPrefix(field, "port_value: ")
		if strings.HasPrefix(port, "1") {
			return "port_value: 0"
		}
		if here := servers[port]; here != "" {
			return "port_value: " + here
		}
		return "port_value: 1" // a server that this test has no use for
	})
	p := &proxy{t: t, dir: dir, ports: map[string]string{}}
	p.Process = walktest.Start(t, "06", "-c", walktest.Config(t, "%s", yaml), "--concurrency", "2")
	p.WaitFor("all workers have all listeners")
	p.admin = &http.Client{Timeout: walktest.Patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", dir+"/admin")
		}}}
	for _, line := range strings.Fields(p.get("/listeners")) {
		name, address, _ := strings.Cut(line, "::")
		if _, port, err := net.SplitHostPort(address); err == nil {
			p.ports[name] = port
		}
	}
	return p
}

func (p *proxy) get(path string) string {
	p.t.Helper()
	r, err := p.admin.Get("http://admin" + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return string(body)
}

// eventually waits for what happens on other threads.
func (p *proxy) eventually(why string, holds func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(walktest.Patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("after %v: %s\n%s", walktest.Patience, why, p.Stderr)
		}
	}
}

// logged waits until an access log line matches, which a connection writes when it ends.
func (p *proxy) logged(pattern string) {
	p.t.Helper()
	re := regexp.MustCompile(`(?m)^` + pattern + `$`)
	p.eventually("no line of the access log is "+pattern, func() bool {
		text, _ := os.ReadFile(p.dir + "/access.log")
		return re.Match(text)
	})
}

var active = regexp.MustCompile(`(?m)^(?:listener\.[^a].*\.downstream|cluster\..*\.upstream)_cx_active: [^0].*$`)

// ends is the end of every test: no connection is left, and a stop is prompt and clean.
func (p *proxy) ends() {
	p.t.Helper()
	p.eventually("connections of nobody are left", func() bool { return !active.MatchString(p.get("/stats")) })
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		p.t.Errorf("exit status %d\n%s", status, p.Stderr)
	}
}
