package load

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const patience = 20 * time.Second

// proxied starts an upstream and, before it, the plainest of proxies, which spoils what goes through it.
func proxied(t *testing.T, spoil func(d Direction, to io.Writer) io.Writer) (u *Upstream, address string) {
	t.Helper()
	u = NewUpstream()
	t.Cleanup(u.Close)
	upstream, err := u.Listen("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go carry(c.(*net.TCPConn), upstream, spoil)
		}
	}()
	return u, l.Addr().String()
}

func carry(down *net.TCPConn, address string, spoil func(Direction, io.Writer) io.Writer) {
	defer down.Close()
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	up, done := c.(*net.TCPConn), make(chan bool)
	defer up.Close()
	one := func(from, to *net.TCPConn, d Direction) {
		if _, err := io.Copy(spoil(d, to), from); err != nil { // a RST goes on as one
			from.SetLinger(0)
			to.SetLinger(0)
			from.Close()
			to.Close()
		}
		to.CloseWrite()
		done <- true
	}
	go one(down, up, Up)
	go one(up, down, Down)
	<-done
	<-done
}

func asItIs(_ Direction, to io.Writer) io.Writer { return to }

func exchange(t *testing.T, address string, tally *Tally, o Order) error {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	return tally.Exchange(c.(*net.TCPConn), o)
}

func TestEveryKindOfExchangeComesToTheSameSumsAtBothEnds(t *testing.T) {
	u, address := proxied(t, asItIs)
	var tally Tally
	number := uint64(0)
	order := func(o Order) {
		t.Helper()
		number++
		o.Connection = number
		if err := exchange(t, address, &tally, o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, size := range []uint64{0, 1, 1000, 100_000, 3 << 20} {
		for _, ending := range []Ending{HalfClose, Close, Abort} {
			order(Order{Kind: Echo, Up: size, Ending: ending})
			order(Order{Kind: Answer, Up: size, Down: size / 2, Ending: ending, Chunk: 7777})
		}
		order(Order{Kind: Duplex, Up: size, Down: size})
		order(Order{Kind: Duplex, Up: size, Down: size / 3, Ending: Close})
		order(Order{Kind: HalfCloseFirst, Up: size, Down: size / 2})
		order(Order{Kind: SlowReader, Up: size, Down: 5, Chunk: 1 << 20, Pause: time.Microsecond})
		order(Order{Kind: Reset, Up: size, Down: size})
		order(Order{Kind: Echo, Up: size, Ending: Leave})
	}
	order(Order{Kind: ResetAtOnce, Up: 10})
	order(Order{Kind: NeverReader, Up: 64 << 20, Pause: 10 * time.Millisecond})
	u.settle(t, number)
	client, upstream := tally.Totals(), u.Totals()
	for name, got := range map[string]Totals{"client": client, "upstream": upstream} {
		if got.Faults() != 0 || got.Failed != 0 || got.Begun != number || got.Whole+got.Cut != number {
			t.Errorf("%s, of %d: %+v", name, number, got)
		}
	}
	if client.SentSum != upstream.ReceivedSum || client.ReceivedSum != upstream.SentSum || client.SentSum == 0 ||
		upstream.SentSum == 0 {
		t.Errorf("sums differ: client %+v, upstream %+v", client, upstream)
	}
}

// settle waits until the upstream has come to an end with so many connections.
func (u *Upstream) settle(t *testing.T, connections uint64) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		now := u.Totals()
		if now.Whole+now.Cut+now.Failed == connections {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not all %d connections ended: %+v", connections, now)
		}
	}
}

// spoiler does something, once, in the middle of what is written.
type spoiler struct {
	to   io.Writer
	done bool
	do   func(p []byte) [][]byte
}

func (s *spoiler) Write(p []byte) (int, error) {
	pieces := [][]byte{p}
	if half := len(p) / 2; !s.done && half > 1000 {
		s.done = true
		pieces = append([][]byte{p[:half]}, s.do(p[half:])...)
	}
	for _, piece := range pieces {
		if _, err := s.to.Write(piece); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func TestAProxyThatSpoilsAnythingIsCaught(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(p []byte) [][]byte
		many func(Account) uint64
	}{
		"loses": {func(p []byte) [][]byte { return [][]byte{p[100:]} },
			func(a Account) uint64 { return a.Lost }},
		"doubles": {func(p []byte) [][]byte { return [][]byte{p, p[len(p)-100:]} },
			func(a Account) uint64 { return a.Doubled }},
		"corrupts": {func(p []byte) [][]byte { return [][]byte{make([]byte, 100), p[100:]} },
			func(a Account) uint64 { return a.Corrupt }},
	} {
		for _, d := range []Direction{Up, Down} {
			u, address := proxied(t, func(now Direction, to io.Writer) io.Writer {
				if now != d {
					return to
				}
				return &spoiler{to: to, do: c.do}
			})
			var tally Tally
			// The bytes go one way only: the other is an answer of 1 byte.
			o := Order{Kind: Answer, Up: 100_000, Down: 1, Connection: 9}
			if d == Down {
				o.Up, o.Down = 1, 100_000
			}
			if err := exchange(t, address, &tally, o); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			u.settle(t, 1)
			found := u.Totals()
			if d == Down {
				found = tally.Totals()
			}
			if got := c.many(found.Account); got != 100 || found.Faults() != 100 || found.First == "" {
				t.Errorf("it %s 100 bytes: %+v", name, found)
			}
		}
	}
}

func TestAnEchoThatLosesItsEndIsCaught(t *testing.T) {
	u := NewUpstream()
	u.Always = &Order{Kind: Reset, Up: 1000}
	defer u.Close()
	address, err := u.Listen("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	var tally Tally
	err = exchange(t, address, &tally, Order{Kind: Echo, Up: 1000, Connection: 5})
	now := tally.Totals()
	if err == nil || now.Failed != 1 || !strings.Contains(now.Failures[0], "connection 5") {
		t.Errorf("%v, %+v", err, now)
	}
}

func TestWhoSaysNothingAnUpstreamUnderstandsIsAFailure(t *testing.T) {
	u, address := proxied(t, asItIs)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.Write(make([]byte, OrderSize))
	c.Close()
	u.settle(t, 1)
	if got := u.Totals(); got.Failed != 1 || !strings.Contains(got.Failures[0], "no order") {
		t.Errorf("%+v", got)
	}
}

func TestNobodyRefuses(t *testing.T) {
	address, err := Nobody()
	if err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("somebody answered")
	}
}

func TestAConversationGoesOnAsItsCallerLikes(t *testing.T) {
	u, address := proxied(t, asItIs)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var tally Tally
	s, err := tally.Converse(c.(*net.TCPConn), Order{Connection: 1, Up: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 64, 4096, 7} {
		if err := s.Speak(n); err != nil {
			t.Error(err)
		}
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
	u.settle(t, 1)
	if got := tally.Totals(); got.Faults() != 0 || got.Right != 4168 || got.Whole != 1 {
		t.Errorf("%+v", got)
	}
}
