package filterchain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/walktest"
)

const mib = 1 << 20

// scene is a server with one listener, one tcp_proxy and one cluster, all of them plain but for what
// a test adds: each string is the rest of a flow mapping of YAML.
type scene struct {
	proxy, cluster, listener string
	hosts                    []string // of cluster c
	more                     string   // further clusters
	quiet                    bool     // not every connection is logged
	workers                  int      // one, if nobody says
}

// server is the scene at work, in the test's own process.
type server struct {
	t        *testing.T
	instance *startup.Instance
	address  string
	exit     chan int
	logPath  string
	stopped  bool
}

func (s scene) yaml() string {
	const tcpProxy = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
	if !strings.Contains(s.proxy, "cluster") {
		s.proxy += ", cluster: c"
	}
	return fmt.Sprintf(`static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains: [{filters: [{name: envoy.filters.network.tcp_proxy,
      typed_config: {"@type": %s, stat_prefix: p%s}}]}]
    %s
  clusters:
  - %s
  %s
`, tcpProxy, comma(s.proxy), s.listener, cluster("c", s.cluster, s.hosts...), s.more)
}

func comma(more string) string { return ", " + strings.TrimLeft(more, ", ") }

// cluster is a cluster of the configuration, with a connect_timeout that no live host ever needs.
func cluster(name, more string, hosts ...string) string {
	if !strings.Contains(more, "connect_timeout") {
		more += ", connect_timeout: 5s"
	}
	var all []string
	for _, h := range hosts {
		host, port, _ := net.SplitHostPort(h)
		all = append(all, fmt.Sprintf("{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}",
			host, port))
	}
	return fmt.Sprintf("{name: %s, type: STATIC, load_assignment: {cluster_name: %s, endpoints: "+
		"[{lb_endpoints: [%s]}]}%s}", name, name, strings.Join(all, ", "), comma(more))
}

// start returns when every worker listens.
func (s scene) start(t *testing.T) *server {
	t.Helper()
	p := &server{t: t, exit: make(chan int, 1), logPath: filepath.Join(t.TempDir(), "log")}
	ready := make(chan struct{})
	seams := Wire()
	startWorkers := seams.StartWorkers
	seams.StartWorkers = func(m *listensocket.ListenerManager, done func()) {
		p.instance = m.Instance
		startWorkers(m, func() {
			p.address = m.Listeners()[0].Address.String()
			close(ready)
			done()
		})
	}
	args := []string{"test", "-c", walktest.Config(t, "%s", s.yaml()), "--concurrency",
		strconv.Itoa(max(s.workers, 1)), "--log-path", p.logPath, "-l", "debug"}
	if s.quiet {
		args[len(args)-1] = "info"
	}
	go func() {
		runtime.LockOSThread()
		p.exit <- seams.Main(args)
	}()
	select {
	case <-ready:
	case code := <-p.exit:
		t.Fatalf("the server ended with %d:\n%s", code, p.log())
	case <-time.After(walktest.Patience):
		t.Fatalf("the server did not start:\n%s", p.log())
	}
	t.Cleanup(p.stop)
	return p
}

func (p *server) log() string {
	text, _ := os.ReadFile(p.logPath)
	return string(text)
}

// stop ends the server and wants it to end well.
func (p *server) stop() {
	if p.stopped {
		return
	}
	p.stopped = true
	p.onMain(p.instance.Shutdown)
	select {
	case code := <-p.exit:
		if code != 0 {
			p.t.Errorf("exit status %d", code)
		}
	case <-time.After(walktest.Patience):
		p.t.Errorf("the server did not stop:\n%s", p.log())
	}
	if p.t.Failed() {
		p.t.Logf("%s", p.log())
	}
}

func (p *server) onMain(f func()) { p.instance.Dispatcher.PostOutside(nil, "", f) }

// counter and gauge read a stat below tcp.p. or, with a dot, one of any name.
func (p *server) counter(name string) int {
	return int(p.instance.Stats.Scope("").Counter(fullName(name)).Value())
}

func (p *server) gauge(name string) int {
	return int(p.instance.Stats.Scope("").Gauge(fullName(name)).Value())
}

func fullName(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return "tcp.p." + name
}

// eventually waits for what other threads are about to do.
func (p *server) eventually(what string, holds func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(walktest.Patience); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// becomes waits until a counter or gauge has this value.
func (p *server) becomes(read func(string) int, name string, want int) {
	p.t.Helper()
	p.eventually(fmt.Sprintf("%s is %d", name, want), func() bool { return read(name) == want })
}

// dial connects to the listener.
func (p *server) dial() *net.TCPConn {
	p.t.Helper()
	return dial(p.t, p.address)
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(walktest.Patience))
	return c.(*net.TCPConn)
}

// upstreamServer is where a cluster leads. The test accepts by hand.
type upstreamServer struct {
	*net.TCPListener
	t *testing.T
}

func listen(t *testing.T) upstreamServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return upstreamServer{l.(*net.TCPListener), t}
}

func (u upstreamServer) address() string { return u.Addr().String() }

func (u upstreamServer) accept() *net.TCPConn {
	u.t.Helper()
	u.SetDeadline(time.Now().Add(walktest.Patience))
	c, err := u.AcceptTCP()
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(walktest.Patience))
	return c
}

// nobody is an address on which nobody listens.
func nobody(t *testing.T) string {
	l := listen(t)
	l.Close()
	return l.address()
}

// stream is n bytes that nobody can guess; sum is what their receiver must come to.
type stream struct {
	left  int
	bytes *rand.ChaCha8
	sum   hash.Hash
}

func newStream(n int) *stream { return &stream{n, rand.NewChaCha8([32]byte{byte(n)}), sha256.New()} }

func (s *stream) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), s.left)
	s.bytes.Read(p[:n])
	s.sum.Write(p[:n])
	s.left -= n
	return n, nil
}

// send sends all of it, in a goroutine of its own; the channel then tells of the error.
func (s *stream) send(to *net.TCPConn, then func() error) chan error {
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(struct{ io.Writer }{to}, s)
		if err == nil {
			err = then()
		}
		done <- err
	}()
	return done
}

func nothing() error { return nil }

// receive reads to the end of the stream and wants just what was sent.
func receive(t *testing.T, from io.Reader, sent *stream, size int) {
	t.Helper()
	got := sha256.New()
	n, err := io.Copy(got, from)
	if err != nil || int(n) != size {
		t.Fatalf("%d bytes of %d came, then %v", n, size, err)
	}
	if a, b := hex.EncodeToString(got.Sum(nil)), hex.EncodeToString(sent.sum.Sum(nil)); a != b {
		t.Errorf("what came is not what was sent: %s, %s", a, b)
	}
}

// ends wants the connection to be closed without another byte, by FIN or RST.
func ends(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := io.Copy(io.Discard, c); n != 0 || os.IsTimeout(err) {
		t.Errorf("%d bytes came, then %v", n, err)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
