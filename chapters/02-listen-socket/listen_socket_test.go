package listensocket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/encoding/protojson"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
)

// parent is a hot-restart parent that has some sockets to give.
type parent struct {
	startup.HotRestart
	has   map[string]int
	asked []string
}

func (p *parent) DuplicateParentListenSocket(url string) int {
	p.asked = append(p.asked, url)
	if fd, ok := p.has[url]; ok {
		return fd
	}
	return -1
}

// newManager is a listener manager without a server around it.
func newManager(t *testing.T, p *parent) *ListenerManager {
	t.Helper()
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	i := &startup.Instance{Options: &startup.Options{}, Log: log.New(quiet, kernel.Gettid),
		Stats: stats.NewStore(), Dispatcher: eventloop.New(nil, "test"), HotRestart: p,
		InitManager: startup.NewInitManager("test")}
	m := NewListenerManager(i, Wire())
	t.Cleanup(func() {
		m.StopWorkers()
		i.Dispatcher.Close(nil)
		quiet.Close()
	})
	return m
}

// configured reads a listener; the rest of it is the shortest that is one.
func configured(t *testing.T, name, address, more string) *listenerv3.Listener {
	t.Helper()
	c := &listenerv3.Listener{}
	text := fmt.Sprintf(`{"name": %q, "address": %s, "filter_chains": [{}]%s}`, name, address, more)
	if err := protojson.Unmarshal([]byte(text), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func ip(host string, port int, more string) string {
	return fmt.Sprintf(`{"socket_address": {"address": %q, "port_value": %d%s}}`, host, port, more)
}

func pipe(path string) string { return fmt.Sprintf(`{"pipe": {"path": %q}}`, path) }

// add adds a listener and returns it.
func (m *ListenerManager) mustAdd(t *testing.T, c *listenerv3.Listener) *Listener {
	t.Helper()
	if changed, err := m.AddOrUpdate(c, "test", true); err != nil || !changed {
		t.Fatalf("changed %v, error %v", changed, err)
	}
	return m.Active[len(m.Active)-1]
}

func option(t *testing.T, fd, level, name int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(fd, level, name)
	if err != nil {
		t.Errorf("getsockopt(%d, %d, %d): %v", fd, level, name, err)
	}
	return v
}

func TestASocketIsOpenedForItsAddress(t *testing.T) {
	m := newManager(t, &parent{})
	for _, c := range []struct {
		address              string
		domain, v6only, addr int
	}{
		{ip("127.0.0.1", 0, ""), unix.AF_INET, -1, 1},
		{ip("::1", 0, ""), unix.AF_INET6, 1, 1},
		{ip("::", 0, `, "ipv4_compat": false`), unix.AF_INET6, 1, 1},
		{ip("::", 0, `, "ipv4_compat": true`), unix.AF_INET6, 0, 1},
		{pipe(filepath.Join(t.TempDir(), "p")), unix.AF_UNIX, -1, 0},
	} {
		if !speaks(t, c.address) {
			continue
		}
		l := m.mustAdd(t, configured(t, c.address, c.address, ""))
		fd := l.SocketFactory.Socket.Handle.FD
		if got := option(t, fd, unix.SOL_SOCKET, unix.SO_DOMAIN); got != c.domain {
			t.Errorf("%s: domain %d, want %d", c.address, got, c.domain)
		}
		if got := option(t, fd, unix.SOL_SOCKET, unix.SO_REUSEADDR); got != c.addr {
			t.Errorf("%s: SO_REUSEADDR %d, want %d", c.address, got, c.addr)
		}
		if c.v6only >= 0 && option(t, fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY) != c.v6only {
			t.Errorf("%s: IPV6_V6ONLY is not %d", c.address, c.v6only)
		}
		status, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		own, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if status&unix.O_NONBLOCK == 0 || own&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: flags %#x and %#x, want O_NONBLOCK and FD_CLOEXEC", c.address, status, own)
		}
		if option(t, fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN) != 0 {
			t.Errorf("%s: it listens already", c.address)
		}
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

func TestMainOpensTheSocketUnlessEveryWorkerWill(t *testing.T) {
	m := newManager(t, &parent{})
	for _, c := range []struct {
		what, address, more string
		onMain              bool
	}{
		{"shared", ip("127.0.0.1", 1111, ""), "", true},
		{"reuse_port", ip("127.0.0.1", 2222, ""), `, "reuse_port": true`, false},
		{"enable_reuse_port", ip("127.0.0.1", 3333, ""), `, "enable_reuse_port": true`, false},
		{"enable_reuse_port wins", ip("127.0.0.1", 4444, ""),
			`, "reuse_port": true, "enable_reuse_port": false`, true},
		{"reuse_port on port 0", ip("127.0.0.1", 0, ""), `, "reuse_port": true`, true},
		{"reuse_port on a pipe", pipe(filepath.Join(t.TempDir(), "p")), `, "reuse_port": true`, true},
	} {
		l := m.mustAdd(t, configured(t, c.what, c.address, c.more))
		if got := l.SocketFactory.Socket != nil; got != c.onMain {
			t.Errorf("%s: main has a socket: %v, want %v", c.what, got, c.onMain)
		}
	}
}

func TestAParentIsAskedForWhatMainWouldOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	for _, c := range []struct{ what, address, more, want string }{
		{"IP", ip("127.0.0.1", 1111, ""), "", "tcp://127.0.0.1:1111"},
		{"IPv6", ip("::1", 1111, ""), "", "tcp://[::1]:1111"},
		{"pipe", pipe(path), "", "unix://" + path},
		{"reuse_port", ip("127.0.0.1", 0, ""), `, "reuse_port": true`, ""},
		{"not to bind", ip("127.0.0.1", 1111, ""), `, "bind_to_port": false`, ""},
	} {
		if !speaks(t, c.address) {
			continue
		}
		p := &parent{}
		newManager(t, p).mustAdd(t, configured(t, c.what, c.address, c.more))
		if got := strings.Join(p.asked, " "); got != c.want {
			t.Errorf("%s: the parent was asked for %q, want %q", c.what, got, c.want)
		}
	}
}

func TestAnAdoptedSocketIsUsedAsItIs(t *testing.T) {
	theirs, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &parent{has: map[string]int{"tcp://127.0.0.1:1111": theirs}}
	m := newManager(t, p)
	m.Seams.SetupSocket = nil // whoever sets it up again panics
	var called []string
	restore := kernel.SetScript(func(call string, fd, _ int) (int, kernel.Errno, bool) {
		called = append(called, fmt.Sprint(call, " ", fd))
		return 0, 0, false
	})
	defer restore()
	const keepalive = `, "socket_options": [
		{"level": 1, "name": 9, "int_value": 1, "state": "STATE_PREBIND"}]`
	l := m.mustAdd(t, configured(t, "a", ip("127.0.0.1", 1111, ""), keepalive))
	if l.SocketFactory.Socket.Handle.FD != theirs {
		t.Errorf("fd %d, want the parent's %d", l.SocketFactory.Socket.Handle.FD, theirs)
	}
	if want := fmt.Sprint("[setsockopt ", theirs, "]"); fmt.Sprint(called) != want {
		t.Errorf("the kernel was asked for %v, want only the option: %s", called, want)
	}
	if option(t, theirs, unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0 {
		t.Error("the adopted socket did not get our options")
	}
}

func TestASocketThatCannotBeHadLeavesNothingOpen(t *testing.T) {
	const option = `, "socket_options": [{"level": 1, "name": 9, "int_value": 1, "state": "STATE_BOUND"}]`
	for _, c := range []struct {
		call  string
		errno kernel.Errno
	}{{"socket", kernel.EMFILE}, {"setsockopt", kernel.EPERM}} {
		m := newManager(t, &parent{})
		opened, closed := 0, 0
		restore := kernel.SetScript(func(call string, fd, _ int) (int, kernel.Errno, bool) {
			switch {
			case call == c.call:
				return -1, c.errno, true
			case call == "socket":
				opened++
			case call == "close":
				closed++
			}
			return 0, 0, false
		})
		_, err := m.AddOrUpdate(configured(t, "a", ip("127.0.0.1", 0, ""), option), "test", true)
		restore()
		if !errors.Is(err, c.errno) || opened != closed || len(m.Active) != 0 {
			t.Errorf("%s: error %v, %d opened, %d closed, %d listeners", c.call, err, opened,
				closed, len(m.Active))
		}
	}
}

func TestAListenerWithoutANameGetsOne(t *testing.T) {
	m := newManager(t, &parent{})
	first := m.mustAdd(t, configured(t, "", ip("127.0.0.1", 0, ""), ""))
	second := m.mustAdd(t, configured(t, "", ip("127.0.0.1", 0, ""), ""))
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(first.Name) || !uuid.MatchString(second.Name) || first.Name == second.Name {
		t.Errorf("%s and %s, want two different UUIDs", first.Name, second.Name)
	}
}

func TestTwoListenersOfOneAddressMustBothBind(t *testing.T) {
	m := newManager(t, &parent{})
	address := ip("127.0.0.1", 1111, "")
	m.mustAdd(t, configured(t, "a", address, ""))
	_, err := m.AddOrUpdate(configured(t, "b", address, `, "bind_to_port": false`), "test", true)
	if err == nil || !strings.HasPrefix(err.Error(), "error adding listener: 'b' has duplicate address "+
		"'127.0.0.1:1111' as existing listener") {
		t.Errorf("error %v, want the address to be a duplicate", err)
	}
	_, err = m.AddOrUpdate(configured(t, "c", ip("127.0.0.1", 2222, ""),
		`, "deprecated_v1": {"bind_to_port": false}`),
		"test", true)
	if err != nil || m.Active[1].BindToPort {
		t.Errorf("error %v; the old spelling of bind_to_port counts as well", err)
	}
}
