package load

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Account is what a receiver found, in bytes.
type Account struct {
	Right     uint64 // in their place, or reordered: each byte of the stream once
	Lost      uint64 // never came
	Doubled   uint64 // came again
	Reordered uint64 // came after bytes that stand behind them
	Corrupt   uint64 // are not of this stream: never sent, or sent to somebody else
	First     string // where the first fault is, "" without one
}

// Faults is 0 for a stream that came as it was sent.
func (a *Account) Faults() uint64 { return a.Lost + a.Doubled + a.Reordered + a.Corrupt }

// Verifier checks what one receiver gets of one stream. Make it with NewVerifier, give each piece to Check in
// the order in which it came, and call End once.
type Verifier struct {
	Account
	// Sum is CRC-32C of what came, as Sum of the sender's bytes.
	Sum uint32

	name    string
	stream  Stream
	total   uint64
	next    uint64 // the offset that should come next
	high    uint64 // everything below it has come, but for the holes
	holes   []span // in order
	garbage uint64 // bytes that came since the last right one and are none of this stream
	hunt    []byte // what came since the stream was lost, and was not yet found in it
}

// span is a piece of a stream, end excluded.
type span struct{ start, end uint64 }

// huntMost bounds what is kept while the stream is lost. In bytes.
const huntMost = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NewVerifier expects total bytes of s. name is how First calls the stream.
func NewVerifier(name string, s Stream, total uint64) *Verifier {
	return &Verifier{name: name, stream: s, total: total}
}

// Next is how far the stream has come.
func (v *Verifier) Next() uint64 { return v.next }

// Check takes the next piece. It keeps nothing of p.
func (v *Verifier) Check(p []byte) {
	v.Sum = crc32.Update(v.Sum, castagnoli, p)
	if len(v.hunt) > 0 {
		v.search(p)
		return
	}
	v.follow(p)
}

// follow takes bytes that should go on where the last ones ended.
func (v *Verifier) follow(p []byte) {
	within := p[:min(uint64(len(p)), v.total-v.next)]
	n := v.stream.Match(within, v.next)
	v.take(v.next, uint64(n))
	if n < len(p) {
		v.search(p[n:])
	}
}

// search looks for the place in the stream where bytes go on that do not belong where they came.
func (v *Verifier) search(p []byte) {
	looked := max(len(v.hunt)-wordSize+1, 0)
	v.hunt = append(v.hunt, p...)
	for i := looked; i+wordSize <= len(v.hunt); i++ {
		index := v.stream.indexOf(binary.LittleEndian.Uint64(v.hunt[i:]))
		if index >= v.total/wordSize {
			continue
		}
		v.resume(i, index*wordSize)
		return
	}
	if keep := wordSize - 1; len(v.hunt) > huntMost {
		v.fault("bytes that are none of this stream", v.next)
		v.garbage += uint64(len(v.hunt) - keep)
		v.hunt = append(v.hunt[:0], v.hunt[len(v.hunt)-keep:]...)
	}
}

// resume goes on at hunt[i], which is the stream's byte at offset. The bytes before it are of the stream, too,
// as far back as they fit; what is before those is garbage.
func (v *Verifier) resume(i int, offset uint64) {
	for i > 0 && offset > 0 && v.hunt[i-1] == v.stream.byteAt(offset-1) {
		i, offset = i-1, offset-1
	}
	v.garbage += uint64(i)
	rest := v.hunt[i:]
	v.hunt = nil
	switch at := v.next + v.garbage; {
	case offset == at:
		v.fault("wrong bytes", v.next)
	case offset > v.next:
		v.fault(fmt.Sprintf("what comes is of byte %d", offset), v.next)
	default:
		v.fault(fmt.Sprintf("what comes is of byte %d again", offset), v.next)
	}
	v.endGarbage(offset)
	v.next = offset
	v.follow(rest)
}

// endGarbage counts the garbage before offset as standing in the place of what is missing there.
func (v *Verifier) endGarbage(offset uint64) {
	v.Corrupt += v.garbage
	if v.next == v.high && offset > v.high {
		v.high += min(v.garbage, offset-v.high)
	}
	v.garbage = 0
}

// take counts n right bytes of the stream from start on.
func (v *Verifier) take(start, n uint64) {
	end := start + n
	if n == 0 {
		return
	}
	if start > v.high {
		v.holes = append(v.holes, span{v.high, start})
	}
	if start < v.high {
		late := v.fill(span{start, min(end, v.high)})
		v.Reordered += late
		v.Doubled += min(end, v.high) - start - late
		v.Right += late
	}
	if end > v.high {
		v.Right += end - max(start, v.high)
		v.high = end
	}
	v.next = end
}

// fill takes s out of the holes and returns how many bytes of it were missing.
func (v *Verifier) fill(s span) (filled uint64) {
	var left []span
	for _, h := range v.holes {
		from, to := max(h.start, s.start), min(h.end, s.end)
		if from >= to {
			left = append(left, h)
			continue
		}
		filled += to - from
		if h.start < from {
			left = append(left, span{h.start, from})
		}
		if to < h.end {
			left = append(left, span{to, h.end})
		}
	}
	v.holes = left
	return filled
}

// End says that nothing more will come, and returns the account.
func (v *Verifier) End() Account {
	if v.garbage += uint64(len(v.hunt)); v.garbage > 0 {
		v.fault("bytes that are none of this stream", v.next)
		v.endGarbage(v.total)
	}
	v.hunt = nil
	if v.high < v.total {
		v.fault(fmt.Sprintf("the end, of %d bytes", v.total), v.high)
		v.holes = append(v.holes, span{v.high, v.total})
	}
	for _, h := range v.holes {
		v.Lost += h.end - h.start
	}
	v.holes = nil
	return v.Account
}

func (v *Verifier) fault(what string, at uint64) {
	if v.First == "" {
		v.First = fmt.Sprintf("%s at byte %d: %s", v.name, at, what)
	}
}
