package grade

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

// connect plays the clients of one row.
func (s *scene) connect(c *exercise.Connect) {
	address, err := s.address(c.To)
	if errors.Is(err, witness.ErrCannotLook) && !s.endsNow() {
		s.unseen = err // nobody could tell the clients where to go
	}
	for range max(1, c.Clients) {
		if err != nil {
			s.met = append(s.met, meeting{c.As, metRefused})
			continue
		}
		s.met = append(s.met, meeting{c.As, s.visit(address, c)})
	}
}

// What a client meets.
const (
	metAnswered = "answered" // what it wanted came back
	metRefused  = "refused"  // nobody listens
	metReset    = "reset"
	metEnded    = "ended"  // the other side closed in order, without the answer
	metSilent   = "silent" // nothing came
)

// meetings are what clients meet, and upstreams, in words.
var meetings = map[string]exercise.Words{
	metAnswered: {En: metAnswered, Zh: "得到了应答"}, metRefused: {En: metRefused, Zh: "连不上"},
	metReset: {En: metReset, Zh: "被 RST 中断"}, metEnded: {En: metEnded, Zh: "读到正常的结尾"},
	metSilent:   {En: metSilent, Zh: "什么也没等到"},
	"connected": {En: "connected", Zh: "连上了"}, "heard": {En: "heard, in bytes", Zh: "听到的字节"},
}

// meeting is what one client of a row met.
type meeting struct{ as, what string }

func (s *scene) visit(address string, c *exercise.Connect) string {
	dialer := net.Dialer{Timeout: patience}
	if c.From != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(c.From)}
	}
	conn, err := dialer.Dial(networkOf(address), address)
	if err != nil {
		return metRefused
	}
	if c.Hold {
		s.held = append(s.held, conn)
	} else {
		defer conn.Close()
	}
	tcp, _ := conn.(*net.TCPConn)
	if tcp != nil && c.HalfClose {
		cork(tcp)
	}
	if c.Say != "" {
		if _, err := io.WriteString(conn, c.Say); err != nil {
			return metReset
		}
	}
	switch {
	case tcp != nil && c.Reset:
		tcp.SetLinger(0) // so that Close resets
		if c.Want == "" {
			return metAnswered
		}
	case tcp != nil && c.HalfClose:
		tcp.CloseWrite()
	}
	return hear(conn, c)
}

func networkOf(address string) string {
	if strings.HasPrefix(address, "/") || strings.HasPrefix(address, "@") {
		return "unix"
	}
	return "tcp"
}

// hear reads until what was wanted is there, or the connection ends, or nothing comes for a while.
func hear(conn net.Conn, c *exercise.Connect) string {
	if c.Want == "" && c.Hold {
		return metAnswered
	}
	wait := c.Patience
	if wait == 0 {
		wait = patience / 5
	}
	conn.SetReadDeadline(time.Now().Add(wait))
	var got bytes.Buffer
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		got.Write(buffer[:n])
		switch {
		case c.Want != "" && strings.Contains(got.String(), c.Want) && (!c.HalfClose || err == io.EOF):
			return metAnswered
		case err == nil:
		case errors.Is(err, io.EOF):
			return metEnded
		case errors.Is(err, os.ErrDeadlineExceeded):
			return metSilent
		default:
			return metReset
		}
	}
}

// askClients counts what the clients of the rows met.
func (s *scene) askClients(q *exercise.Clients) Answer {
	n, of := 0, 0
	for _, m := range s.met {
		if q.As != "" && q.As != m.as {
			continue
		}
		of++
		if m.what == q.Met {
			n++
		}
	}
	return counted(n, q.Count, say("%d of %d clients: %s", "%d / %d 个客户端：%s", n, of, meetings[q.Met]))
}
