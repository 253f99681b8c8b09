package threading

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// setup is a server to start.
type setup struct {
	listeners   []string // each a flow mapping of YAML
	runtime     string   // the same, flat: keys and values
	concurrency int
	flags       []string
	lab         []string // commands before main: the laboratory runs instead of the real binary
	strace      []string // strace's own flags: the server runs under it
}

// server is a chapter 04 that serves. Its admin listens on a unix socket, so that every TCP socket is a
// listener's.
type server struct {
	*walktest.Process
	t     *testing.T
	pid   int
	admin *http.Client
	stdin io.WriteCloser
	asked int

	adminPath string
}

// tcp is a listener of the configuration. more is what else it has.
func tcp(name, host string, port int, more ...string) string {
	address := fmt.Sprintf("{socket_address: {address: %q, port_value: %d}}", host, port)
	return listenerAt(name, address, more...)
}

// anyPort is a listener on a port that the kernel chooses.
func anyPort(name string, more ...string) string { return tcp(name, "127.0.0.1", 0, more...) }

func pipe(name, path string, mode int, more ...string) string {
	return listenerAt(name, fmt.Sprintf("{pipe: {path: %q, mode: %d}}", path, mode), more...)
}

func listenerAt(name, address string, more ...string) string {
	all := append([]string{"name: " + name, "address: " + address, "filter_chains: [{}]"}, more...)
	return "{" + strings.Join(all, ", ") + "}"
}

// start starts the server and waits until every worker has every listener.
func (s setup) start(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	socket := filepath.Join(dir, "admin")
	config := walktest.Config(t, "admin: {address: {pipe: {path: "+socket+"}}}\n"+
		"layered_runtime: {layers: [{name: test, static_layer: {"+s.runtime+"}}]}\n"+
		"static_resources: {listeners: ["+strings.Join(s.listeners, ",\n")+"]}\n")
	args := append([]string{"-c", config, "--concurrency", strconv.Itoa(max(1, s.concurrency))},
		s.flags...)
	cmd := exec.Command(s.binary(t), args...)
	if s.strace != nil {
		cmd = exec.Command("strace", append(append(s.strace, "--", s.binary(t)), args...)...)
	}
	server := &server{t: t, admin: unixClient(socket), adminPath: socket}
	if s.lab != nil {
		cmd.Env = append(os.Environ(), labVariable+"="+strings.Join(s.lab, "\n")+"\n",
			"GORACE=atexit_sleep_ms=0")
		server.stdin, _ = cmd.StdinPipe()
	}
	server.Process = walktest.StartCommand(t, cmd)
	pid := server.WaitFor(`\]\[(\d+)\]\[info\]\[main\] \S+ starting main dispatch loop`)[1]
	server.pid, _ = strconv.Atoi(pid)
	t.Cleanup(func() { syscall.Kill(server.pid, syscall.SIGKILL) })
	server.WaitFor("all workers have all listeners")
	return server
}

func (s setup) binary(t *testing.T) string {
	if s.lab != nil {
		return os.Args[0]
	}
	return walktest.Binary(t, "04")
}

func unixClient(path string) *http.Client {
	return &http.Client{Timeout: walktest.Patience, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
}

// stop asks the server to end and wants it to end well.
func (s *server) stop() {
	s.t.Helper()
	if err := syscall.Kill(s.pid, syscall.SIGTERM); err != nil {
		s.t.Fatalf("the server is gone: %v", err)
	}
	if code := s.Wait(); code != 0 { // so a laboratory ends in which the race detector found something
		s.t.Errorf("exit status %d:\n%s", code, s.Stderr)
	}
}

func (s *server) get(path string) string {
	s.t.Helper()
	r, err := s.admin.Get("http://admin" + path)
	if err != nil {
		s.t.Fatalf("GET %s: %v\n%s", path, err, s.Stderr)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	return string(body)
}

// addresses are the listeners and where they listen, as the admin tells.
func (s *server) addresses() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(s.get("/listeners")), "\n") {
		if name, address, ok := strings.Cut(line, "::"); ok {
			all[name] = address
		}
	}
	return all
}

// stat is a counter or gauge whose name ends like this; several are added up.
func (s *server) stat(suffix string) (sum int) {
	s.t.Helper()
	for _, line := range strings.Split(s.get("/stats"), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		if strings.HasSuffix(name, suffix) {
			n, _ := strconv.Atoi(value)
			sum += n
		}
	}
	return sum
}

func (s *server) wantStat(suffix string, want int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%s = %d", suffix, want), func() bool { return s.stat(suffix) == want })
}

// said counts the lines of the log that match.
func (s *server) said(pattern string) int {
	return len(regexp.MustCompile(pattern).FindAllString(s.Stdout.String()+s.Stderr.String(), -1))
}

// eventually waits until the world is as it should be.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(walktest.Patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in %v it did not come to be that %s", walktest.Patience, what)
		}
	}
}

// dial connects to where a listener listens.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	network := "tcp"
	if !strings.Contains(address, ":") {
		network = "unix"
	}
	c, err := net.DialTimeout(network, address, walktest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(walktest.Patience))
	return c
}

// isServed wants the decent thing of this chapter: accepted and closed, no reset, no byte.
func isServed(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%s: read %d, %v; want the end of file", c.RemoteAddr(), n, err)
	}
}

// listenersJSON is what the admin says to programs.
func (s *server) listenersJSON() map[string]string {
	var answer struct {
		ListenerStatuses []struct {
			Name         string `json:"name"`
			LocalAddress struct {
				SocketAddress struct {
					Address   string `json:"address"`
					PortValue int    `json:"port_value"`
				} `json:"socket_address"`
				Pipe struct {
					Path string `json:"path"`
				} `json:"pipe"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(s.get("/listeners?format=json")), &answer); err != nil {
		s.t.Fatal(err)
	}
	all := map[string]string{}
	for _, l := range answer.ListenerStatuses {
		a := l.LocalAddress
		if all[l.Name] = a.Pipe.Path; a.Pipe.Path == "" {
			all[l.Name] = net.JoinHostPort(a.SocketAddress.Address,
				strconv.Itoa(a.SocketAddress.PortValue))
		}
	}
	return all
}
