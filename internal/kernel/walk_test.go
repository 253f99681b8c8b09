//go:build linux && (amd64 || arm64)

package kernel

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"golang.org/x/sys/unix"

	"envoywalk/internal/network"
	"envoywalk/trace"
)

// record runs walk on a locked thread with a lane and returns the spans of its calls, in order.
func record(walk func(l *trace.Lane)) []sdk.ReadOnlySpan {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	sink := tracetest.NewSpanRecorder()
	r := trace.New(trace.Config{Processors: []sdk.SpanProcessor{sink}})
	l := r.Thread("main", Gettid(), 0)
	walk(l)
	l.End()
	r.Close(context.Background())
	var calls []sdk.ReadOnlySpan
	for _, s := range sink.Ended() {
		if text(s, trace.KeyKind) == "syscall" {
			calls = append(calls, s)
		}
	}
	return calls
}

func text(s sdk.ReadOnlySpan, key attribute.Key) string {
	for _, kv := range s.Attributes() {
		if kv.Key == key {
			return kv.Value.Emit()
		}
	}
	return ""
}

// spelled is a call as strace prints it: name(args) = ret [errno].
func spelled(s sdk.ReadOnlySpan) string {
	line := fmt.Sprintf("%s(%s) = %s", text(s, trace.KeySyscall), text(s, trace.KeyArgs), text(s, trace.KeyRet))
	if errno := text(s, trace.KeyErrorType); errno != "" {
		line += " " + errno
	}
	return line
}

// made collects what a walk needs to say of the numbers it was given.
type made struct {
	epoll, event, listener, twin, client, accepted, six, unix int
	port, clientPort                                          uint16
	path                                                      string
	redirected                                                Errno
}

// everyCall makes every call of the door once for real, and the answers that are no failure twice.
func everyCall(l *trace.Lane, dir string) (m made) {
	m.epoll = get(EpollCreate(l))
	m.event = get(Eventfd(l))
	EpollCtl(l, m.epoll, EPOLL_CTL_ADD, m.event, EPOLLIN, 3)
	EventfdWrite(l, m.event)
	EpollWait(l, m.epoll, make([]EpollEvent, 8), 1000, true)
	EpollWait(l, m.epoll, make([]EpollEvent, 8), 0, false)
	EventfdRead(l, m.event)
	EventfdRead(l, m.event)
	EpollCtl(l, m.epoll, EPOLL_CTL_MOD, m.event, EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET, 3)
	EpollCtl(l, m.epoll, EPOLL_CTL_DEL, m.event, 0, 0)
	m.listen(l)
	m.connect(l)
	m.files(l, dir)
	NameThread(l, "wrk:worker_0")
	for _, fd := range []int{m.epoll, m.event, m.listener, m.twin, m.client, m.accepted, m.six, m.unix} {
		Close(l, fd)
	}
	Close(l, m.unix)
	return m
}

func (m *made) listen(l *trace.Lane) {
	m.listener = get(Socket(l, AF_INET))
	SetsockoptInt(l, m.listener, SOL_SOCKET, SO_REUSEADDR, 1)
	Bind(l, m.listener, address("127.0.0.1", 0))
	Listen(l, m.listener, 128)
	name, _ := Getsockname(l, m.listener)
	m.port = name.Port()
	m.twin = get(Dup(l, m.listener))
}

func (m *made) connect(l *trace.Lane) {
	m.client = get(Socket(l, AF_INET))
	Connect(l, m.client, address("127.0.0.1", m.port))
	GetsockoptInt(l, m.client, SOL_SOCKET, SO_ERROR)
	var peer Peer
	m.accepted = get(Accept(l, m.listener, &peer))
	m.clientPort = peer.Address().Port()
	Accept(l, m.listener, &peer)
	Getpeername(l, m.client)
	SetsockoptBytes(l, m.accepted, IPPROTO_TCP, 1, []byte{1, 0, 0, 0}) // TCP_NODELAY
	GetsockoptBytes(l, m.accepted, IPPROTO_TCP, TCP_NODELAY, make([]byte, 8))
	_, m.redirected = OriginalDst(l, m.accepted, AF_INET) // by netfilter: no; which errno says so depends on it
	m.exchange(l)
	Shutdown(l, m.accepted, SHUT_WR)
}

// exchange sends ten bytes and takes them out in every way there is.
func (m *made) exchange(l *trace.Lane) {
	ten := []byte("0123456789")
	Writev(l, m.client, [][]byte{ten[:3], ten[3:]})
	Writev(l, m.client, nil)
	unix.Poll([]unix.PollFd{{Fd: int32(m.accepted), Events: unix.POLLIN}}, -1)
	RecvPeek(l, m.accepted, make([]byte, 4))
	Recv(l, m.accepted, make([]byte, 1))
	Readv(l, m.accepted, [][]byte{make([]byte, 2)})
	Readv(l, m.accepted, [][]byte{make([]byte, 1), make([]byte, 2), make([]byte, 1)})
	Read(l, m.accepted, make([]byte, 100))
	Read(l, m.accepted, make([]byte, 100))
}

func (m *made) files(l *trace.Lane, dir string) {
	m.six = get(Socket(l, AF_INET6))
	m.unix = get(Socket(l, AF_UNIX))
	m.path = filepath.Join(dir, "s")
	pipe, err := network.NewPipe(m.path, 0)
	if err != nil {
		panic(err)
	}
	Bind(l, m.unix, pipe)
	Chmod(l, m.path, 0o600)
	Unlink(l, m.path)
	Unlink(l, m.path)
}

func get(fd int, errno Errno) int {
	if errno != 0 {
		panic(errno)
	}
	return fd
}

func address(ip string, port uint16) *network.Address {
	a, err := network.ParseInternetAddress(ip, port, false)
	if err != nil {
		panic(err)
	}
	return a
}

// TestMain lets the test binary be what strace looks at.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ENVOYWALK_KERNEL_WALK"); dir != "" {
		for _, s := range record(func(l *trace.Lane) { everyCall(l, dir) }) {
			fmt.Println(text(s, trace.KeyThreadID), spelled(s))
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
