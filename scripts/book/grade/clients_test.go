//go:build linux

package grade

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/scripts/book/exercise"
)

// listen is a server that shows the test its one connection.
func listen(t *testing.T) (address string, accept func() *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() *net.TCPConn {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn.(*net.TCPConn)
	}
}

func TestTheEndOfAClientThatHalfClosesArrivesWithWhatItSays(t *testing.T) {
	address, accept := listen(t)
	s := &scene{}
	done := make(chan string)
	go func() { done <- s.visit(address, &exercise.Connect{Say: "hello", Want: "hello", HalfClose: true}) }()
	conn := accept()
	buffer := make([]byte, 64)
	if n, err := conn.Read(buffer); n != 5 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	raw, _ := conn.SyscallConn()
	n, err := -1, error(nil)
	raw.Read(func(fd uintptr) bool { n, err = unix.Read(int(fd), buffer); return true })
	if n != 0 || err != nil {
		t.Errorf("the end had not arrived with the bytes: the next read is %d, %v", n, err)
	}
	conn.Write(buffer[:5])
	conn.Close()
	if met := <-done; met != metAnswered {
		t.Errorf("the client was %s", met)
	}
}

func TestAClientComesFromWhereItIsTold(t *testing.T) {
	address, accept := listen(t)
	s := &scene{}
	done := make(chan string)
	go func() { done <- s.visit(address, &exercise.Connect{From: "127.0.0.7", Want: "hello"}) }()
	conn := accept()
	if from := conn.RemoteAddr().(*net.TCPAddr).IP.String(); from != "127.0.0.7" {
		t.Errorf("it came from %s", from)
	}
	conn.Close()
	if met := <-done; met != metEnded {
		t.Errorf("the client was %s", met)
	}
}

func TestAClientsPatienceEnds(t *testing.T) {
	address, _ := listen(t)
	c := &exercise.Connect{Want: "hello", Patience: time.Millisecond}
	if met := (&scene{}).visit(address, c); met != metSilent {
		t.Errorf("the client was %s", met)
	}
}

func TestTheUpstreamNotesHowItsConnectionsEnd(t *testing.T) {
	u, err := playUpstream()
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{upstream: u}
	address := u.listener.Addr().String()
	for _, c := range []exercise.Connect{
		{Say: "hello", Want: "hello", HalfClose: true},
		{Say: "hello", Want: "hello"},
		{Say: "hi", Want: "hi", Reset: true},
	} {
		if met := s.visit(address, &c); met != metAnswered {
			t.Fatalf("the client was %s", met)
		}
	}
	u.stop()
	for what, want := range map[string]int{"connected": 3, "ended": 2, "reset": 1, "heard": 12} {
		if a := s.askUpstream(&exercise.Upstream{Met: what}); a.Found != want || !a.Could {
			t.Errorf("%s: %d, want %d", what, a.Found, want)
		}
	}
	if a := (&scene{}).askUpstream(&exercise.Upstream{Met: "heard"}); a.Could {
		t.Error("a run without an upstream was asked about it, and answered")
	}
}

func TestAClaimAboutARowCountsItsClientsAlone(t *testing.T) {
	s := &scene{met: []meeting{{"a", metAnswered}, {"b", metAnswered}, {"b", metReset}}}
	for as, want := range map[string]int{"": 2, "a": 1, "b": 1, "c": 0} {
		if a := s.askClients(&exercise.Clients{As: as, Met: metAnswered}); a.Found != want {
			t.Errorf("as %q: %d, want %d", as, a.Found, want)
		}
	}
}
