package load

import (
	"fmt"
	"net"
)

// inOneGo is how much a client may send before it reads, without the other end having to read meanwhile.
const inOneGo = 32 << 10

// Exchange carries out the client's part of an order on a fresh connection, which it closes. It blocks until
// that is done, or the connection's deadline is over. What it finds is in the tally; the error is one that the
// order does not explain.
func (t *Tally) Exchange(c *net.TCPConn, o Order) error {
	t.begun.Add(1)
	e := &end{TCPConn: c, Order: o, tally: t, pause: o.ClientPause}
	err := e.client()
	if o.cut() {
		err = nil
	}
	if o.Ending == Abort || o.Ending == Leave {
		e.reset()
	} else {
		c.Close()
	}
	t.ended(err, o.cut())
	return err
}

func (e *end) client() error {
	order := e.Encode(make([]byte, 0, OrderSize))
	switch {
	case e.Ending == Leave:
		_, err := e.send(order, Up, e.Up)
		return err
	case e.Kind == HalfCloseFirst:
		if _, err := e.Write(order); err != nil {
			return fmt.Errorf("connection %d, sending its order: %w", e.Connection, err)
		}
		if err := e.clientReceives(nil); err != nil {
			return err
		}
		return e.clientSends(nil, nil)
	case e.Up <= inOneGo:
		sum := new(uint32)
		if err := e.clientSends(order, sum); err != nil {
			return err
		}
		return e.clientReceives(sum)
	}
	return e.bothWays(order)
}

func (e *end) bothWays(order []byte) error {
	sent, sum := make(chan error, 1), new(uint32)
	go func() { sent <- e.clientSends(order, sum) }()
	v, err := e.receive(Down, e.back(), e.Ending == HalfClose)
	if err != nil {
		e.Close() // or the sender may wait for ever
	}
	if sending := <-sent; sending != nil && err == nil {
		err = sending
	}
	return e.judge(v, err, sum)
}

func (e *end) clientSends(order []byte, keep *uint32) error {
	sum, err := e.send(order, Up, e.Up)
	if err != nil {
		return err
	}
	if keep != nil {
		*keep = sum
	}
	if e.Kind != Echo && !e.cut() {
		e.tally.summed(sum)
	}
	if e.Ending == HalfClose {
		if err := e.CloseWrite(); err != nil {
			return fmt.Errorf("connection %d, sending its FIN: %w", e.Connection, err)
		}
	}
	return nil
}

func (e *end) clientReceives(sum *uint32) error {
	v, err := e.receive(Down, e.back(), e.Ending == HalfClose)
	return e.judge(v, err, sum)
}

// judge looks at what came down. sent is the sum of what went up.
func (e *end) judge(v *Verifier, err error, sent *uint32) error {
	if e.cut() {
		v.total = max(v.next, v.high)
		e.tally.account(v.End())
		return err
	}
	if err != nil {
		e.tally.account(v.End())
		return err
	}
	if e.Kind != Echo {
		e.tally.checked(v)
		return nil
	}
	account := v.End()
	e.tally.account(account)
	if account.Faults() == 0 && v.Sum != *sent {
		return fmt.Errorf("connection %d: the sum of what went up is %08x, of what came back %08x", e.Connection,
			*sent, v.Sum)
	}
	return nil
}
