package grade

import (
	"fmt"
	"io"
	"net"
	"sync"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// upstream sends back what it gets, and notes what it met: the other end of a proxy's connections is a
// witness, too.
type upstream struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu  sync.Mutex
	met map[string]int // connected, ended, reset: connections; heard: bytes
}

func playUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{listener: l, met: map[string]int{}}
	u.serving.Go(u.serve)
	return u, nil
}

func (u *upstream) port() int { return u.listener.Addr().(*net.TCPAddr).Port }

func (u *upstream) serve() {
	for {
		conn, err := u.listener.Accept()
		if err != nil {
			return
		}
		u.note("connected", 1)
		u.serving.Go(func() { u.echo(conn) })
	}
}

func (u *upstream) echo(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		u.note("heard", n)
		switch {
		case err == io.EOF:
			u.note("ended", 1)
			return
		case err != nil:
			u.note("reset", 1)
			return
		}
		conn.Write(buffer[:n])
	}
}

func (u *upstream) note(what string, n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.met[what] += n
}

// stop waits until it has noticed how every connection ended. The proxy is gone: none is open any more.
func (u *upstream) stop() {
	u.listener.Close()
	u.serving.Wait()
}

func (s *scene) askUpstream(q *exercise.Upstream) Answer {
	if s.upstream == nil {
		return blind(fmt.Errorf("%w: the configuration has no upstream on port 7", witness.ErrCannotLook))
	}
	n := s.upstream.met[q.Met]
	return counted(n, q.Count, say("the upstream, %s: %d", "上游，%s：%d", meetings[q.Met], n))
}
