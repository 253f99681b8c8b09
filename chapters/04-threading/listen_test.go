package threading

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"envoywalk/internal/network"
)

const workers = 4

// four is one listener of each kind: a fixed IPv4 port, IPv6, a pipe, and a port for the kernel to
// choose.
func four(t *testing.T, more ...string) (s setup, path string) {
	path = filepath.Join(t.TempDir(), "pipe")
	s = setup{concurrency: workers, listeners: []string{
		tcp("v4", "127.0.0.1", freePort(t), more...),
		pipe("pipe", path, 0o600, more...),
		anyPort("zero", more...)}}
	if six, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		six.Close()
		s.listeners = append(s.listeners,
			tcp("v6", "::1", freePort(t), append(more, "tcp_backlog_size: 77")...))
	} else {
		t.Logf("SKIPPED the IPv6 listener: %v", err)
	}
	return s, path
}

// freePort is a port that nobody had a moment ago.
func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestEveryWorkerListensOnACopyOfMainsSocket(t *testing.T) {
	set, path := four(t)
	s := set.start(t)
	for name, address := range s.addresses() {
		inodes := []uint32{s.pipeInode(path)}
		if name != "pipe" {
			inodes = s.listenInodes(address)
		}
		if len(inodes) != 1 {
			t.Errorf("%s: %d sockets listen on %s, want one that all share", name, len(inodes), address)
		}
		fds := s.fdsOf(inodes[0])
		if len(fds) != workers+1 {
			t.Errorf("%s: fds %v, want one on main and one on each of %d workers", name, fds, workers)
		}
		s.wantWatchedOncePerWorker(name, fds, 1)
		s.wantOptions(name, fds, 0)
	}
	s.wantAddresses(path, len(set.listeners))
	s.wantWorkers(len(set.listeners))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v, want mode 0600", path, info, err)
	}
	s.stop()
	s.wantNothingLeft(set)
}

func TestWithReusePortEveryWorkerHasASocketOfItsOwn(t *testing.T) {
	set, path := four(t, "reuse_port: true")
	s := set.start(t)
	for name, address := range s.addresses() {
		if name == "pipe" { // cannot be bound twice, and so is shared
			s.wantWatchedOncePerWorker(name, s.fdsOf(s.pipeInode(path)), 1)
			continue
		}
		inodes := s.listenInodes(address)
		if len(inodes) != workers {
			t.Errorf("%s: %d sockets listen on %s, want one a worker", name, len(inodes), address)
		}
		var all []int
		for _, inode := range inodes {
			fds := s.fdsOf(inode)
			if len(fds) != 1 {
				t.Errorf("%s: socket %d has fds %v, want one", name, inode, fds)
			}
			all = append(all, fds...)
		}
		s.wantWatchedOncePerWorker(name, all, 0)
		s.wantOptions(name, all, 1)
	}
	s.wantAddresses(path, len(set.listeners))
	s.stop()
	s.wantNothingLeft(set)
}

// listenInodes are the sockets that listen on the address: the same in /proc/net and by sock_diag,
// with the backlog that was asked for.
func (s *server) listenInodes(address string) (inodes []uint32) {
	s.t.Helper()
	const listen = "0A"
	table, spelled := procAddress(address)
	rows := s.tableRows(table, spelled, listen)
	known := map[string]bool{}
	for _, row := range rows {
		known[row[9]] = true
	}
	for _, l := range listeningAt(s.t, address) {
		inodes = append(inodes, l.inode)
		if !known[strconv.Itoa(int(l.inode))] {
			s.t.Errorf("%s: sock_diag knows socket %d, /proc/net/%s only %v", address, l.inode,
				table, known)
		}
		want := s.most()
		if table == "tcp6" {
			want = 77
		}
		if l.backlog != want {
			s.t.Errorf("%s: backlog %d, want %d", address, l.backlog, want)
		}
	}
	if len(inodes) != len(rows) {
		s.t.Errorf("%s: %d sockets by sock_diag, %d in /proc/net/%s", address, len(inodes),
			len(rows), table)
	}
	return inodes
}

// most is the backlog that -1 asks for.
func (s *server) most() uint32 {
	text, _ := os.ReadFile("/proc/sys/net/core/somaxconn")
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return uint32(n)
}

func (s *server) pipeInode(path string) uint32 {
	s.t.Helper()
	const accepting = "00010000"
	rows := s.tableRows("unix", path, accepting)
	if len(rows) != 1 {
		s.t.Fatalf("%d sockets listen on %s, want 1", len(rows), path)
	}
	inode, _ := strconv.Atoi(rows[0][6])
	if got := pipeBacklog(s.t, uint32(inode)); got != s.most() {
		s.t.Errorf("%s: backlog %d, want %d", path, got, s.most())
	}
	return uint32(inode)
}

// wantWatchedOncePerWorker: each worker's epoll has exactly one of the fds, level-triggered, for
// reading only, with the fd and its generation as the word. unwatched are main's.
func (s *server) wantWatchedOncePerWorker(name string, fds []int, unwatched int) {
	s.t.Helper()
	const readLevel = unix.EPOLLIN | unix.EPOLLERR | unix.EPOLLHUP // the kernel always adds the last two
	where := map[int]int{}
	watchers := 0
	for _, entries := range s.epolls() {
		here := 0
		for _, w := range entries {
			for _, fd := range fds {
				if w.fd != fd {
					continue
				}
				here, where[fd] = here+1, where[fd]+1
				if w.events != readLevel {
					s.t.Errorf("%s: fd %d is watched for %#x, want %#x", name, fd, w.events, readLevel)
				}
				if uint32(w.data) != uint32(fd) || w.data>>32 == 0 {
					s.t.Errorf("%s: fd %d comes with the word %#x, want fd and generation", name,
						fd, w.data)
				}
			}
		}
		if here > 1 {
			s.t.Errorf("%s: one epoll watches %d of the fds", name, here)
		}
		watchers += here
	}
	if watchers != workers || len(fds)-len(where) != unwatched {
		s.t.Errorf("%s: %d of fds %v are watched, want one for each of %d workers", name, watchers,
			fds, workers)
	}
}

// wantOptions asks the open files themselves.
func (s *server) wantOptions(name string, fds []int, reusePort int) {
	s.t.Helper()
	for _, fd := range fds {
		s.borrow(fd, func(own int) {
			wantListenOptions(s.t, fmt.Sprintf("%s: fd %d", name, fd), own, reusePort)
		})
		if !s.closeOnExec(fd) {
			s.t.Errorf("%s: fd %d would be inherited by a child", name, fd)
		}
	}
}

func wantListenOptions(t *testing.T, who string, fd, reusePort int) {
	t.Helper()
	want := func(what string, level, name, value int) {
		t.Helper()
		if got := option(t, fd, level, name); got != value {
			t.Errorf("%s has %s %d, want %d", who, what, got, value)
		}
	}
	want("SO_ACCEPTCONN", unix.SOL_SOCKET, unix.SO_ACCEPTCONN, 1)
	domain := option(t, fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if domain != unix.AF_UNIX {
		want("SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		want("SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT, reusePort)
	}
	if domain == unix.AF_INET6 {
		want("IPV6_V6ONLY", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Errorf("%s has flags %#x (%v), want O_NONBLOCK", who, flags, err)
	}
}

// wantAddresses: the admin tells people and programs the same, and it is where one can connect.
func (s *server) wantAddresses(path string, listeners int) {
	s.t.Helper()
	told, json := s.addresses(), s.listenersJSON()
	if len(told) != listeners || fmt.Sprint(told) != fmt.Sprint(json) {
		s.t.Errorf("/listeners tells people %v and programs %v, want the same %d", told, json, listeners)
	}
	if strings.HasSuffix(told["zero"], ":0") {
		s.t.Errorf("/listeners tells %s of port 0", told["zero"])
	}
	if told["pipe"] != path {
		s.t.Errorf("/listeners tells %s of the pipe %s", told["pipe"], path)
	}
	for _, address := range told {
		for range workers {
			isServed(s.t, dial(s.t, address))
		}
	}
}

func (s *server) wantWorkers(listeners int) {
	s.t.Helper()
	names := s.threads()
	for n := range workers {
		if name := fmt.Sprintf("wrk:worker_%d", n); names[name] != 1 {
			s.t.Errorf("%d threads are called %s: %v", names[name], name, names)
		}
	}
	s.wantStat("listener_manager.workers_started", 1)
	s.wantStat("listener_create_success", workers*listeners)
}

// wantNothingLeft: when the process is gone, its ports can be had again, by the same configuration
// at once.
func (s *server) wantNothingLeft(set setup) {
	s.t.Helper()
	again := set.start(s.t)
	for _, address := range again.addresses() {
		isServed(s.t, dial(s.t, address))
	}
	again.stop()
}

func TestListeningOptionsComeAfterListen(t *testing.T) {
	const more = "tcp_fast_open_queue_length: 7, " +
		"socket_options: [{level: 1, name: 8, int_value: 9000, state: 2}]"
	set := setup{concurrency: workers, listeners: []string{
		tcp("own", "127.0.0.1", freePort(t), "reuse_port: true", more), anyPort("shared", more)}}
	trace := set.traced(t, "listen", "epoll_ctl", "setsockopt", "bind")
	s := set.start(t)
	at := s.addresses()
	for name, want := range map[string]int{"own": 7, "shared": 0} { // 1.17 forgets the options of a copy
		for _, inode := range s.listenInodes(at[name]) {
			for _, fd := range s.fdsOf(inode) {
				s.borrow(fd, func(own int) {
					if got := option(t, own, unix.IPPROTO_TCP, unix.TCP_FASTOPEN); got != want {
						t.Errorf("%s: TCP_FASTOPEN %d, want %d", name, got, want)
					}
				})
			}
		}
	}
	s.stop()
	order := map[string]string{}
	for _, c := range trace.all() {
		thread, args := c.text("thread.name"), c.text("syscall.args")
		if !strings.HasPrefix(thread, "wrk:") || !strings.Contains(args, "<own") {
			continue
		}
		what := c.Name
		for _, o := range []string{"SO_REUSEPORT", "TCP_FASTOPEN", "SO_RCVBUF", "CTL_ADD", "CTL_DEL"} {
			if strings.Contains(args, o) {
				what = o
			}
		}
		order[thread] += " " + what
	}
	const want = " setsockopt SO_REUSEPORT bind listen CTL_ADD SO_RCVBUF TCP_FASTOPEN CTL_DEL"
	for thread, got := range order {
		if got != want {
			t.Errorf("%s:%s, want%s", thread, got, want)
		}
	}
	if len(order) != workers {
		t.Errorf("%d workers set options, want %d", len(order), workers)
	}
}

// TestAnIPv4ClientOfADualStackListenerHasAnIPv4Address: not ::ffff:127.0.0.1.
func TestAnIPv4ClientOfADualStackListenerHasAnIPv4Address(t *testing.T) {
	both, err := network.ParseInternetAddress("::ffff:127.0.0.1", 80, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := unmapped(both).String(); got != "127.0.0.1:80" {
		t.Errorf("it is called %s", got)
	}
	if unmapped(nil) != nil {
		t.Error("an unknown address became one")
	}
}
