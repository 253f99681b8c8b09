package upstream

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/kernel"
)

func echo(c net.Conn) {
	io.Copy(c, c)
	c.Close()
}

func TestAConnectionReachesItsHostAndCarriesBytesBothWays(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(), "")).initialized()
	s := l.ask(0, "echo")
	if h := next(t, "a connection", s.ready); h.Address().String() != upstream.String() {
		t.Errorf("it is a connection to %s", h.Address())
	}
	s.write("hello", false)
	if got := next(t, "the echo", s.received); got != "hello" {
		t.Errorf("the echo is %q", got)
	}
	s.write("", true)
	if got := next(t, "the end", s.received); got != "." {
		t.Errorf("after our end comes %q", got)
	}
	if e := next(t, "the close", s.ended); e != connection.RemoteClose {
		t.Errorf("it ended with %d", e)
	}
	l.expect("echo.upstream_cx_total", "1", "echo.upstream_cx_active", "0", "echo.upstream_rq_total", "1",
		"echo.upstream_rq_active", "0", "echo.upstream_cx_rx_bytes_total", "5",
		"echo.upstream_cx_tx_bytes_total", "5", "echo.upstream_cx_rx_bytes_buffered", "0",
		"echo.upstream_cx_destroy", "1", "echo.upstream_cx_destroy_remote_with_active_rq", "1",
		"echo.upstream_rq_pending_total", "1", "echo.upstream_rq_pending_active", "0")
}

func TestTheKernelSeesNoDelayAndTheClustersOptions(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(), ", upstream_connection_options: {tcp_keepalive: "+
		"{keepalive_probes: 3, keepalive_time: 77, keepalive_interval: 9}}, upstream_bind_config: {source_address: "+
		"{address: 127.0.0.2, port_value: 0}, socket_options: [{level: 1, name: 12, int_value: 2}]}")).initialized()
	s := l.ask(0, "echo").connected()
	c := s.upstream.Connection
	for what, o := range map[string][3]int{"TCP_NODELAY": {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		"SO_KEEPALIVE":  {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		"TCP_KEEPCNT":   {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
		"TCP_KEEPIDLE":  {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 77},
		"TCP_KEEPINTVL": {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 9},
		"SO_PRIORITY":   {unix.SOL_SOCKET, unix.SO_PRIORITY, 2}, "no port at bind": {unix.IPPROTO_IP, 24, 1}} {
		if got, err := unix.GetsockoptInt(c.Socket.FD, o[0], o[1]); err != nil || got != o[2] {
			t.Errorf("%s is %d (%v), want %d", what, got, err, o[2])
		}
	}
	local, errno := kernel.Getsockname(nil, c.Socket.FD)
	if errno != 0 || local.String() != c.Socket.Local.String() || local.AddrPort().Addr().String() != "127.0.0.2" {
		t.Errorf("our end is %s, the connection says %s", local, c.Socket.Local)
	}
}

func TestAUnixSocketMayBeAHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for c, err := ln.Accept(); err == nil; c, err = ln.Accept() {
			go echo(c)
		}
	}()
	l := newLab(t, 1, nil, fmt.Sprintf("  - {name: u, load_assignment: {cluster_name: u, endpoints: [{lb_endpoints: "+
		"[{endpoint: {address: {pipe: {path: '%s'}}}}]}]}}\n", path)).initialized()
	s := l.ask(0, "u").connected()
	s.write("x", false)
	if got := next(t, "the echo", s.received); got != "x" {
		t.Errorf("the echo is %q", got)
	}
	s.close()
	os.Remove(path)
	ln.Close()
	l.ask(0, "u").fails(RemoteConnectionFailure) // nobody is there: connect says so at once
}

func TestARefusedConnectIsTheHostsFailure(t *testing.T) {
	dead, _ := net.Listen("tcp", "127.0.0.1:0")
	port := uint16(dead.Addr().(*net.TCPAddr).Port)
	dead.Close()
	l := newLab(t, 1, nil, static("dead", port, "")).initialized()
	s := l.ask(0, "dead")
	s.fails(RemoteConnectionFailure)
	if s.host == nil || s.host.Stats.CxConnectFail.Value() != 1 {
		t.Error("the host is not blamed")
	}
	l.expect("dead.upstream_cx_connect_fail", "1", "dead.upstream_cx_active", "0", "dead.upstream_cx_destroy_remote",
		"1", "dead.upstream_rq_pending_failure_eject", "1", "dead.upstream_rq_pending_active", "0")
}

// blackHole is a port whose queue is full: the kernel drops every further SYN.
func blackHole(t *testing.T) uint16 {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	unix.Listen(fd, 0)
	a, _ := unix.Getsockname(fd)
	address := a.(*unix.SockaddrInet4)
	for range 4 {
		c, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		unix.Connect(c, address)
		t.Cleanup(func() { unix.Close(c) })
	}
	return uint16(address.Port)
}

func TestABlackHoleEndsAtConnectTimeout(t *testing.T) {
	port := blackHole(t)
	l := newLab(t, 1, nil, static("hole", port, ", connect_timeout: 0.25s")).initialized()
	before, began := openFiles(t), time.Now()
	s := l.ask(0, "hole")
	s.fails(Timeout)
	if took := time.Since(began); took < 250*time.Millisecond || took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	l.expect("hole.upstream_cx_connect_timeout", "1", "hole.upstream_cx_connect_fail", "1",
		"hole.upstream_cx_destroy_local", "1", "hole.upstream_cx_active", "0")
	if s.host.Stats.CxConnectFail.Value() != 1 {
		t.Error("the host is not blamed")
	}
	l.eventually("the fd is closed", func() bool { return openFiles(t) <= before })
}

func TestAnUpstreamThatResetsEndsWithRemoteClose(t *testing.T) {
	upstream := listen(t, func(c net.Conn) {
		c.Write([]byte("bye"))
		one := make([]byte, 1)
		c.Read(one)
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
	l := newLab(t, 1, nil, static("rst", upstream.Port(), "")).initialized()
	s := l.ask(0, "rst").connected()
	if got := next(t, "the data before the reset", s.received); got != "bye" {
		t.Errorf("%q", got)
	}
	s.write("x", false)
	if e := next(t, "the reset", s.ended); e != connection.RemoteClose {
		t.Errorf("it ended with %d", e)
	}
	l.expect("rst.upstream_cx_destroy_remote", "1", "rst.upstream_cx_destroy_with_active_rq", "1",
		"rst.upstream_cx_connect_fail", "0")
}

// A source address that is the host's own makes certain what otherwise happens by chance.
func TestASocketConnectedToItselfIsARefusedOne(t *testing.T) {
	free, _ := net.Listen("tcp", "127.0.0.1:0")
	port := uint16(free.Addr().(*net.TCPAddr).Port)
	free.Close()
	l := newLab(t, 1, nil, static("self", port, fmt.Sprintf(", upstream_bind_config: {source_address: "+
		"{address: 127.0.0.1, port_value: %d}}", port))).initialized()
	before := openFiles(t)
	l.ask(0, "self").fails(RemoteConnectionFailure)
	l.expect("self.upstream_cx_connect_fail", "1", "self.upstream_cx_active", "0", "self.bind_errors", "0")
	l.eventually("the fd is closed", func() bool { return openFiles(t) <= before })
}

func TestWithoutASocketTheFailureIsOursAndToldAtOnce(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(), "")).initialized()
	for _, errno := range []kernel.Errno{kernel.EMFILE, kernel.ENFILE, kernel.ENOBUFS} {
		before := openFiles(t)
		restore := kernel.SetScript(func(c string, _, _ int) (int, kernel.Errno, bool) {
			return -1, errno, c == "socket"
		})
		s := l.ask(0, "echo")
		restore()
		if s.pending != nil {
			t.Error(errno, ": the caller could still cancel")
		}
		s.fails(LocalConnectionFailure)
		if s.host.Stats.CxConnectFail.Value() != 0 {
			t.Error(errno, ": the host is blamed")
		}
		if after := openFiles(t); after > before {
			t.Errorf("%v: %d fds, before %d", errno, after, before)
		}
	}
	l.expect("echo.upstream_cx_connect_fail", "3", "echo.upstream_cx_total", "0",
		"echo.upstream_rq_pending_active", "0")
	l.ask(0, "echo").connected() // and the next one works
}

func TestASocketThatEpollRefusesFailsInTheNextTurn(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(), "")).initialized()
	before := openFiles(t)
	restore := kernel.SetScript(func(c string, _, _ int) (int, kernel.Errno, bool) {
		return -1, kernel.ENOMEM, c == "epoll_ctl"
	})
	s := l.ask(0, "echo")
	s.fails(LocalConnectionFailure)
	restore()
	l.expect("echo.upstream_cx_connect_fail", "1", "echo.upstream_cx_active", "0")
	l.eventually("the fd is closed", func() bool { return openFiles(t) <= before })
}

func TestASourceAddressThatIsNotOursIsABindError(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(),
		", upstream_bind_config: {source_address: {address: 192.0.2.1, port_value: 0}}")).initialized()
	before := openFiles(t)
	s := l.ask(0, "echo")
	s.fails(LocalConnectionFailure)
	l.expect("echo.bind_errors", "1", "echo.upstream_cx_connect_fail", "1", "echo.upstream_cx_destroy_local", "1")
	if s.host.Stats.CxConnectFail.Value() != 0 {
		t.Error("the host is blamed for our address")
	}
	l.eventually("the fd is closed", func() bool { return openFiles(t) <= before })
}

func TestWhenNoPortIsLeftTheHostIsNotBlamed(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(), "")).initialized()
	script(t, "connect", kernel.EADDRNOTAVAIL)
	s := l.ask(0, "echo")
	s.fails(LocalConnectionFailure)
	l.expect("echo.bind_errors", "1")
	if s.host.Stats.CxConnectFail.Value() != 0 {
		t.Error("the host is blamed for our ports")
	}
}

func TestAnOptionThatTheKernelRefusesIsALocalFailure(t *testing.T) {
	upstream := listen(t, echo)
	l := newLab(t, 1, nil, static("echo", upstream.Port(),
		", upstream_bind_config: {source_address: {address: 127.0.0.1, port_value: 0}, "+
			"socket_options: [{level: 1, name: 9999, int_value: 1}]}")).initialized()
	l.ask(0, "echo").fails(LocalConnectionFailure)
	l.expect("echo.bind_errors", "0", "echo.upstream_cx_connect_fail", "1")
}
