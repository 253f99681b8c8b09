package load

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// Kind is what the upstream of a connection does.
type Kind uint8

const (
	// Echo sends back what comes, until its end.
	Echo Kind = iota
	// Answer reads Up bytes to their end, and only then sends Down bytes.
	Answer
	// Duplex sends Down bytes while Up bytes come.
	Duplex
	// HalfCloseFirst sends Down bytes and a FIN before it reads anything. The client begins after that FIN.
	HalfCloseFirst
	// SlowReader is Answer with a Pause before each read of at most Chunk bytes.
	SlowReader
	// NeverReader reads nothing, for as long as Pause; then it closes.
	NeverReader
	// Reset reads Up bytes, sends Down bytes and then a RST.
	Reset
	// ResetAtOnce sends a RST as soon as the order is read.
	ResetAtOnce
	kinds
)

// Ending is how the client ends a connection.
type Ending uint8

const (
	// HalfClose sends a FIN after Up bytes and reads to the upstream's FIN.
	HalfClose Ending = iota
	// Close closes when Down bytes have come (for Echo: when all are back), before any FIN.
	Close
	// Abort does so with a RST. Not for Duplex: what is under way up would be lost.
	Abort
	// Leave sends a RST after Up bytes without reading any.
	Leave
	endings
)

// Order is what client and upstream of one connection do. The client sends it first.
type Order struct {
	Connection uint64 // which bytes are sent
	Up, Down   uint64 // how many; Echo takes its Down from Up
	Chunk      uint32 // most bytes of one read or write, 0: BufferSize
	Kind       Kind
	Ending     Ending
	Pause      time.Duration // before each read of a SlowReader, before the end of a NeverReader
	// ClientPause is the client's own pause before each of its reads. It is not sent.
	ClientPause time.Duration
}

// OrderSize is how long an order is on the wire.
const OrderSize = 48

const orderMagic = 0x6b6c61770a0d01ff

var errNoOrder = errors.New("the first bytes of the connection are no order")

// Encode appends the order as it is sent.
func (o *Order) Encode(p []byte) []byte {
	for _, x := range [...]uint64{orderMagic, o.Connection, o.Up, o.Down, uint64(o.Pause)} {
		p = binary.LittleEndian.AppendUint64(p, x)
	}
	p = binary.LittleEndian.AppendUint32(p, o.Chunk)
	return append(p, byte(o.Kind), byte(o.Ending), 0, 0)
}

// readOrder returns io.EOF where the connection ended before its first byte.
func readOrder(from io.Reader) (o Order, err error) {
	var p [OrderSize]byte
	if _, err = io.ReadFull(from, p[:]); err != nil {
		return o, err
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(p[8*i:]) }
	o = Order{Connection: at(1), Up: at(2), Down: at(3), Pause: time.Duration(at(4)),
		Chunk: binary.LittleEndian.Uint32(p[40:]), Kind: Kind(p[44]), Ending: Ending(p[45])}
	if at(0) != orderMagic || o.Kind >= kinds || o.Ending >= endings || p[46]|p[47] != 0 {
		return o, errNoOrder
	}
	return o, nil
}

// cut: the order itself is to cut the connection off, so what did not arrive is nobody's fault.
func (o *Order) cut() bool {
	return o.Ending == Leave || o.Kind == NeverReader || o.Kind == Reset || o.Kind == ResetAtOnce
}

// back is how many bytes the client gets.
func (o *Order) back() uint64 {
	if o.Kind == Echo {
		return o.Up
	}
	return o.Down
}

func (o *Order) chunk() int {
	if o.Chunk == 0 || o.Chunk > BufferSize {
		return BufferSize
	}
	return int(o.Chunk)
}
