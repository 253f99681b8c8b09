package faults

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
	"envoywalk/internal/walktest/load"
)

const mib = 1 << 20

// dial connects to a route's listener.
func (p *proxy) dial(route string) *net.TCPConn {
	p.t.Helper()
	c, err := net.DialTimeout("tcp", p.at[route], walktest.Patience)
	if err != nil {
		p.t.Fatal(err)
	}
	return ours(p.t, c)
}

// ours closes a connection with the test, and lets nothing on it last for ever.
func ours(t *testing.T, c net.Conn) *net.TCPConn {
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(walktest.Patience))
	return c.(*net.TCPConn)
}

// upstream is where a route leads. The test accepts by hand.
type upstream struct {
	*net.TCPListener
	t *testing.T
}

func listen(t *testing.T) upstream {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return upstream{l.(*net.TCPListener), t}
}

func (u upstream) address() string { return u.Addr().String() }

func (u upstream) accept() *net.TCPConn {
	u.t.Helper()
	u.SetDeadline(time.Now().Add(walktest.Patience))
	c, err := u.AcceptTCP()
	if err != nil {
		u.t.Fatal(err)
	}
	return ours(u.t, c)
}

// nobody is an address on which nobody listens.
func nobody(t *testing.T) string {
	l := listen(t)
	l.Close()
	return l.address()
}

// echo is an upstream that sends back what comes.
func echo(t *testing.T) string {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return l.address()
}

// blackHole is an address that answers no SYN: its queue of connections is full.
func blackHole(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	unix.Listen(fd, 0)
	name, _ := unix.Getsockname(fd)
	address := fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	for { // the queue takes one more than its length
		c, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
}

// reset closes with a RST.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

// sendFrom sends n bytes of a stream, from an offset on. done is told, from a goroutine.
func send(c *net.TCPConn, s load.Stream, n int) (done chan error) {
	done = make(chan error, 1)
	go func() { done <- write(c, s, 0, n) }()
	return done
}

func write(c *net.TCPConn, s load.Stream, offset, n int) error {
	p := make([]byte, min(n, 128<<10))
	for end := offset + n; offset < end; {
		piece := p[:min(len(p), end-offset)]
		s.Fill(piece, uint64(offset))
		sent, err := c.Write(piece)
		if offset += sent; err != nil {
			return err
		}
	}
	return nil
}

// receive reads to the end and wants so many bytes of the stream, each in its place; pause is before each read.
func receive(c *net.TCPConn, s load.Stream, n int, pause time.Duration) error {
	p, got := make([]byte, 128<<10), 0
	for {
		time.Sleep(pause)
		m, err := c.Read(p)
		if right := s.Match(p[:m], uint64(got)); right < m {
			return fmt.Errorf("the byte at %d is wrong", got+right)
		}
		if got += m; err == io.EOF && got == n {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%d bytes came of %d, then %w", got, n, err)
		}
	}
}

// crowd are connections that have nothing to do with the fault: what they send must come back, all the time.
type crowd struct {
	t       *testing.T
	stop    chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex
	bytes   int
}

const crowdSize = 3

// gathers lets the crowd in.
func (p *proxy) gathers() {
	p.t.Helper()
	p.crowd = &crowd{t: p.t, stop: make(chan struct{})}
	for n := range crowdSize {
		c := p.dial("crowd")
		p.crowd.running.Go(func() {
			if err := p.crowd.talks(c, uint64(n)); err != nil {
				p.t.Errorf("connection %d of the crowd: %v", n, err)
			}
		})
	}
}

func (c *crowd) talks(conn *net.TCPConn, n uint64) error {
	s, p, at := load.NewStream(n, load.Up), make([]byte, 32<<10), 0
	for size := 1; ; size = (size*7 + 13) % len(p) {
		select {
		case <-c.stop:
			conn.CloseWrite()
			c.mu.Lock()
			defer c.mu.Unlock()
			c.bytes += at
			return receive(conn, s, 0, 0)
		case <-time.After(10 * time.Millisecond):
		}
		conn.SetDeadline(time.Now().Add(walktest.Patience))
		if err := write(conn, s, at, size); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, p[:size]); err != nil {
			return fmt.Errorf("after %d bytes: %w", at, err)
		}
		if right := s.Match(p[:size], uint64(at)); right < size {
			return fmt.Errorf("the byte at %d is wrong", at+right)
		}
		at += size
	}
}

// leaves ends the crowd.
func (c *crowd) leaves() {
	c.t.Helper()
	close(c.stop)
	c.running.Wait()
	if c.bytes == 0 {
		c.t.Error("the crowd said nothing")
	}
	c.t.Logf("the crowd: %d connections, %d bytes there and back", crowdSize, c.bytes)
}

// ends waits for the end of a connection, whatever comes before; an end by RST is one too.
func ends(t *testing.T, c *net.TCPConn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); os.IsTimeout(err) {
		t.Errorf("%s is still open", c.RemoteAddr())
	}
}

// greet says a word each way, so that both connections are there.
func greet(t *testing.T, client, server *net.TCPConn) {
	t.Helper()
	for _, c := range [...][2]*net.TCPConn{{client, server}, {server, client}} {
		word := make([]byte, 5)
		io.WriteString(c[0], "hello")
		if _, err := io.ReadFull(c[1], word); err != nil || string(word) != "hello" {
			t.Fatalf("%q came, %v", word, err)
		}
	}
}
