package startup

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

func (s *server) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.admin, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(walktest.Patience))
	return conn
}

// A request that never ends is ended by us, wherever it stands still.
func TestASlowRequestEnds(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	const head = "POST /logging HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	var all sync.WaitGroup
	for name, said := range map[string]string{"before its first byte": "", "in its first line": "GET /rea",
		"in its headers": head + "X-A: 1\r\n", "in its body": head + "Content-Length: 10\r\n\r\nlevel"} {
		conn := s.dial()
		fmt.Fprint(conn, said)
		all.Go(func() {
			began := time.Now()
			answer, err := io.ReadAll(conn)
			if took := time.Since(began); err != nil && !strings.Contains(err.Error(), "reset") || took < time.Second {
				t.Errorf("silent %s: ended after %v with %q %v", name, took, answer, err)
			}
		})
	}
	all.Wait()
	s.expect("GET", "/ready", 200, "LIVE")
}

func TestThreeHundredConnectionsAreBounded(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	closed := make(chan struct{}, 300)
	var open []net.Conn
	for range 300 {
		conn := s.dial()
		open = append(open, conn)
		go func() {
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				closed <- struct{}{}
			}
		}()
	}
	for range 300 - maxAdminConnections {
		<-closed // these were refused at once: the others have five seconds to say something
	}
	s.WaitFor("more than 256 admin connections: one was closed")
	for _, conn := range open {
		conn.Close()
	}
	for range maxAdminConnections {
		<-closed
	}
	eventually(t, "there is room again", func() bool {
		conn := s.dial()
		fmt.Fprint(conn, "GET /ready HTTP/1.0\r\n\r\n")
		answer, _ := io.ReadAll(conn)
		return strings.HasSuffix(string(answer), "LIVE\n")
	})
}

func TestTooLongHeadersAreRefused(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	conn := s.dial()
	fmt.Fprintf(conn, "GET /ready HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	answer, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") {
		t.Errorf("%.60q", answer)
	}
}

func TestABodyThatEndsEarlyChangesNothing(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	conn := s.dial()
	fmt.Fprint(conn, "POST /runtime_modify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\n\r\na=1&b=")
	conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") ||
		!strings.HasSuffix(string(answer), "the request's body did not arrive whole") {
		t.Errorf("%q", answer)
	}
	s.expect("GET", "/stats?filter=num_keys", 200, `: 0\n$`)
}

func TestTheHostIsCheckedOnARealSocket(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	for request, code := range map[string]string{"GET /ready HTTP/1.1\r\nHost: evil.example\r\n": "403",
		"GET http://evil.example/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n": "403",
		"GET /ready HTTP/1.1\r\n": "400", "GET /ready HTTP/1.0\r\n": "200"} {
		conn := s.dial()
		fmt.Fprint(conn, request+"Connection: close\r\n\r\n")
		if answer, _ := io.ReadAll(conn); len(answer) < 12 || string(answer[9:12]) != code {
			t.Errorf("%q: %.60q, want %s", request, answer, code)
		}
	}
}

func TestADrainedListenerIsShutAndQuittingEndsTheProcess(t *testing.T) {
	s := startServer(t, tcpAdmin+oneListener)
	echo := strings.TrimPrefix(strings.TrimSpace(s.expect("GET", "/listeners", 200, "echo")), "echo::")
	s.expect("GET", "/config_dump?resource=static_listeners&mask=listener.name", 200, `"name": "echo"\n`)
	s.expect("POST", "/drain_listeners", 200, `^OK\n$`)
	eventually(t, "nobody listens at "+echo, func() bool {
		conn, err := net.Dial("tcp", echo)
		if err == nil {
			conn.Close()
		}
		return err != nil && strings.Contains(err.Error(), syscall.ECONNREFUSED.Error())
	})
	s.expect("POST", "/quitquitquit", 200, `^OK\n$`)
	if code := s.Wait(); code != 0 {
		t.Error("status", code)
	}
}
