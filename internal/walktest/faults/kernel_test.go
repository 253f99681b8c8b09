package faults

import (
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
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// Row 16. Of the calls of the worker, each thread's own count, some fail for want of memory. Who cannot be served
// is told; who is served loses no byte.
func TestAKernelShortOfMemoryCostsConnectionsAtMostAndNeverAByte(t *testing.T) {
	t.Parallel()
	wrap := underStrace(t, "-e", "trace=accept4,connect,epoll_ctl,readv,writev",
		"-e", "inject=accept4:error=ENOBUFS:when=9+10", "-e", "inject=connect:error=ENOMEM:when=6+5",
		"-e", "inject=epoll_ctl:error=ENOMEM:when=40+13", "-e", "inject=readv:error=ENOMEM:when=5+7",
		"-e", "inject=writev:error=ENOBUFS:when=5+6")
	p := startWith(t, wrap, hardlyTraced("1"),
		route{name: "r", hosts: []string{echo(t)}})
	p.gathers()
	served, told := 0, 0
	for range 60 {
		c := p.dial("r")
		io.WriteString(c, "hello")
		c.CloseWrite()
		switch word, err := io.ReadAll(c); {
		case string(word) == "hello" && err == nil:
			served++
		case len(word) == 0:
			told++
		default:
			t.Errorf("%q came, %v", word, err)
		}
		c.Close()
	}
	t.Logf("%d were served, %d were told that they are not", served, told)
	if served < 15 || told == 0 {
		t.Errorf("%d were served, and %d not", served, told)
	}
	if n := p.stats()["listener.127.0.0.1_0.accept_paused"]; n == 0 {
		t.Error("accepting never paused")
	}
	p.heals()
}

// enclosed is a proxy in a network namespace of its own, with the clients outside: they come by unix sockets. Its
// upstreams are its own listeners, 127.0.0.1:20000 and 20001, which echo.
type enclosed struct{ *proxy }

// enclose starts one. prepare is shell that runs in the namespace first; each cluster is the rest of a flow mapping
// and belongs to the unix socket of its number.
func enclose(t *testing.T, prepare string, clusters ...string) enclosed {
	t.Helper()
	dir, err := os.MkdirTemp("", "f")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var listeners, all []string
	for n, c := range clusters {
		listeners = append(listeners, fmt.Sprintf(`{name: l%d, address: {pipe: {path: %s/l%d}}, filter_chains: [{filters: `+
			`[{name: tcp, typed_config: {%sfilters.network.tcp_proxy.v3.TcpProxy, stat_prefix: p%d, cluster: c%d}}]}]}`,
			n, dir, n, extension, n, n))
		all = append(all, fmt.Sprintf("{name: c%d, type: STATIC, connect_timeout: 5s, %s}", n, c))
	}
	for _, port := range []int{20000, 20001} {
		listeners = append(listeners, fmt.Sprintf(`{name: e%d, address: {socket_address: {address: 127.0.0.1, port_value: %d}}, `+
			`filter_chains: [{filters: [{name: envoy.filters.network.echo}]}]}`, port, port))
	}
	config := walktest.Config(t, "%s", "admin: {address: {pipe: {path: "+dir+"/admin}}}\nstatic_resources:\n  listeners: ["+
		strings.Join(listeners, ",\n  ")+"]\n  clusters: ["+strings.Join(all, ",\n  ")+"]\n")
	p := &proxy{t: t, dir: dir, admin: unixClient(dir + "/admin"), at: map[string]string{}}
	wrap := namespace(t, "ip link set lo up; "+prepare)
	args := append(wrap, walktest.Binary(t, "06"), "-c", config, "--concurrency", "1", "-l", "debug", "--trace", "none")
	p.Process = walktest.StartCommand(t, exec.Command(args[0], args[1:]...))
	p.pid, _ = strconv.Atoi(p.WaitFor(`\]\[(\d+)\]\[info\]\[main\] \S+ starting main dispatch loop`)[1])
	p.WaitFor("all workers have all listeners")
	return enclosed{p}
}

// namespace is a command that runs another in a network namespace, or the test is left out, and says so.
func namespace(t *testing.T, prepare string) []string {
	t.Helper()
	for _, flags := range []string{"-n", "-rn"} {
		wrap := []string{"unshare", flags, "--", "sh", "-ec", prepare + `; exec "$@"`, "sh"}
		if exec.Command(wrap[0], append(wrap[1:], "true")...).Run() == nil {
			return wrap
		}
	}
	fmt.Fprintf(os.Stderr, "faults: NOT TRIED, %s: a network namespace is not permitted here\n", t.Name())
	t.Skip("a network namespace is not permitted here")
	return nil
}

// dial connects to a unix socket of the proxy.
func (e enclosed) dial(n int) net.Conn {
	e.t.Helper()
	c, err := net.Dial("unix", filepath.Join(e.dir, fmt.Sprintf("l%d", n)))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(walktest.Patience))
	return c
}

// answers reports whether an upstream is behind the socket.
func (e enclosed) answers(c net.Conn) bool {
	word := make([]byte, 6)
	io.WriteString(c, "secret")
	n, err := io.ReadFull(c, word)
	if n > 0 && (err != nil || string(word) != "secret") {
		e.t.Errorf("%q came, %v", word[:n], err)
	}
	return err == nil
}

func ports(value string) string {
	return fmt.Sprintf("echo '%s' > /proc/sys/net/ipv4/ip_local_port_range", value)
}

func hosts(ports ...int) string {
	var all []string
	for _, p := range ports {
		all = append(all, fmt.Sprintf("{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}", p))
	}
	return "load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [" + strings.Join(all, ", ") + "]}]}"
}

// Row 51. The ports are among the few that the kernel gives to who connects. Each does it once: it then rests.
func TestASecretForADeadPortNeverComesBackThoughTheKernelConnectsTheProxyToItself(t *testing.T) {
	t.Parallel()
	e := enclose(t, ports("40000 40007"), hosts(40000, 40002, 40004, 40006))
	const clients = 300
	for range clients {
		c := e.dial(0)
		if e.answers(c) {
			t.Fatal("the secret came back")
		}
		c.Close()
	}
	itself := strings.Count(e.Stderr.String(), "connected to itself: nobody listens on 127.0.0.1:4000")
	s := e.stats()
	t.Logf("%d of %d were connected to themselves", itself, clients)
	if fails := s["cluster.c0.upstream_cx_connect_fail"]; fails != clients || itself == 0 {
		t.Errorf("%d failures, %d of them to itself", fails, itself)
	}
	if s["cluster.c0.upstream_cx_tx_bytes_total"] != 0 {
		t.Error("the secret was sent")
	}
}

// Row 52.
func TestWhenTheKernelHasNoPortLeftTheClientIsToldAndTheHostIsNotBlamed(t *testing.T) {
	t.Parallel()
	e := enclose(t, ports("40000 40009"), hosts(20000))
	var served []net.Conn
	told := 0
	for range 14 {
		if c := e.dial(0); e.answers(c) {
			served = append(served, c)
		} else {
			told++
		}
	}
	if len(served) != 10 || told != 4 {
		t.Errorf("%d of 10 ports are used, %d were told", len(served), told)
	}
	s := e.stats()
	if a, b := s["cluster.c0.bind_errors"], s["cluster.c0.upstream_cx_connect_fail"]; a != told || b != told {
		t.Errorf("%d bind errors and %d failures for %d", a, b, told)
	}
	e.wantHost("c0", 20000, "cx_connect_fail", "0")
	e.wantNoSpin()
	for _, c := range served { // their ports rest for a while, but for the last ones: it is the upstream that closes
		c.Close()
	}
}

func (e enclosed) wantHost(cluster string, port int, stat, want string) {
	e.t.Helper()
	r, err := e.admin.Get("http://admin/clusters")
	if err != nil || r.StatusCode != http.StatusOK {
		e.t.Fatal(r, err)
	}
	body, _ := io.ReadAll(r.Body)
	r.Body.Close()
	line := fmt.Sprintf("%s::127.0.0.1:%d::%s::%s\n", cluster, port, stat, want)
	if !strings.Contains(string(body), line) {
		e.t.Errorf("the page of clusters does not say %q:\n%s", line, body)
	}
}

// Row 52. A port that bind chose could serve only one of the two upstreams.
func TestASourceAddressCostsNoPortsBeforeTheKernelKnowsBothEnds(t *testing.T) {
	t.Parallel()
	from := ", upstream_bind_config: {source_address: {address: 127.0.0.2, port_value: 0}}"
	e := enclose(t, ports("40000 40009"), hosts(20000)+from, hosts(20001)+from)
	for n := range 16 {
		if !e.answers(e.dial(n % 2)) {
			t.Errorf("connection %d: no port is left", n)
		}
	}
	e.wantNoSpin()
}

// Row 53. Nothing arrives any more, and nobody says so.
func TestAPeerThatVanishesWithoutAWordIsFoundOutInTheConfiguredTime(t *testing.T) {
	t.Parallel()
	e := enclose(t, "true", // by asking, once a second; and by what is not acknowledged, after 600 ms
		hosts(20000)+", upstream_connection_options: {tcp_keepalive: {keepalive_time: 1, keepalive_interval: 1, "+
			"keepalive_probes: 1}}",
		hosts(20001)+", upstream_bind_config: {source_address: {address: 127.0.0.1, port_value: 0}, socket_options: "+
			"[{level: 6, name: 18, int_value: 600}]}",
		hosts(20000))
	quiet, busy, never := e.dial(0), e.dial(1), e.dial(2)
	for _, c := range []net.Conn{quiet, busy, never} {
		if !e.answers(c) {
			t.Fatal("no upstream")
		}
	}
	e.wantTimer(20000, 1)
	e.cutOff()
	began := time.Now()
	io.WriteString(busy, "nobody acknowledges this")
	io.Copy(io.Discard, busy)
	afterBusy := time.Since(began)
	io.Copy(io.Discard, quiet)
	afterQuiet := time.Since(began)
	t.Logf("found out after %v by TCP_USER_TIMEOUT of 600 ms, after %v by keepalive", afterBusy, afterQuiet)
	if afterBusy < 500*time.Millisecond || afterBusy > 5*time.Second || afterQuiet > 8*time.Second {
		t.Errorf("it took %v, and %v", afterBusy, afterQuiet)
	}
	never.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := never.Read(make([]byte, 1)); !os.IsTimeout(err) {
		t.Errorf("who asks for nothing is told nothing: %v", err)
	}
	s := e.stats()
	if s["cluster.c0.upstream_cx_destroy_remote"] != 1 || s["cluster.c1.upstream_cx_destroy_remote"] != 1 {
		t.Error("the upstreams' ends are not counted")
	}
}

// inside runs a command in the proxy's namespace.
func (e enclosed) inside(command ...string) (string, error) {
	out, err := []byte(nil), error(nil)
	for _, flags := range [][]string{{"-n"}, {"-U", "-n", "--preserve-credentials"}} {
		args := append(append([]string{"-t", strconv.Itoa(e.pid)}, flags...), command...)
		if out, err = exec.Command("nsenter", args...).CombinedOutput(); err == nil {
			break
		}
	}
	return string(out), err
}

// wantTimer wants so many connections to a port for which the kernel keeps a keepalive timer.
func (e enclosed) wantTimer(port, want int) {
	e.t.Helper()
	out, err := e.inside("cat", "/proc/net/tcp")
	keepalive := regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: \S+ 0100007F:%04X 01 \S+ 02:`, port))
	if n := len(keepalive.FindAllString(out, -1)); err != nil || n != want {
		e.t.Errorf("%d keepalive timers to port %d, %v:\n%s", n, port, err, out)
	}
}

func (e enclosed) cutOff() {
	e.t.Helper()
	if out, err := e.inside("ip", "link", "set", "lo", "down"); err != nil {
		e.t.Fatal(out, err)
	}
}
