package faults

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
	"envoywalk/internal/walktest/load"
)

// Row 8.
func TestARefusingUpstreamIsPassedOverAndWithoutAnyOtherTheClientSeesAClose(t *testing.T) {
	t.Parallel()
	u := listen(t)
	dead := []string{nobody(t), nobody(t), nobody(t)}
	p := start(t, nil,
		route{name: "some", proxy: "max_connect_attempts: 3", hosts: []string{dead[0], u.address(), dead[1]}},
		route{name: "none", proxy: "max_connect_attempts: 3", hosts: dead},
		route{name: "once", hosts: dead[:1]})
	const clients = 9
	for n := range clients {
		client := p.dial("some")
		request := load.NewStream(uint64(n), load.Up)
		write(client, request, 0, 1000) // before there is an upstream
		client.CloseWrite()
		server := u.accept()
		if err := receive(server, request, 1000, 0); err != nil {
			t.Errorf("client %d: %v", n, err)
		}
		server.Close()
		ends(t, client)
		if n == 0 {
			p.gathers()
		}
	}
	for _, name := range []string{"none", "once"} {
		client := p.dial(name)
		io.WriteString(client, "this is read by nobody")
		ends(t, client)
		if line := p.logged(name, 1)[0]; !strings.HasPrefix(line, "UF,URX 0 0 127.0.0.1:") {
			t.Errorf("%s is logged", line)
		}
	}
	s := p.stats()
	for name, want := range map[string]int{"cluster.some.upstream_cx_connect_attempts_exceeded": 0,
		"cluster.none.upstream_cx_connect_fail": 3, "cluster.none.upstream_cx_connect_attempts_exceeded": 1,
		"cluster.once.upstream_cx_connect_fail": 1, "cluster.once.upstream_cx_connect_attempts_exceeded": 1,
		"tcp.none.downstream_cx_rx_bytes_total": 0, "tcp.once.downstream_cx_rx_bytes_total": 0} {
		if s[name] != want {
			t.Errorf("%s is %d, and %d was expected", name, s[name], want)
		}
	}
	t.Logf("%d clients were served after %d refusals", clients, s["cluster.some.upstream_cx_connect_fail"])
	if s["cluster.some.upstream_cx_connect_fail"] < clients/3 {
		t.Error("the dead hosts were hardly asked")
	}
	p.heals(`connect (EINPROGRESS|ECONNREFUSED) C\d+>some`, `TcpProxy::Filter::initializeUpstreamConnection`)
}

// Row 9.
func TestABlackHoleIsGivenUpAtTheConnectTimeoutAndItsSocketIsGone(t *testing.T) {
	t.Parallel()
	const timeout, tries = 250 * time.Millisecond, 3 // as many as are traced
	hole := blackHole(t)
	p := start(t, nil, route{name: "r", hosts: []string{hole}, cluster: "connect_timeout: 0.25s"},
		route{name: "long", hosts: []string{hole}, cluster: "connect_timeout: 2s"})
	for range tries {
		ends(t, p.dial("r"))
	}
	client := p.dial("long")
	p.gathers()
	p.eventually(func() bool { return halfOpen(t, hole) == 1 }, func() string { return "nobody is seen to connect" })
	p.wantNoSpin()
	ends(t, client)
	p.eventually(func() bool { return halfOpen(t, hole) == 0 }, func() string { return "a socket is half open" })
	s := p.stats()
	if a, b := s["cluster.r.upstream_cx_connect_timeout"], s["cluster.r.upstream_cx_connect_fail"]; a != tries || b != tries {
		t.Errorf("%d timeouts and %d failures of %d attempts", a, b, tries)
	}
	for _, line := range p.logged("r", tries) {
		if !strings.HasPrefix(line, "UF,URX 0 0 "+hole) {
			t.Errorf("%s is logged", line)
		}
	}
	spans := p.heals("timer connect timeout", `connect EINPROGRESS C\d+>r`, `close C\d+>r`)
	begun, fired := find(spans, `connect EINPROGRESS C\d+>r`), find(spans, "timer connect timeout")
	fired = fired[:min(len(fired), tries)] // the others are of the longer timeout
	if len(begun) != tries || len(fired) != tries {
		t.Fatalf("%d attempts and %d timers are in the trace, and not %d", len(begun), len(fired), tries)
	}
	least := time.Hour
	for n := range tries {
		took := fired[n].begin.Sub(begun[n].end)
		onTime(t, "connect to timer", took, timeout)
		least = min(least, took)
	}
	t.Logf("the timer of 250 ms fired after %v at the earliest", least)
	if least > timeout+50*time.Millisecond { // 1 ms, unless the machine is very busy
		t.Errorf("of %d timers of %v the earliest fired after %v", tries, timeout, least)
	}
}

// halfOpen counts the sockets of this machine that wait for an answer from there. It asks the kernel by
// sock_diag(7): /proc/net/tcp takes seconds where thousands of connections have ended lately.
func halfOpen(t *testing.T, address string) (n int) {
	t.Helper()
	_, text, _ := net.SplitHostPort(address)
	port, _ := strconv.Atoi(text)
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const byFamily, synSent, requestSize = 20, 1 << 2, 16 + 56
	request := make([]byte, requestSize)
	binary.NativeEndian.PutUint32(request[0:], requestSize)
	binary.NativeEndian.PutUint16(request[4:], byFamily)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request[16], request[17] = unix.AF_INET, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(request[20:], synSent)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		t.Fatal(err)
	}
	for answer := make([]byte, 64<<10); ; {
		size, _, err := unix.Recvfrom(fd, answer, 0)
		if err != nil {
			t.Fatal(err)
		}
		for m := answer[:size]; len(m) >= 16; {
			length, kind := binary.NativeEndian.Uint32(m), binary.NativeEndian.Uint16(m[4:])
			if kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
				return n
			}
			if binary.BigEndian.Uint16(m[22:]) == uint16(port) { // the other end's, behind 16 + 4 + 2 bytes
				n++
			}
			m = m[min(int(length+3)&^3, len(m)):]
		}
	}
}

// Row 10.
func TestWhatAnUpstreamSentBeforeItsResetIsDelivered(t *testing.T) {
	t.Parallel()
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()}})
	sizes := []int{1000, 1000, 16 << 10, 16 << 10, 0, 32 << 10, 1, 1, 20000, 30000, 10, 30000}
	for n, size := range sizes {
		client := p.dial("r")
		server := u.accept()
		// A reset that comes before the proxy has seen the connect succeed is a connect that failed.
		p.becomes("cluster.r.upstream_rq_total", n+1)
		answer := load.NewStream(uint64(n), load.Down)
		if n%2 == 1 {
			go io.WriteString(client, "this meets the reset, or waits in the upstream's kernel")
		}
		write(server, answer, 0, size)
		delivered(t, server)
		reset(server)
		if n == 0 {
			p.gathers()
		}
		if err := receive(client, answer, size, 0); err != nil {
			t.Errorf("of an answer of %d bytes %v", size, err)
		}
		client.Close()
	}
	p.becomes("cluster.r.upstream_cx_destroy_remote_with_active_rq", len(sizes))
	p.heals(`readv ECONNRESET C\d+>r`, `shutdown C\d+`)
}

// upstreamVariable makes the test binary an upstream in a process of its own: it sends as much as it can.
const upstreamVariable = "FAULTS_BE_UPSTREAM"

func beUpstream() {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("at %s\n", l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			var number [1]byte
			io.ReadFull(c, number[:])
			write(c.(*net.TCPConn), load.NewStream(uint64(number[0]), load.Down), 0, 1<<40)
		}()
	}
}

// Row 11.
func TestWhatAKilledUpstreamSentIsDeliveredAndThenComesTheEnd(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), upstreamVariable+"=1")
	u := walktest.StartCommand(t, cmd)
	p := start(t, nil, route{name: "r", hosts: []string{u.WaitFor(`at (\S+)`)[1]}})
	const clients = 8
	var receiving sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for n := range clients {
		client := p.dial("r")
		client.Write([]byte{byte(n)})
		if n == 0 {
			p.gathers()
		}
		receiving.Go(func() {
			defer client.Close()
			got, err := readAll(client, load.NewStream(uint64(n), load.Down), n)
			if err != nil {
				t.Errorf("client %d, after %d bytes: %v", n, got, err)
			}
			mu.Lock()
			defer mu.Unlock()
			total += got
		})
	}
	p.eventually(func() bool { return p.stats()["tcp.r.downstream_cx_tx_bytes_total"] > 16*mib },
		func() string { return "hardly anything comes" })
	u.Cmd.Process.Signal(syscall.SIGKILL)
	receiving.Wait()
	p.becomes("cluster.r.upstream_cx_active", 0)
	s := p.stats()
	if read := s["cluster.r.upstream_cx_rx_bytes_total"]; read != total || s["tcp.r.bytes_discarded"] != 0 {
		t.Errorf("%d bytes were read from the upstream, and %d came; %d were discarded", read, total,
			s["tcp.r.bytes_discarded"])
	}
	if n := s["cluster.r.upstream_cx_destroy"]; n != clients {
		t.Errorf("%d connections ended, and %d were expected", n, clients)
	}
	t.Logf("%d clients got all %d bytes", clients, total)
	p.heals(`shutdown C\d+`)
}

// readAll reads to the end; the slower, the higher the number.
func readAll(c *net.TCPConn, s load.Stream, slow int) (got int, err error) {
	p := make([]byte, 64<<10)
	for {
		time.Sleep(time.Duration(slow) * 100 * time.Microsecond)
		n, err := c.Read(p)
		if right := s.Match(p[:n], uint64(got)); right < n {
			return got, fmt.Errorf("the byte at %d is wrong", got+right)
		}
		got += n
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}

// privateHosts are a command that gives the one behind it an /etc/hosts and a resolv.conf of its own, and the
// path of that /etc/hosts. No name server is there, so a name that is not in the file has no address.
func privateHosts(t *testing.T) (wrap []string, path string) {
	t.Helper()
	dir := t.TempDir()
	path, resolv := filepath.Join(dir, "hosts"), filepath.Join(dir, "resolv")
	os.WriteFile(path, []byte("127.0.0.1 localhost\n"), 0o644)
	os.WriteFile(resolv, []byte("nameserver 127.255.255.254\noptions timeout:1 attempts:1\n"), 0o644)
	for _, flags := range [...]string{"-m", "-rm"} {
		wrap = []string{"unshare", flags, "--", "sh", "-c", `mount --bind "$0" /etc/hosts && mount --bind "$1" ` +
			`/etc/resolv.conf && shift && exec "$@"`, path, resolv}
		if exec.Command(wrap[0], append(wrap[1:], "true")...).Run() == nil {
			return wrap, path
		}
	}
	fmt.Fprintf(os.Stderr, "faults: NOT TRIED, %s: a mount namespace is not permitted here\n", t.Name())
	t.Skip("a mount namespace is not permitted here")
	return nil, ""
}

// knock connects a thousand times a second, as far as the machine can, and waits for each end.
func (p *proxy) knock(until time.Time, routes ...string) int {
	const knocking, rate = 8, 1000
	var all atomic.Int64
	var running sync.WaitGroup
	began := time.Now()
	for range knocking {
		running.Go(func() {
			for time.Now().Before(until) {
				n := all.Add(1)
				time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / rate)))
				c, err := net.Dial("tcp", p.at[routes[int(n)%len(routes)]])
				if err != nil {
					p.t.Error(err)
					return
				}
				c.SetDeadline(time.Now().Add(walktest.Patience))
				ends(p.t, c.(*net.TCPConn))
				c.Close()
			}
		})
	}
	running.Wait()
	return int(all.Load())
}

// Row 13. The soak's is a minute long.
func TestWithoutAnyHostAThousandConnectionsASecondAreClosedAtOnceUntilOneReturns(t *testing.T) {
	t.Parallel()
	span, flags := 2*time.Second, []string{"--concurrency", "1"}
	if os.Getenv("ENVOYWALK_SOAK") != "" { // the trace of a minute would be gigabytes
		span, flags = time.Minute, append(flags, "--trace", "none")
	}
	wrap, hosts := privateHosts(t)
	up := echo(t)
	_, port, _ := net.SplitHostPort(up)
	p := startWith(t, wrap, flags, route{name: "empty"},
		route{name: "r", cluster: "type: STRICT_DNS, dns_lookup_family: V4_ONLY, dns_refresh_rate: 0.2s",
			hosts: []string{net.JoinHostPort("returns.test", port)}})
	for _, name := range []string{"empty", "r"} { // these are traced
		client := p.dial(name)
		ends(t, client)
		if line := p.logged(name, 1)[0]; line != "UH 0 0 -" {
			t.Errorf("%s is logged", line)
		}
	}
	p.gathers()
	began := time.Now()
	n := p.knock(began.Add(span), "empty", "r")
	rate := float64(n) / time.Since(began).Seconds()
	s := p.stats()
	if a, b := s["cluster.empty.upstream_cx_none_healthy"], s["cluster.r.upstream_cx_none_healthy"]; a+b != n+2 {
		t.Errorf("%d and %d of %d connections found no host", a, b, n+2)
	}
	p.wantNoSpin()
	fds := len(p.descriptors())
	if most := p.fds + crowdSize*2 + 2; fds > most {
		t.Errorf("%d fds are open, and %d were expected", fds, most)
	}
	os.WriteFile(hosts, []byte("127.0.0.1 localhost returns.test\n"), 0o644)
	began = time.Now()
	p.eventually(func() bool { return p.says("r", "back") == "back" }, func() string { return "nobody is served" })
	t.Logf("%d connections without a host, %.0f a second; served %v after the host was back", n+2, rate,
		time.Since(began).Round(time.Millisecond))
	p.heals("TcpProxy::Filter::initializeUpstreamConnection")
}

// says sends a word on a connection of its own, and returns what comes back.
func (p *proxy) says(route, word string) string {
	p.t.Helper()
	c := p.dial(route)
	defer c.Close()
	io.WriteString(c, word)
	c.CloseWrite()
	back, _ := io.ReadAll(c)
	return string(back)
}

// Row 15. The only fd that is left goes to the accepted socket.
func TestWithoutAnFdForTheUpstreamTheClientIsToldAndOthersAreFine(t *testing.T) {
	t.Parallel()
	p := start(t, nil, route{name: "r", hosts: []string{echo(t)}})
	p.gathers()
	talk := func() string { return p.says("r", "hello") }
	if word := talk(); word != "hello" {
		t.Fatalf("%q came", word)
	}
	p.eventually(func() bool { return len(p.descriptors()) == p.fds+2*crowdSize }, func() string { return "fds are left" })
	const clients = 5
	lift := p.fewestFds(1)
	for range clients {
		if word := talk(); word != "" {
			t.Errorf("%q came, and there was no fd", word)
		}
		p.eventually(func() bool { return len(p.descriptors()) == p.fds+2*crowdSize },
			func() string {
				return fmt.Sprintf("%d fds, and there were %d", len(p.descriptors()), p.fds+2*crowdSize)
			})
	}
	p.wantNoSpin()
	lift()
	if word := talk(); word != "hello" {
		t.Errorf("%q came when there were fds again", word)
	}
	for n, line := range p.logged("r", 1+clients) {
		if n > 0 && !strings.HasPrefix(line, "URX 0 0 ") { // our own trouble: no UF
			t.Errorf("%s is logged", line)
		}
	}
	s := p.stats()
	if n := s["cluster.r.upstream_cx_connect_fail"]; n != clients {
		t.Errorf("%d failures to connect are counted, and not %d", n, clients)
	}
	if n := s["cluster.r.upstream_cx_total"]; n != 2 {
		t.Errorf("%d upstream connections, and 2 were expected", n)
	}
	if n := strings.Count(p.Stderr.String(), "Too many open files"); n == 0 {
		t.Errorf("the log says nothing of it:\n%s", p.Stderr)
	}
	p.heals(`socket EMFILE`)
}

// fewestFds leaves the proxy so many fds for anything new, and returns what gives it back its limit.
func (p *proxy) fewestFds(left int) (lift func()) {
	p.t.Helper()
	open, limit := p.descriptors(), 0
	for ; left > 0 || open[limit]; limit++ {
		if !open[limit] {
			left--
		}
	}
	var old unix.Rlimit
	if err := unix.Prlimit(p.pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		p.t.Fatal(err)
	}
	set := func(l unix.Rlimit) {
		if err := unix.Prlimit(p.pid, unix.RLIMIT_NOFILE, &l, nil); err != nil {
			p.t.Fatal(err)
		}
	}
	set(unix.Rlimit{Cur: uint64(limit), Max: old.Max})
	return func() { set(old) }
}
