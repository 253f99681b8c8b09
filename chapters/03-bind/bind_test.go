package bind

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/encoding/protojson"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
	"envoywalk/trace"
)

// parent is a hot-restart parent that gives one socket.
type parent struct {
	startup.HotRestart
	fd int
}

func (p *parent) DuplicateParentListenSocket(string) int { return p.fd }

// manager is a listener manager of this chapter without a server around it, and what it did in the
// kernel.
type manager struct {
	*listensocket.ListenerManager
	t        *testing.T
	recorder *trace.Recorder
	spans    *tracetest.SpanRecorder
	lane     *trace.Lane
}

func newManager(t *testing.T) *manager {
	t.Helper()
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	m := &manager{t: t, spans: tracetest.NewSpanRecorder()}
	m.recorder = trace.New(trace.Config{Processors: []sdk.SpanProcessor{m.spans}})
	m.lane = m.recorder.Thread("main", kernel.Gettid(), 0)
	i := &startup.Instance{Options: &startup.Options{}, Log: log.New(quiet, kernel.Gettid),
		Stats: stats.NewStore(), Dispatcher: eventloop.New(m.lane, "test"), HotRestart: &parent{fd: -1},
		InitManager: startup.NewInitManager("test")}
	m.ListenerManager = listensocket.NewListenerManager(i, Wire().Seams)
	t.Cleanup(func() {
		m.calls()
		m.StopWorkers()
		i.Dispatcher.Close(nil)
		quiet.Close()
		runtime.UnlockOSThread()
	})
	return m
}

// calls ends the recording and returns the system calls on sockets and paths, in order, as strace
// spells them but without the fds.
func (m *manager) calls() (all []string) {
	if m.lane == nil {
		return nil
	}
	m.lane.End()
	m.recorder.Close(context.Background())
	m.lane = nil
	m.Instance.Dispatcher.Adopt(nil)
	numbered := regexp.MustCompile(`^\d+<[^>]*>,? ?`)
	for _, s := range m.spans.Ended() {
		a := map[string]string{}
		for _, kv := range s.Attributes() {
			a[string(kv.Key)] = kv.Value.Emit()
		}
		if a["walk.kind"] != "syscall" || strings.Contains(s.Name(), "epoll") ||
			strings.HasPrefix(s.Name(), "event") {
			continue
		}
		line := fmt.Sprintf("%s(%s) = %s", s.Name(), numbered.ReplaceAllString(a["syscall.args"],
			""), a["error.type"])
		all = append(all, strings.TrimSuffix(line, " = "))
	}
	return all
}

func (m *manager) try(name, address, more string) (*listensocket.Listener, error) {
	m.t.Helper()
	c := &listenerv3.Listener{}
	text := fmt.Sprintf(`{"name": %q, "address": %s, "filter_chains": [{}]%s}`, name, address, more)
	if err := protojson.Unmarshal([]byte(text), c); err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.AddOrUpdate(c, "test", true); err != nil {
		return nil, err
	}
	return m.Active[len(m.Active)-1], nil
}

func (m *manager) add(name, address, more string) *listensocket.Listener {
	m.t.Helper()
	l, err := m.try(name, address, more)
	if err != nil {
		m.t.Fatal(err)
	}
	return l
}

func ip(host string, port int, more string) string {
	return fmt.Sprintf(`{"socket_address": {"address": %q, "port_value": %d%s}}`, host, port, more)
}

func pipe(path string, mode int) string {
	return fmt.Sprintf(`{"pipe": {"path": %q, "mode": %d}}`, path, mode)
}

func fdOf(l *listensocket.Listener) int { return l.SocketFactory.Socket.Handle.FD }

func wantCalls(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the calls were\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want,
			"\n  "))
	}
}

func wantOption(t *testing.T, fd int, what string, level, name, want int) {
	t.Helper()
	if got, err := unix.GetsockoptInt(fd, level, name); err != nil || got != want {
		t.Errorf("%s is %d (%v), want %d", what, got, err, want)
	}
}

// speaks tells whether this machine speaks the address's language: not everyone has IPv6.
func speaks(t *testing.T, address string) bool {
	if !strings.Contains(address, "::") {
		return true
	}
	six, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Logf("SKIPPED %s: %v", address, err)
		return false
	}
	six.Close()
	return true
}

const (
	socket4 = "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP)"
	socketU = "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0)"
)

// The literal options are SO_KEEPALIVE before bind, SO_SNDBUF right after, SO_RCVBUF once it
// listens: which is not before chapter 04.
const literals = `, "socket_options": [
	{"level": 1, "name": 8, "int_value": 9000, "state": "STATE_LISTENING"},
	{"level": 1, "name": 7, "int_value": 8000, "state": "STATE_BOUND"},
	{"level": 1, "name": 9, "buf_value": "AQAAAA==", "state": "STATE_PREBIND"}]`

func TestEveryOptionHasItsMoment(t *testing.T) {
	m := newManager(t)
	l := m.add("a", ip("127.0.0.1", 0, ""),
		literals+`, "freebind": true, "reuse_port": true, "tcp_fast_open_queue_length": 5`)
	fd, port := fdOf(l), l.SocketFactory.Address.Port()
	wantOption(t, fd, "SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	wantOption(t, fd, "SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF, 16000) // the kernel doubles it
	wantOption(t, fd, "SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	wantOption(t, fd, "TCP_FASTOPEN", unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 0)
	wantCalls(t, m.calls(), socket4,
		"setsockopt(SOL_SOCKET, SO_REUSEADDR, [1], 4)",
		"setsockopt(SOL_IP, IP_FREEBIND, [1], 4)",
		"setsockopt(SOL_SOCKET, SO_REUSEPORT, [1], 4)",
		`setsockopt(SOL_SOCKET, SO_KEEPALIVE, "\x01\x00\x00\x00", 4)`,
		"bind(127.0.0.1:0)",
		fmt.Sprintf("getsockname(127.0.0.1:%d)", port),
		"setsockopt(SOL_SOCKET, SO_SNDBUF, [8000], 4)")
}

func TestTransparentAndFreebindSpeakTheSocketsLanguage(t *testing.T) {
	for _, c := range []struct {
		address                      string
		level, freebind, transparent int
	}{
		{ip("127.0.0.1", 0, ""), unix.IPPROTO_IP, unix.IP_FREEBIND, unix.IP_TRANSPARENT},
		{ip("::1", 0, ""), unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, unix.IPV6_TRANSPARENT},
	} {
		if !speaks(t, c.address) {
			continue
		}
		m := newManager(t)
		l, err := m.try("a", c.address, `, "transparent": true, "freebind": true`)
		if errors.Is(err, kernel.EPERM) {
			t.Skip("SKIPPED: transparent needs CAP_NET_ADMIN")
		}
		if err != nil {
			t.Fatal(err)
		}
		wantOption(t, fdOf(l), "freebind", c.level, c.freebind, 1)
		wantOption(t, fdOf(l), "transparent", c.level, c.transparent, 1)
		before, after := 0, 0
		bound := false
		for _, call := range m.calls() {
			bound = bound || strings.HasPrefix(call, "bind(")
			switch {
			case !strings.Contains(call, "TRANSPARENT"):
			case bound:
				after++
			default:
				before++
			}
		}
		if before != 1 || after != 1 {
			t.Errorf("transparent is set %d times before bind and %d after, want once each", before,
				after)
		}
	}
}

func TestFreebindBindsAnAddressThatIsNotOurs(t *testing.T) {
	m := newManager(t)
	for _, address := range []string{ip("192.0.2.1", 0, ""), ip("2001:db8::1", 0, "")} {
		if !speaks(t, address) {
			continue
		}
		if _, err := m.try("strange", address, ""); !errors.Is(err, kernel.EADDRNOTAVAIL) {
			t.Errorf("%s: error %v, want EADDRNOTAVAIL", address, err)
		}
		if l := m.add("bold"+address, address,
			`, "freebind": true`); l.SocketFactory.Address.Port() == 0 {
			t.Errorf("%s is bound to no port", address)
		}
	}
}

func TestOnlyADualStackSocketTakesTheIPv4PortToo(t *testing.T) {
	if !speaks(t, "::") {
		t.Skip("SKIPPED: no IPv6")
	}
	for compat, want := range map[bool]error{true: unix.EADDRINUSE, false: nil} {
		l := newManager(t).add("six", ip("::", 0, fmt.Sprintf(`, "ipv4_compat": %v`, compat)), "")
		four, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC,
			0) // without SO_REUSEADDR
		if err != nil {
			t.Fatal(err)
		}
		err = unix.Bind(four, &unix.SockaddrInet4{Port: int(l.SocketFactory.Address.Port())})
		unix.Close(four)
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("ipv4_compat %v: the same port of IPv4 can be bound: %v, want %v", compat, err, want)
		}
	}
}

func TestAPortOfZeroBecomesAPort(t *testing.T) {
	m := newManager(t)
	for _, c := range []struct{ address, more string }{
		{ip("127.0.0.1", 0, ""), ""}, {ip("::1", 0, ""), ""}, {ip("127.0.0.1", 0, ""),
			`, "reuse_port": true`}} {
		if !speaks(t, c.address) {
			continue
		}
		l := m.add("a"+c.address+c.more, c.address, c.more)
		name, err := unix.Getsockname(fdOf(l))
		if err != nil {
			t.Fatal(err)
		}
		port := 0
		switch a := name.(type) {
		case *unix.SockaddrInet4:
			port = a.Port
		case *unix.SockaddrInet6:
			port = a.Port
		}
		if got := int(l.SocketFactory.Address.Port()); got != port || got == 0 {
			t.Errorf("%s: port %d, and the kernel says %d", c.address, got, port)
		}
		if l.Address.Port() != 0 {
			t.Errorf("%s: the configured port is %d, want it to stay 0", c.address, l.Address.Port())
		}
	}
}

func TestAListenerThatDoesNotBindGetsItsOptionsAllTheSame(t *testing.T) {
	m := newManager(t)
	m.add("a", ip("127.0.0.1", 1111, ""), literals+`, "bind_to_port": false`)
	wantCalls(t, m.calls(), socket4,
		"setsockopt(SOL_SOCKET, SO_REUSEADDR, [1], 4)",
		`setsockopt(SOL_SOCKET, SO_KEEPALIVE, "\x01\x00\x00\x00", 4)`,
		"setsockopt(SOL_SOCKET, SO_SNDBUF, [8000], 4)")
}

func TestAPipeHasItsModeBeforeAnybodyCanConnect(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	m := newManager(t)
	m.add("a", pipe(path, 0o640), literals)
	if info, err := os.Stat(path); err != nil || info.Mode() != os.ModeSocket|0o640 {
		t.Errorf("%v, %v, want a socket of mode 0640", info, err)
	}
	if c, err := net.Dial("unix", path); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("%v, %v: nobody listens yet, so nobody may get in", c, err)
	}
	wantCalls(t, m.calls(), socketU, socketU, "connect("+path+") = ENOENT", "close()",
		"bind("+path+")", fmt.Sprintf("fchmodat(AT_FDCWD, %q, 0640)", path))
}

func TestAPipeThatADeadProcessLeftIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	m := newManager(t)
	if _, err := m.try("live", pipe(path, 0), ""); !errors.Is(err, kernel.EADDRINUSE) {
		t.Errorf("error %v over a live socket, want EADDRINUSE", err)
	}
	dead.Close()
	m.add("dead", pipe(path, 0), "")
	if got := strings.Join(m.calls(), " "); strings.Count(got, "unlinkat(") != 1 {
		t.Errorf("want one unlink, of the dead one: %s", got)
	}
}

func TestAnAbstractPipeIsNoFile(t *testing.T) {
	name := fmt.Sprintf("@envoywalk-test-%d", os.Getpid())
	m := newManager(t)
	l := m.add("a", pipe(name, 0), "")
	bound, err := unix.Getsockname(fdOf(l))
	if err != nil || bound.(*unix.SockaddrUnix).Name != name {
		t.Errorf("bound to %v, %v, want exactly %s: no NUL at its end", bound, err, name)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
	wantCalls(t, m.calls(), socketU, "bind("+name+")")
	if _, err := newManager(t).try("b", pipe(name, 0), ""); !errors.Is(err, kernel.EADDRINUSE) {
		t.Errorf("error %v, want EADDRINUSE", err)
	}
}

func TestAnAdoptedSocketIsNotBoundAgain(t *testing.T) {
	theirs, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(theirs, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		t.Fatal(err)
	}
	name, _ := unix.Getsockname(theirs)
	port := name.(*unix.SockaddrInet4).Port
	m := newManager(t)
	m.Instance.HotRestart = &parent{fd: theirs}
	l := m.add("a", ip("127.0.0.1", port, ""), literals)
	if fdOf(l) != theirs || int(l.SocketFactory.Address.Port()) != port {
		t.Errorf("fd %d and port %d, want the parent's %d and %d", fdOf(l),
			l.SocketFactory.Address.Port(), theirs, port)
	}
	wantCalls(t, m.calls(), `setsockopt(SOL_SOCKET, SO_KEEPALIVE, "\x01\x00\x00\x00", 4)`,
		"setsockopt(SOL_SOCKET, SO_SNDBUF, [8000], 4)")
}

func TestARefusedBindLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	m := newManager(t)
	_, err = m.try("a", ip("127.0.0.1", taken.Addr().(*net.TCPAddr).Port, ""), "")
	var refused *SocketBindError
	if !errors.Is(err, kernel.EADDRINUSE) || !errors.As(err, &refused) {
		t.Errorf("error %v, want a SocketBindError that keeps EADDRINUSE", err)
	}
	calls := m.calls()
	if len(m.Active) != 0 || calls[len(calls)-1] != "close()" {
		t.Errorf("%d listeners after %v, want none, and the socket closed", len(m.Active), calls)
	}
}
