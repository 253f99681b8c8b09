package load

import (
	"fmt"
	"net"
)

// Conversation is a client whose caller decides when it speaks: an Echo over a connection that is held open.
type Conversation struct {
	end
	v    *Verifier
	said uint64
}

// Converse sends the order of an Echo of at most o.Up bytes on a fresh connection. The caller ends it with End.
func (t *Tally) Converse(c *net.TCPConn, o Order) (*Conversation, error) {
	t.begun.Add(1)
	o.Kind, o.Ending = Echo, HalfClose
	s := &Conversation{end: end{TCPConn: c, Order: o, tally: t}}
	s.v = NewVerifier(s.name(Down), NewStream(o.Connection, Up), o.Up)
	if _, err := c.Write(s.Encode(nil)); err != nil {
		return nil, s.failed(fmt.Errorf("connection %d, sending its order: %w", o.Connection, err))
	}
	return s, nil
}

// Speak sends the next n bytes, at most 4096, and waits until as many came back. After an error the
// conversation is over.
func (s *Conversation) Speak(n int) error {
	p, giveBack := lend(n)
	defer giveBack()
	NewStream(s.Connection, Up).Fill(p, s.said)
	if _, err := s.Write(p); err != nil {
		return s.failed(fmt.Errorf("connection %d, sending byte %d: %w", s.Connection, s.said, err))
	}
	s.said += uint64(n)
	s.tally.sent.Add(uint64(n))
	for back := 0; back < n; {
		got, err := s.Read(p[:n-back])
		s.v.Check(p[:got])
		s.tally.received.Add(uint64(got))
		if back += got; err != nil {
			return s.failed(fmt.Errorf("connection %d, awaiting byte %d of %d: %w", s.Connection,
				s.said-uint64(n-back), s.said, err))
		}
	}
	return nil
}

// End says goodbye, and waits for the other end to do so.
func (s *Conversation) End() error {
	if err := s.CloseWrite(); err != nil {
		return s.failed(fmt.Errorf("connection %d, sending its FIN: %w", s.Connection, err))
	}
	var p [64]byte
	for n, err := s.Read(p[:]); ; n, err = s.Read(p[:]) {
		s.v.Check(p[:n])
		if err != nil {
			break
		}
	}
	s.v.total = s.said
	s.tally.account(s.v.End())
	s.Close()
	s.tally.ended(nil, false)
	return nil
}

func (s *Conversation) failed(err error) error {
	s.Close()
	s.v.total = s.said
	s.tally.account(s.v.End())
	s.tally.ended(err, false)
	return err
}
