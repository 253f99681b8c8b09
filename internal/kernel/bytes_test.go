//go:build linux && (amd64 || arm64)

package kernel

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"envoywalk/trace"
)

// pair is two connected stream sockets.
func pair(t *testing.T) (a, b int) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(nil, fds[0]); Close(nil, fds[1]) })
	return fds[0], fds[1]
}

// pieces cuts p, and puts an empty piece where nobody expects one.
func pieces(p []byte, sizes ...int) (cut [][]byte) {
	for _, n := range sizes {
		n = min(n, len(p))
		cut, p = append(cut, p[:n]), p[n:]
	}
	return append(cut, nil, p)
}

// The kernel makes the call, so that no byte is lost and none is sent twice.
func TestACallCutShortMovesNoMoreThanItMay(t *testing.T) {
	a, b := pair(t)
	most := 0
	defer SetScript(func(string, int, int) (int, Errno, bool) { return most, AtMost, true })()
	sent := []byte("a message of thirty-two bytes ..")
	p := make([]byte, len(sent))
	for name, take := range map[string]func(p []byte) (int, Errno){
		"read":     func(p []byte) (int, Errno) { return Read(nil, b, p) },
		"recvfrom": func(p []byte) (int, Errno) { return Recv(nil, b, p) },
		"readv":    func(p []byte) (int, Errno) { return Readv(nil, b, pieces(p, 1, 4, 2)) },
	} {
		for most = range 9 {
			got := []byte{}
			for rest := sent; len(rest) > 0; {
				n, errno := Writev(nil, a, pieces(rest, 2, 1, 5))
				if errno != 0 || n != min(len(rest), max(1, most)) {
					t.Fatalf("at most %d of %d: writev wrote %d, %v", most, len(rest), n, errno)
				}
				rest = rest[n:]
			}
			if n, _ := RecvPeek(nil, b, p); n != max(1, most) {
				t.Errorf("at most %d: the peek saw %d", most, n)
			}
			for len(got) < len(sent) {
				n, errno := take(p)
				if errno != 0 || n < 1 || n > max(1, most) {
					t.Fatalf("%s at most %d: %d, %v", name, most, n, errno)
				}
				got = append(got, p[:n]...)
			}
			if !bytes.Equal(got, sent) {
				t.Errorf("%s at most %d: %q", name, most, got)
			}
		}
	}
}

func TestACallThatMovesNoBytesCannotBeCutShort(t *testing.T) {
	defer SetScript(func(string, int, int) (int, Errno, bool) { return 1, AtMost, true })()
	fd, errno := Socket(nil, AF_INET)
	if errno != 0 || Bind(nil, fd, loopback.WithPort(0)) != 0 || Listen(nil, fd, 128) != 0 || Close(nil, fd) != 0 {
		t.Error("a call was changed")
	}
}

func TestTheScriptIsToldAllBytesOfAllPieces(t *testing.T) {
	var got []string
	defer SetScript(func(call string, fd, n int) (int, Errno, bool) {
		got = append(got, fmt.Sprintf("%s(%d, %d)", call, fd, n))
		return n, 0, true
	})()
	p := make([]byte, 100)
	Readv(nil, 900, pieces(p, 10, 20))
	Writev(nil, 900, pieces(p, 1))
	Read(nil, 900, p[:7])
	Recv(nil, 900, p[:8])
	RecvPeek(nil, 900, p[:9])
	GetsockoptBytes(nil, 900, SOL_SOCKET, SO_LINGER, p[:8])
	want := "[readv(900, 100) writev(900, 100) read(900, 7) recvfrom(900, 8) recvfrom(900, 9) getsockopt(900, 8)]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

func TestPiecesBeyondTheSixteenthAreLeftForTheNextCall(t *testing.T) {
	a, b := pair(t)
	text := []byte("abcdefghijklmnopqrstuvwxyz")
	n, errno := Writev(nil, a, slices.Collect(slices.Chunk(text, 1)))
	if n != 16 || errno != 0 {
		t.Errorf("wrote %d, %v", n, errno)
	}
	p := make([]byte, 26)
	if n, _ = Readv(nil, b, slices.Collect(slices.Chunk(p, 1))); string(p[:n]) != "abcdefghijklmnop" {
		t.Errorf("read %q", p[:n])
	}
}

func TestTheEndOfAStreamIsZeroBytes(t *testing.T) {
	a, b := pair(t)
	Shutdown(nil, a, SHUT_WR)
	p := make([]byte, 10)
	for name, take := range map[string]func() (int, Errno){
		"readv": func() (int, Errno) { return Readv(nil, b, pieces(p, 3)) },
		"read":  func() (int, Errno) { return Read(nil, b, p) },
		"peek":  func() (int, Errno) { return RecvPeek(nil, b, p) },
		"recv":  func() (int, Errno) { return Recv(nil, b, p) },
	} {
		if n, errno := take(); n != 0 || errno != 0 {
			t.Errorf("%s: %d, %v", name, n, errno)
		}
	}
}

// The kernel here redirects nothing, so its answer is played: no error, and nothing written.
func TestTheOriginalDestinationIsAskedInTheFamilysWay(t *testing.T) {
	defer SetScript(func(string, int, int) (int, Errno, bool) { return 0, 0, true })()
	for family, want := range map[int]string{
		AF_INET:  "getsockopt(900, SOL_IP, SO_ORIGINAL_DST, ?, [16]) = 0",
		AF_INET6: "getsockopt(900, SOL_IPV6, IP6T_SO_ORIGINAL_DST, ?, [28]) = 0",
	} {
		calls := record(func(l *trace.Lane) {
			if a, errno := OriginalDst(l, 900, family); a != nil || errno != EAFNOSUPPORT {
				t.Errorf("an address of no family: %v, %v", a, errno)
			}
		})
		if len(calls) != 1 || spelled(calls[0]) != want {
			t.Errorf("got %v, want %s", spelled(calls[0]), want)
		}
	}
	if got := addressText(loopback.Sockaddr()); got != "127.0.0.1:1" {
		t.Errorf("an address is shown as %s", got)
	}
}

func TestAnOptionThatIsABufferIsAsLongAsTheKernelSays(t *testing.T) {
	fd := get(Socket(nil, AF_INET))
	defer Close(nil, fd)
	linger := []byte{1, 0, 0, 0, 9, 0, 0, 0}
	if errno := SetsockoptBytes(nil, fd, SOL_SOCKET, SO_LINGER, linger); errno != 0 {
		t.Fatal(errno)
	}
	value := make([]byte, 20)
	n, errno := GetsockoptBytes(nil, fd, SOL_SOCKET, SO_LINGER, value)
	if errno != 0 || !bytes.Equal(value[:n], linger) {
		t.Errorf("%v, %v", value[:n], errno)
	}
	if n, errno := GetsockoptBytes(nil, -1, SOL_SOCKET, SO_LINGER, value); n != 0 || errno != EBADF {
		t.Errorf("of no socket: %d, %v", n, errno)
	}
}

func TestEveryOptionHasItsName(t *testing.T) {
	for _, o := range [][2]int{{SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_LINGER}, {IPPROTO_TCP, TCP_NODELAY},
		{IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT}, {IPPROTO_IP, SO_ORIGINAL_DST}} {
		if level, name := optionNames(o[0], o[1]); strings.HasPrefix(name, "0x") || !strings.HasPrefix(level, "SOL_") {
			t.Errorf("%v is %s, %s", o, level, name)
		}
	}
}
