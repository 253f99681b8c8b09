package threading

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// descriptors are the open files of a process: number to what it is, such as socket:[123].
func (s *server) descriptors() map[int]string {
	s.t.Helper()
	all := map[int]string{}
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range names {
		if what, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", s.pid, n.Name())); err == nil {
			fd, _ := strconv.Atoi(n.Name())
			all[fd] = what
		}
	}
	return all
}

// fdsOf are the numbers under which the process holds the socket.
func (s *server) fdsOf(inode uint32) (fds []int) {
	s.t.Helper()
	for fd, what := range s.descriptors() {
		if what == fmt.Sprintf("socket:[%d]", inode) {
			fds = append(fds, fd)
		}
	}
	slices.Sort(fds)
	return fds
}

// threads are the names of the process's threads, with how many bear each.
func (s *server) threads() map[string]int {
	all := map[string]int{}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", s.pid))
	for _, f := range files {
		if name, err := os.ReadFile(f); err == nil {
			all[strings.TrimSpace(string(name))]++
		}
	}
	return all
}

// cpu is how long the process has computed, in the kernel's ticks of 10 ms.
func (s *server) cpu() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}

// watched is one entry of an epoll instance: which fd, for which events, and the word that comes
// with them.
type watched struct {
	fd     int
	events uint64
	data   uint64
}

var watchedLine = regexp.MustCompile(`tfd:\s+(\d+) events:\s+([0-9a-f]+) data:\s+([0-9a-f]+)`)

// epolls are the process's epoll instances and what each watches, as the kernel tells.
func (s *server) epolls() map[int][]watched {
	s.t.Helper()
	all := map[int][]watched{}
	for fd, what := range s.descriptors() {
		if what != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", s.pid, fd))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range watchedLine.FindAllStringSubmatch(string(info), -1) {
			var w watched
			w.fd, _ = strconv.Atoi(m[1])
			w.events, _ = strconv.ParseUint(m[2], 16, 64)
			w.data, _ = strconv.ParseUint(m[3], 16, 64)
			all[fd] = append(all[fd], w)
		}
	}
	return all
}

// listening is a socket that listens, as the kernel's tables have it.
type listening struct {
	inode   uint32
	backlog uint32
	queued  uint32
}

// listeningAt asks sock_diag for the sockets that listen on a TCP address.
func listeningAt(t *testing.T, address string) (all []listening) {
	t.Helper()
	at := netip.MustParseAddrPort(address)
	family := byte(unix.AF_INET6)
	if at.Addr().Is4() {
		family = unix.AF_INET
	}
	const listen = 10
	request := make([]byte, 56)
	request[0], request[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(request[4:], 1<<listen)
	for _, m := range sockDiag(t, request) {
		port := binary.BigEndian.Uint16(m[4:])
		if port == at.Port() && strings.HasPrefix(string(m[8:]), string(at.Addr().AsSlice())) {
			all = append(all, listening{queued: binary.NativeEndian.Uint32(m[56:]),
				backlog: binary.NativeEndian.Uint32(m[60:]), inode: binary.NativeEndian.Uint32(m[68:])})
		}
	}
	return all
}

// pipeBacklog asks sock_diag for the backlog of a unix socket.
func pipeBacklog(t *testing.T, inode uint32) uint32 {
	t.Helper()
	const showQueue, queueAttribute, header = 0x10, 4, 16
	request := make([]byte, 24)
	request[0] = unix.AF_UNIX
	binary.NativeEndian.PutUint32(request[4:], ^uint32(0))
	binary.NativeEndian.PutUint32(request[12:], showQueue)
	for _, m := range sockDiag(t, request) {
		if binary.NativeEndian.Uint32(m[4:]) != inode {
			continue
		}
		for rest := m[header:]; len(rest) >= 12; {
			length := binary.NativeEndian.Uint16(rest)
			if binary.NativeEndian.Uint16(rest[2:]) == queueAttribute {
				return binary.NativeEndian.Uint32(rest[8:])
			}
			rest = rest[(length+3)&^3:]
		}
	}
	t.Fatalf("sock_diag knows no queue of socket %d", inode)
	return 0
}

// sockDiag dumps what the request asks for and returns the messages.
func sockDiag(t *testing.T, request []byte) (all [][]byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Skipf("SKIPPED: no NETLINK_SOCK_DIAG here: %v", err)
	}
	defer unix.Close(fd)
	const byFamily = 20
	message := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(request)))
	message = binary.NativeEndian.AppendUint16(message, byFamily)
	message = binary.NativeEndian.AppendUint16(message, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	message = append(append(message, make([]byte, 8)...), request...)
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		t.Fatal(err)
	}
	for buffer := make([]byte, 1<<16); ; {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if err != nil {
			t.Fatal(err)
		}
		for rest := buffer[:n]; len(rest) >= unix.SizeofNlMsghdr; {
			length := binary.NativeEndian.Uint32(rest)
			switch binary.NativeEndian.Uint16(rest[4:]) {
			case unix.NLMSG_DONE:
				return all
			case unix.NLMSG_ERROR:
				errno := unix.Errno(-int32(binary.NativeEndian.Uint32(rest[16:])))
				t.Skipf("SKIPPED: this kernel's sock_diag does not answer: %v", errno)
			}
			all = append(all, slices.Clone(rest[unix.SizeofNlMsghdr:length]))
			rest = rest[(length+3)&^3:]
		}
	}
}

// tableRows are the rows of one of the process's /proc/net tables that have all the words.
func (s *server) tableRows(table string, words ...string) (rows [][]string) {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", s.pid, table))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		all := true
		for _, w := range words {
			all = all && slices.Contains(fields, w)
		}
		if all {
			rows = append(rows, fields)
		}
	}
	return rows
}

// procAddress spells an address as /proc/net/tcp does: each word of it in the machine's order.
func procAddress(address string) (table, spelled string) {
	at := netip.MustParseAddrPort(address)
	raw := at.Addr().AsSlice()
	for i := 0; i < len(raw); i += 4 {
		spelled += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(raw[i:]))
	}
	table = "tcp"
	if at.Addr().Is6() {
		table = "tcp6"
	}
	return table, fmt.Sprintf("%s:%04X", spelled, at.Port())
}

// borrow lends a duplicate of the server's own fd: the same open file, so what it says is true of
// both. It is given back at once, or the port would stay in use.
func (s *server) borrow(fd int, use func(own int)) {
	s.t.Helper()
	pidfd, err := unix.PidfdOpen(s.pid, 0)
	if err == nil {
		defer unix.Close(pidfd)
		var own int
		if own, err = unix.PidfdGetfd(pidfd, fd, 0); err == nil {
			defer unix.Close(own)
			use(own)
			return
		}
	}
	if errors.Is(err, unix.EBADF) {
		return // it was open a moment ago
	}
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		s.t.Skipf("SKIPPED: pidfd_getfd: %v (Linux 5.6, and the right to trace a child)", err)
	}
	s.t.Fatal(err)
}

func option(t *testing.T, fd, level, name int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(fd, level, name)
	if err != nil {
		t.Errorf("getsockopt(%d, %d, %d): %v", fd, level, name, err)
	}
	return v
}

// closeOnExec is a flag of the fd itself, not of the open file: only fdinfo tells.
func (s *server) closeOnExec(fd int) bool {
	info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", s.pid, fd))
	if err != nil {
		s.t.Fatal(err)
	}
	m := regexp.MustCompile(`flags:\s+0?([0-7]+)`).FindSubmatch(info)
	flags, _ := strconv.ParseInt(string(m[1]), 8, 64)
	return flags&unix.O_CLOEXEC != 0
}
