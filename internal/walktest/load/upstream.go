package load

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Upstream is the other end of the connections: it does what their orders say.
type Upstream struct {
	Tally
	// Always, where it is not nil, is done for every connection, and no order is read.
	Always *Order

	mu     sync.Mutex
	open   map[io.Closer]struct{} // nil once closed
	closed chan struct{}
	all    sync.WaitGroup
}

// NewUpstream returns an upstream that does not listen yet.
func NewUpstream() *Upstream {
	return &Upstream{open: map[io.Closer]struct{}{}, closed: make(chan struct{})}
}

// Listen serves one more address of 127.0.0.0/8, or ::1, on a port that the kernel chooses; it returns both.
func (u *Upstream) Listen(ip string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return "", err
	}
	u.Serve(l.(*net.TCPListener))
	return l.Addr().String(), nil
}

// Serve takes over a listener, and returns.
func (u *Upstream) Serve(l *net.TCPListener) {
	if !u.enter(l) {
		return
	}
	go func() {
		defer u.leave(l)
		for {
			c, err := l.AcceptTCP()
			switch {
			case err == nil && u.enter(c):
				go u.serve(c)
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil:
				time.Sleep(10 * time.Millisecond) // no fd is free
			}
		}
	}()
}

// enter keeps what Close must close. False: it came too late, and is closed.
func (u *Upstream) enter(c io.Closer) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open == nil {
		c.Close()
		return false
	}
	u.open[c] = struct{}{}
	u.all.Add(1)
	return true
}

func (u *Upstream) leave(c io.Closer) {
	c.Close()
	u.mu.Lock()
	delete(u.open, c)
	u.mu.Unlock()
	u.all.Done()
}

// Close closes all listeners and connections, and waits until nobody serves them.
func (u *Upstream) Close() {
	u.mu.Lock()
	if u.open != nil {
		close(u.closed)
	}
	for c := range u.open {
		c.Close()
	}
	u.open = nil
	u.mu.Unlock()
	u.all.Wait()
}

func (u *Upstream) serve(c *net.TCPConn) {
	defer u.leave(c)
	u.begun.Add(1)
	e := &end{TCPConn: c, tally: &u.Tally}
	if u.Always != nil {
		e.Order = *u.Always
	} else if o, err := readOrder(c); errors.Is(err, errNoOrder) {
		u.ended(fmt.Errorf("%s: %w", c.RemoteAddr(), err), false)
		return
	} else if err != nil {
		u.ended(nil, true) // the client left before it said anything
		return
	} else {
		e.Order = o
	}
	err := e.upstream(u.closed)
	if e.cut() {
		err = nil
	}
	u.ended(err, e.cut())
}

func (e *end) upstream(closed <-chan struct{}) error {
	switch e.Kind {
	case Echo:
		return e.echo()
	case Duplex:
		sent := make(chan error, 1)
		go func() { sent <- e.upstreamSends() }()
		return errors.Join(e.upstreamReceives(), <-sent)
	case HalfCloseFirst:
		if err := e.upstreamSends(); err != nil {
			return err
		}
		return e.upstreamReceives()
	case NeverReader:
		select {
		case <-time.After(e.Pause):
		case <-closed:
		}
		return nil
	case ResetAtOnce:
		e.reset()
		return nil
	case Reset:
		defer e.reset()
		if _, err := e.receive(Up, e.Up, false); err != nil {
			return err
		}
		_, err := e.send(nil, Down, e.Down)
		return err
	case SlowReader:
		e.pause = e.Pause
	}
	if err := e.upstreamReceives(); err != nil {
		return err
	}
	return e.upstreamSends()
}

// upstreamReceives checks what comes up, to its end where the client shows one.
func (e *end) upstreamReceives() error {
	v, err := e.receive(Up, e.Up, e.Ending == HalfClose || e.Kind == HalfCloseFirst || e.Kind == Duplex)
	switch {
	case e.cut():
	case err != nil:
		e.tally.account(v.End())
	default:
		e.tally.checked(v)
	}
	return err
}

func (e *end) upstreamSends() error {
	sum, err := e.send(nil, Down, e.Down)
	if err != nil {
		return err
	}
	if !e.cut() {
		e.tally.summed(sum)
	}
	e.CloseWrite()
	if e.Kind == Answer || e.Kind == SlowReader {
		e.awaitEnd()
	}
	return nil
}

// awaitEnd waits for the client's end, FIN or RST: closing first could cost it bytes.
func (e *end) awaitEnd() {
	var p [1]byte
	for {
		if _, err := e.Read(p[:]); err != nil {
			return
		}
	}
}

// echoInKernel is from where on moving bytes without looking at them pays.
const echoInKernel = 1 << 20

func (e *end) echo() error {
	if e.Up >= echoInKernel {
		n, err := io.Copy(e.TCPConn, e.TCPConn)
		e.tally.sent.Add(uint64(n))
		return e.echoed(err)
	}
	p, giveBack := lend(int(min(uint64(e.chunk()), e.Up+1)))
	defer giveBack()
	for {
		n, err := e.Read(p)
		if err != nil {
			return e.echoed(err)
		}
		n, err = e.Write(p[:n])
		e.tally.sent.Add(uint64(n))
		if err != nil {
			return e.echoed(err)
		}
	}
}

// echoed is how an echo ended: a client that aborts has got all it wanted, and a RST is its way to say so.
func (e *end) echoed(err error) error {
	if err == io.EOF {
		err = nil
	}
	if err == nil && e.Ending == HalfClose {
		return e.CloseWrite()
	}
	if e.Ending == Abort {
		return nil
	}
	if err != nil {
		return fmt.Errorf("connection %d, its echo: %w", e.Connection, err)
	}
	return nil
}

// Nobody returns an address on which nobody listens: whoever connects is refused.
func Nobody() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
