package upstream

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// nameServer is a DNS server on a real UDP socket: it knows a few names, and may know better later.
type nameServer struct {
	mu    sync.Mutex
	names map[string][]string // without a name: NXDOMAIN; "": no answer at all
	asked map[string]int
	conn  net.PacketConn
}

func newNameServer(t *testing.T) (*nameServer, *net.Resolver) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{names: map[string][]string{}, asked: map[string]int{}, conn: conn}
	t.Cleanup(func() { conn.Close() })
	go s.serve()
	return s, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// knows says what a name's addresses are from now on; none: there is no such name.
func (s *nameServer) knows(name string, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, name)
	if len(addresses) > 0 {
		s.names[name] = addresses
	}
}

func (s *nameServer) serve() {
	question := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFrom(question)
		if err != nil {
			return
		}
		if answer := s.answer(question[:n]); answer != nil {
			s.conn.WriteTo(answer, from)
		}
	}
}

// answer is RFC 1035 by hand: the header, the question as it came, a record for each address.
func (s *nameServer) answer(q []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var labels []string
	at := 12
	for q[at] != 0 {
		labels = append(labels, string(q[at+1:at+1+int(q[at])]))
		at += 1 + int(q[at])
	}
	name, kind := strings.Join(labels, "."), binary.BigEndian.Uint16(q[at+1:])
	s.asked[name]++
	addresses, known := s.names[name]
	if known && addresses[0] == "" {
		return nil
	}
	a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:at+5]...)
	if !known {
		a[3] |= 3
	}
	for _, text := range addresses {
		ip := netip.MustParseAddr(text)
		if ip.Is4() == (kind == 1) && (kind == 1 || kind == 28) {
			a[7]++
			a = append(a, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 60, 0, byte(len(ip.AsSlice())))
			a = append(a, ip.AsSlice()...)
		}
	}
	return a
}

func dns(kind, name string, port uint16, more string) string {
	return fmt.Sprintf("  - {name: c, type: %s, dns_refresh_rate: 0.01s, load_assignment: {cluster_name: c, "+
		"endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %d}}}}]}]}%s}\n",
		kind, name, port, more)
}

// addresses are the hosts of cluster c as worker 0 has them.
func (l *lab) addresses() (all []string) {
	w := l.workers[0]
	w.do(func() {
		if c := l.m.Get(w.Dispatcher, "c"); c != nil {
			for _, h := range c.Hosts() {
				all = append(all, h.Address().String())
			}
		}
	})
	return all
}

func (l *lab) hasHosts(want ...string) {
	l.t.Helper()
	l.eventually(fmt.Sprint("the worker has hosts ", want), func() bool {
		return fmt.Sprint(l.addresses()) == fmt.Sprint(want)
	})
}

func TestStrictDNSHasAHostForEachAddressAndFollowsChanges(t *testing.T) {
	server, resolver := newNameServer(t)
	server.knows("web.test", "10.0.0.1", "10.0.0.2")
	l := newLab(t, 1, resolver, dns("STRICT_DNS", "web.test", 80, "")).initialized()
	l.hasHosts("10.0.0.1:80", "10.0.0.2:80")
	var first *Host
	l.main.do(func() { first = l.m.clusters[0].hosts[0] })
	server.knows("web.test", "10.0.0.1", "10.0.0.3")
	l.hasHosts("10.0.0.1:80", "10.0.0.3:80")
	l.expect("c.membership_total", "2", "c.membership_healthy", "2", "c.membership_change", "2")
	l.main.do(func() {
		if l.m.clusters[0].hosts[0] != first {
			t.Error("a host that stayed was made anew")
		}
	})
	if l.stat("c.update_no_rebuild") == "0" {
		l.eventually("the same answer changes nothing", func() bool { return l.stat("c.update_no_rebuild") != "0" })
	}
	if first.Hostname != "web.test" {
		t.Errorf("the host calls itself %q", first.Hostname)
	}
}

func TestAFailedResolutionKeepsTheHosts(t *testing.T) {
	server, resolver := newNameServer(t)
	server.knows("web.test", "10.0.0.1")
	l := newLab(t, 1, resolver, dns("STRICT_DNS", "web.test", 80, "")).initialized()
	l.hasHosts("10.0.0.1:80")
	server.knows("web.test")
	l.eventually("a failure", func() bool { return l.stat("c.update_failure") != "0" })
	l.hasHosts("10.0.0.1:80")
	server.knows("web.test", "10.0.0.9")
	l.hasHosts("10.0.0.9:80")
}

func TestAClusterWhoseNameIsUnknownIsInitializedAllTheSame(t *testing.T) {
	server, resolver := newNameServer(t)
	for _, kind := range []string{"STRICT_DNS", "LOGICAL_DNS"} {
		server.knows("late.test")
		l := newLab(t, 1, resolver, dns(kind, "late.test", 80, "")).initialized()
		l.hasHosts()
		server.knows("late.test", "10.0.0.1")
		l.hasHosts("10.0.0.1:80")
	}
}

func TestTheLookupFamilyDecidesWhichAddressesCount(t *testing.T) {
	server, resolver := newNameServer(t)
	server.knows("both.test", "10.0.0.1", "fd00::1")
	server.knows("four.test", "10.0.0.4")
	for _, c := range []struct{ name, family, want string }{
		{"both.test", "AUTO", "[fd00::1]:80"}, {"four.test", "AUTO", "10.0.0.4:80"},
		{"both.test", "V4_ONLY", "10.0.0.1:80"}, {"both.test", "V6_ONLY", "[fd00::1]:80"},
		{"127.0.0.1", "AUTO", "127.0.0.1:80"}} {
		l := newLab(t, 1, resolver, dns("STRICT_DNS", c.name, 80, ", dns_lookup_family: "+c.family)).initialized()
		l.hasHosts(c.want)
	}
}

func TestLogicalDNSHasOneHostThatMoves(t *testing.T) {
	upstream := listen(t, echo)
	server, resolver := newNameServer(t)
	server.knows("web.test", "127.0.0.1", "127.0.0.9")
	l := newLab(t, 1, resolver, dns("LOGICAL_DNS", "web.test", upstream.Port(), "")).initialized()
	l.eventually("one host", func() bool { return len(l.addresses()) == 1 })
	l.hasHosts(upstream.String())
	s := l.ask(0, "c").connected()
	server.knows("web.test", "127.0.0.9")
	l.hasHosts(fmt.Sprintf("127.0.0.9:%d", upstream.Port()))
	s.write("still here", false)
	if got := next(t, "the echo", s.received); got != "still here" {
		t.Errorf("the echo is %q", got)
	}
	if r := s.upstream.Connection.Socket.Remote; r.String() != upstream.String() {
		t.Errorf("the old connection goes to %s", r)
	}
	l.expect("c.membership_change", "1", "c.membership_total", "1")
}

func TestAnUnansweredLookupHoldsUpNeitherTheLoopNorTheEnd(t *testing.T) {
	server, resolver := newNameServer(t)
	server.knows("slow.test", "")
	l := newLab(t, 1, resolver, dns("STRICT_DNS", "slow.test", 80, ""))
	l.eventually("it is asked", func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return server.asked["slow.test"] > 0
	})
	began := time.Now()
	l.main.do(func() {}) // main answers meanwhile; the end of the test shuts down
	l.main.do(l.m.Shutdown)
	if took := time.Since(began); took > resolveDeadline {
		t.Errorf("the end took %s", took)
	}
}

func TestClustersWithNamesAreInitializedFromTheLoopInEnvoysOrder(t *testing.T) {
	server, resolver := newNameServer(t)
	server.knows("web.test", "10.0.0.1")
	l := newLab(t, 1, resolver, dns("STRICT_DNS", "web.test", 80, "")+static("a", 1, "")).initialized()
	got := strings.Join(l.log.containing("cm init", "Primary", "adding TLS"), "\n")
	want := strings.Join([]string{"initializing Primary cluster a completed", "adding TLS cluster a",
		"cm init: init complete: cluster=a primary=0 secondary=0", "cm init: adding: cluster=a primary=0 secondary=0",
		"cm init: adding: cluster=c primary=1 secondary=0", "adding TLS cluster a",
		"initializing Primary cluster c completed", "adding TLS cluster c",
		"cm init: init complete: cluster=c primary=0 secondary=0", "cm init: all clusters initialized",
		"adding TLS cluster c"}, "\n")
	if sortedLast(got) != sortedLast(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// sortedLast leaves out the worker's own lines, whose place among main's is chance.
func sortedLast(lines string) (kept string) {
	seen := map[string]bool{}
	for line := range strings.SplitSeq(lines, "\n") {
		if strings.HasPrefix(line, "adding TLS") && seen[line] {
			continue
		}
		seen[line] = true
		if !strings.HasPrefix(line, "adding TLS") {
			kept += line + "\n"
		}
	}
	return kept + fmt.Sprint(len(seen))
}
