//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace"
)

// The spelling is strace's, with two liberties: an address is short, and an epoll event shows its bits alone.
func TestEveryCallIsToldByNameArgumentsAndResult(t *testing.T) {
	var m made
	calls := record(func(l *trace.Lane) { m = everyCall(l, t.TempDir()) })
	want := strings.NewReplacer("<ep>", fmt.Sprint(m.epoll), "<ev>", fmt.Sprint(m.event),
		"<li>", fmt.Sprint(m.listener), "<tw>", fmt.Sprint(m.twin), "<cl>", fmt.Sprint(m.client),
		"<ac>", fmt.Sprint(m.accepted), "<six>", fmt.Sprint(m.six), "<un>", fmt.Sprint(m.unix),
		"<port>", fmt.Sprint(m.port), "<client>", fmt.Sprint(m.clientPort), "<path>", m.path,
		"<nobody redirected>", errnoName(int(m.redirected))).Replace(`
epoll_create1(EPOLL_CLOEXEC) = <ep>
eventfd2(0, EFD_CLOEXEC|EFD_NONBLOCK) = <ev>
epoll_ctl(<ep>, EPOLL_CTL_ADD, <ev>, {EPOLLIN}) = 0
write(<ev>, [...], 8) = 8
epoll_pwait(<ep>, [...], 8, 1000, NULL, 8) = 1
epoll_pwait(<ep>, [...], 8, 0, NULL, 8) = 1
read(<ev>, [...], 8) = 8
read(<ev>, [...], 8) = -1 EAGAIN
epoll_ctl(<ep>, EPOLL_CTL_MOD, <ev>, {EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET}) = 0
epoll_ctl(<ep>, EPOLL_CTL_DEL, <ev>, NULL) = 0
socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = <li>
setsockopt(<li>, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
bind(<li>, 127.0.0.1:0) = 0
listen(<li>, 128) = 0
getsockname(<li>, 127.0.0.1:<port>) = 0
fcntl(<li>, F_DUPFD_CLOEXEC, 0) = <tw>
socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = <cl>
connect(<cl>, 127.0.0.1:<port>) = -1 EINPROGRESS
getsockopt(<cl>, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
accept4(<li>, 127.0.0.1:<client>, SOCK_CLOEXEC|SOCK_NONBLOCK) = <ac>
accept4(<li>, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = -1 EAGAIN
getpeername(<cl>, 127.0.0.1:<port>) = 0
setsockopt(<ac>, SOL_TCP, TCP_NODELAY, "\x01\x00\x00\x00", 4) = 0
getsockopt(<ac>, SOL_TCP, TCP_NODELAY, [...], [4]) = 0
getsockopt(<ac>, SOL_IP, SO_ORIGINAL_DST, [...], [16]) = -1 <nobody redirected>
writev(<cl>, [{iov_base=..., iov_len=3}, {iov_base=..., iov_len=7}], 2) = 10
writev(<cl>, [], 0) = 0
recvfrom(<ac>, [...], 4, MSG_PEEK, NULL, NULL) = 4
recvfrom(<ac>, [...], 1, 0, NULL, NULL) = 1
readv(<ac>, [{iov_base=..., iov_len=2}], 1) = 2
readv(<ac>, [{iov_base=..., iov_len=1}, ...], 3) = 4
read(<ac>, [...], 100) = 3
read(<ac>, [...], 100) = -1 EAGAIN
shutdown(<ac>, SHUT_WR) = 0
socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = <six>
socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0) = <un>
bind(<un>, <path>) = 0
fchmodat(AT_FDCWD, "<path>", 0600) = 0
unlinkat(AT_FDCWD, "<path>", 0) = 0
unlinkat(AT_FDCWD, "<path>", 0) = -1 ENOENT
prctl(PR_SET_NAME, "wrk:worker_0") = 0
close(<ep>) = 0
close(<ev>) = 0
close(<li>) = 0
close(<tw>) = 0
close(<cl>) = 0
close(<ac>) = 0
close(<six>) = 0
close(<un>) = 0
close(<un>) = -1 EBADF
`)
	compare(t, calls, strings.Split(strings.TrimSpace(want), "\n"))
}

func compare(t *testing.T, calls []sdk.ReadOnlySpan, want []string) {
	t.Helper()
	for i, w := range want {
		if i >= len(calls) {
			t.Fatalf("call %d is missing: %s", i, w)
		}
		if got := spelled(calls[i]); got != w {
			t.Errorf("call %d:\n got %s\nwant %s", i, got, w)
		}
	}
	if len(calls) != len(want) {
		t.Errorf("%d calls are told, want %d", len(calls), len(want))
	}
}

func TestEveryCallPointsAtTheLineThatMadeIt(t *testing.T) {
	for _, s := range record(func(l *trace.Lane) { everyCall(l, t.TempDir()) }) {
		function, file := text(s, trace.KeyFunction), text(s, trace.KeyFile)
		if file != "internal/kernel/walk_test.go" || text(s, trace.KeyLine) == "0" ||
			!regexp.MustCompile(`\.(everyCall|\(\*made\)\.(listen|connect|exchange|files))$`).MatchString(function) {
			t.Errorf("%s is placed at %s, %s", spelled(s), function, file)
		}
	}
}

// strace is the judge: the same calls of the same thread, same first argument, same result, same order.
func TestStraceAgreesWithEverySpan(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("SKIPPED, AND NOT TESTED ELSEWHERE IN THIS PACKAGE: strace is not installed, so nobody checked the spans against the kernel")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "strace")
	if out, err := exec.Command(strace, "-f", "-o", log, "true").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, AND NOT TESTED ELSEWHERE IN THIS PACKAGE: strace may not trace here: %v: %s", err, out)
	}
	walk := exec.Command(strace, "-f", "-o", log, os.Args[0])
	walk.Env = append(os.Environ(), "ENVOYWALK_KERNEL_WALK="+dir)
	out, err := walk.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kernel := straced(t, log)
	if raw, _ := os.ReadFile(log); !regexp.MustCompile(`EPOLL_CTL_DEL, \d+, NULL`).Match(raw) {
		t.Error("the delete of an interest is told with NULL and made with something else")
	}
	agreed := 0
	for line := range strings.Lines(string(out)) {
		tid, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		for len(kernel[tid]) > 0 && kernel[tid][0] != essence(call) {
			kernel[tid] = kernel[tid][1:]
		}
		if len(kernel[tid]) == 0 {
			t.Fatalf("strace has no %s (in short %q) after the %d calls before it", call, essence(call), agreed)
		}
		kernel[tid] = kernel[tid][1:]
		agreed++
	}
	if agreed < 50 {
		t.Errorf("only %d calls were told: %s", agreed, out)
	}
}

// straced returns the calls of each thread in short.
func straced(t *testing.T, log string) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	calls, begun := map[string][]string{}, map[string]string{}
	for line := range strings.Lines(string(raw)) {
		tid, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		if start, ok := strings.CutSuffix(rest, "<unfinished ...>"); ok {
			begun[tid] = start
			continue
		}
		if _, end, ok := strings.Cut(rest, " resumed>"); ok {
			rest = begun[tid] + end
		}
		calls[tid] = append(calls[tid], essence(rest))
	}
	return calls
}

var shape = regexp.MustCompile(`^(\w+)\(([^,) ]*).* = (-?\w+)( E\w+)?`)

// essence is name, first argument, result.
func essence(call string) string {
	m := shape.FindStringSubmatch(call)
	if m == nil {
		return ""
	}
	return strings.Join(m[1:], " ")
}
