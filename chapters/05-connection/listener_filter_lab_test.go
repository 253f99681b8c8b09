package connection_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/kernel"
	"envoywalk/internal/walktest"
	"envoywalk/trace"
)

const filterLabVariable = "ENVOYWALK_TEST_LISTENER_FILTERS"

// init: the test's own binary is also the laboratory, a chapter 05 whose connections tell what the
// listener filters found out and then send back every byte. It must be a process of its own, because
// a server ends with its process.
func init() {
	if os.Getenv(filterLabVariable) != "" {
		os.Exit(runFilterLab())
	}
}

func runFilterLab() int {
	s := connection.Wire()
	s.FindFilterChain = func(_ *listensocket.Listener, a *connection.ActiveTcpSocket) connection.FilterChain {
		return &found{a}
	}
	s.CreateNetworkFilterChain = func(l *listensocket.Listener, c *connection.Connection,
		f connection.FilterChain) bool {
		c.EnableHalfClose(true)
		c.Filters = echoing{}
		a := f.(*found).socket
		var b buffer.Buffer
		b.Init(c.Thread.Slabs)
		b.AddString(fmt.Sprintln(l.Name, a.Local(), a.Remote(), a.TransportProtocol, "["+a.ServerName+"]",
			a.ApplicationProtocols))
		c.Write(&b, false)
		return true
	}
	var script labScript
	kernel.SetScript(script.answer)
	go script.obey(os.Stdin)
	return s.Main(os.Args)
}

// found is the filter chain of every socket.
type found struct{ socket *connection.ActiveTcpSocket }

func (*found) Name() string { return "" }
func (*found) CreateTransportSocket(l *trace.Lane) connection.TransportSocket {
	return connection.CreateTransportSocket(l)
}
func (*found) TransportSocketConnectTimeout() time.Duration { return 0 }

type echoing struct{}

func (echoing) OnRead(c *connection.Connection)                           { c.Write(c.ReadBuffer(), c.TakeEndStream()) }
func (echoing) OnWrite(*connection.Connection, *buffer.Buffer, bool) bool { return true }

// labScript answers the next calls of one name as stdin says: CALL ERRNO COUNT. With kernel.AtMost
// for an errno, COUNT is 1 and for ever: each such call moves one byte.
type labScript struct {
	mu    sync.Mutex
	call  string
	errno kernel.Errno
	count int
}

func (s *labScript) obey(in io.Reader) {
	heard := 0
	for lines := bufio.NewScanner(in); lines.Scan(); {
		s.mu.Lock()
		fmt.Sscan(lines.Text(), &s.call, (*uintptr)(&s.errno), &s.count)
		s.mu.Unlock()
		heard++
		fmt.Printf("heard %d lines.\n", heard)
	}
}

func (s *labScript) answer(call string, _, _ int) (int, kernel.Errno, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call != s.call || s.count == 0 {
		return 0, 0, false
	}
	if s.errno == kernel.AtMost {
		return 1, s.errno, true
	}
	s.count--
	return -1, s.errno, true
}

// filterLab is a running laboratory with one worker.
type filterLab struct {
	*walktest.Process
	t       *testing.T
	admin   *http.Client
	stdin   io.Writer
	scripts int
}

// startFilterLab starts listeners, each a flow mapping of YAML without its braces and filter chains.
func startFilterLab(t *testing.T, runtime string, listeners ...string) *filterLab {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "admin")
	for i, l := range listeners {
		if !strings.Contains(l, "filter_chains") {
			l += ", filter_chains: [{}]"
		}
		listeners[i] = "{" + l + "}"
	}
	config := walktest.Config(t, "admin: {address: {pipe: {path: "+socket+"}}}\n"+
		"layered_runtime: {layers: [{name: test, static_layer: {"+runtime+"}}]}\n"+
		"static_resources: {listeners: ["+strings.Join(listeners, ",\n")+"]}\n")
	cmd := exec.Command(os.Args[0], "-c", config, "--concurrency", "1", "-l", "debug")
	cmd.Env = append(os.Environ(), filterLabVariable+"=1", "GORACE=atexit_sleep_ms=0")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	lab := &filterLab{Process: walktest.StartCommand(t, cmd), t: t, stdin: stdin,
		admin: &http.Client{Timeout: walktest.Patience, Transport: &http.Transport{DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			}}}}
	lab.WaitFor("all workers have all listeners")
	return lab
}

// any4 is a listener on a port of 127.0.0.1 that the kernel chooses.
func any4(name, more string) string {
	return "name: " + name + ", address: {socket_address: {address: 127.0.0.1, port_value: 0}}, " + more
}

// with is one listener filter by its name.
func with(names ...string) string {
	for i, n := range names {
		names[i] = "{name: envoy.filters.listener." + n + "}"
	}
	return "listener_filters: [" + strings.Join(names, ", ") + "]"
}

func (l *filterLab) script(call string, errno kernel.Errno, count int) {
	l.t.Helper()
	fmt.Fprintln(l.stdin, call, uintptr(errno), count)
	l.scripts++
	l.WaitFor(fmt.Sprintf("heard %d lines", l.scripts))
}

func (l *filterLab) get(path string) string {
	l.t.Helper()
	r, err := l.admin.Get("http://admin" + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return string(body)
}

func (l *filterLab) wantStat(suffix string, want int) {
	l.t.Helper()
	sum := -1
	for deadline := time.Now().Add(walktest.Patience); sum != want; time.Sleep(2 * time.Millisecond) {
		sum = 0
		for _, line := range strings.Split(l.get("/stats"), "\n") {
			if name, value, _ := strings.Cut(line, ": "); strings.HasSuffix(name, "."+suffix) {
				n, _ := strconv.Atoi(value)
				sum += n
			}
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%s is %d, want %d", suffix, sum, want)
		}
	}
}

// address is where the only listener, or the one of that name, listens.
func (l *filterLab) address(name string) string {
	l.t.Helper()
	var all struct {
		Statuses []struct {
			Name         string
			LocalAddress struct {
				SocketAddress struct {
					Address string
					Port    int `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(l.get("/listeners?format=json")), &all); err != nil {
		l.t.Fatal(err)
	}
	for _, s := range all.Statuses {
		if a := s.LocalAddress.SocketAddress; s.Name == name {
			return net.JoinHostPort(a.Address, strconv.Itoa(a.Port))
		}
	}
	l.t.Fatalf("no listener %s", name)
	return ""
}

// stop ends the laboratory, which must end well.
func (l *filterLab) stop() {
	l.t.Helper()
	if code := l.Stop(os.Interrupt); code != 0 { // so ends one in which the race detector found something
		l.t.Errorf("exit status %d:\n%s", code, l.Stderr)
	}
}

// client is a connection to the laboratory.
type client struct {
	*net.TCPConn
	t  *testing.T
	in *bufio.Reader
}

func (l *filterLab) dial(name string) *client {
	l.t.Helper()
	c, err := net.DialTimeout("tcp", l.address(name), walktest.Patience)
	if err != nil {
		l.t.Fatal(err)
	}
	return newClient(l.t, c)
}

func newClient(t *testing.T, c net.Conn) *client {
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(walktest.Patience))
	return &client{c.(*net.TCPConn), t, bufio.NewReader(c)}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// wantHead wants to hear what the filters found out: the listener, whom the client connected to and
// who it is, "" for the socket's own address, then the rest.
func (c *client) wantHead(listener, local, remote, rest string) {
	c.t.Helper()
	if local == "" {
		local = c.RemoteAddr().String()
	}
	if remote == "" {
		remote = c.LocalAddr().String()
	}
	want := fmt.Sprintln(listener, local, remote, rest)
	if got, err := c.in.ReadString('\n'); err != nil || got != want {
		c.t.Fatalf("the connection is %q, %v, want %q", got, err, want)
	}
}

// wantEcho ends the client's half and wants exactly its payload back, and then the end.
func (c *client) wantEcho(payload string) {
	c.t.Helper()
	c.CloseWrite()
	if got, err := io.ReadAll(c.in); err != nil || string(got) != payload {
		c.t.Fatalf("%d bytes came back, %v, want %d; first %.80q", len(got), err, len(payload), got)
	}
}

// wantClosed wants the other end to be gone, with or without a reset, and not a byte.
func (c *client) wantClosed() {
	c.t.Helper()
	if got, err := c.in.ReadByte(); err == nil {
		c.t.Fatalf("a byte came: %q", got)
	} else if e, ok := err.(net.Error); ok && e.Timeout() {
		c.t.Fatal("still open")
	}
}
