package load

import (
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"
)

// end is one end of a connection at work.
type end struct {
	*net.TCPConn
	Order
	tally *Tally
	pause time.Duration // before each read
}

// send sends total bytes of a stream, in one write with front where that is not nil. It returns their sum.
func (e *end) send(front []byte, d Direction, total uint64) (sum uint32, err error) {
	p, giveBack := lend(int(min(uint64(e.chunk()), max(total, 1))))
	defer giveBack()
	s := NewStream(e.Connection, d)
	for at := uint64(0); at < total || front != nil; {
		piece := p[:min(uint64(len(p)), total-at)]
		s.Fill(piece, at)
		sum = crc32.Update(sum, castagnoli, piece)
		n, err := e.writeBoth(front, piece)
		e.tally.sent.Add(uint64(n))
		if at += uint64(n); err != nil {
			return 0, fmt.Errorf("connection %d, sending byte %d of %d: %w", e.Connection, at, total, err)
		}
		front = nil
	}
	return sum, nil
}

// writeBoth returns how many bytes of piece were written.
func (e *end) writeBoth(front, piece []byte) (int, error) {
	if front == nil {
		return e.Write(piece)
	}
	n, err := (&net.Buffers{front, piece}).WriteTo(e.TCPConn)
	return max(int(n)-len(front), 0), err
}

// receive checks a stream, to its end or, with toEnd false, until total bytes have come.
func (e *end) receive(d Direction, total uint64, toEnd bool) (*Verifier, error) {
	p, giveBack := lend(int(min(uint64(e.chunk()), total+1)))
	defer giveBack()
	v := NewVerifier(e.name(d), NewStream(e.Connection, d), total)
	if e.Kind == Echo {
		v.stream = NewStream(e.Connection, Up)
	}
	for got := uint64(0); toEnd || got < total; {
		if e.pause > 0 {
			time.Sleep(e.pause)
		}
		n, err := e.Read(p)
		v.Check(p[:n])
		got += uint64(n)
		e.tally.received.Add(uint64(n))
		if err == io.EOF {
			return v, nil
		}
		if err != nil {
			return v, fmt.Errorf("connection %d, receiving byte %d of %d: %w", e.Connection, got, total, err)
		}
	}
	return v, nil
}

func (e *end) name(d Direction) string {
	if d == Up {
		return fmt.Sprintf("connection %d up", e.Connection)
	}
	return fmt.Sprintf("connection %d down", e.Connection)
}

// reset closes with a RST.
func (e *end) reset() {
	e.SetLinger(0)
	e.Close()
}
