package load

import (
	"sync"
	"sync/atomic"
)

// Tally is what all connections of one end come to. Any goroutine may write and read it.
type Tally struct {
	begun, whole, cut atomic.Uint64
	sent, received    atomic.Uint64

	mu    sync.Mutex
	final Totals
}

// Totals is a tally at one moment.
type Totals struct {
	Begun    uint64 // connections
	Whole    uint64 // of them, what was ordered was done
	Cut      uint64 // of them, one end was ordered to cut it off
	Failed   uint64 // of them, something else ended it
	Sent     uint64 // bytes, orders not counted
	Received uint64 // bytes that were checked, right or wrong; an upstream's echo checks none
	// SentSum and ReceivedSum add up CRC-32C of each whole stream that one end sent and the other checked:
	// what one end sent is what the other got.
	SentSum, ReceivedSum uint64
	Account              // of whole connections
	Failures             []string
}

// mostFailures bounds what a tally remembers; it counts all.
const mostFailures = 10

// Totals returns the tally as it is now.
func (t *Tally) Totals() Totals {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.final
	now.Begun, now.Whole, now.Cut = t.begun.Load(), t.whole.Load(), t.cut.Load()
	now.Sent, now.Received = t.sent.Load(), t.received.Load()
	now.Failures = append([]string(nil), now.Failures...)
	return now
}

// Silent counts a client that connects and says nothing.
func (t *Tally) Silent() {
	t.begun.Add(1)
	t.ended(nil, true)
}

// ended counts a connection's end.
func (t *Tally) ended(err error, cut bool) {
	switch {
	case err == nil && cut:
		t.cut.Add(1)
	case err == nil:
		t.whole.Add(1)
	default:
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.final.Failed++; len(t.final.Failures) < mostFailures {
			t.final.Failures = append(t.final.Failures, err.Error())
		}
	}
}

// checked adds a receiver's account, to which the sum of the sender at the other end belongs.
func (t *Tally) checked(v *Verifier) {
	t.account(v.End())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.final.ReceivedSum += uint64(v.Sum)
}

func (t *Tally) account(a Account) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &t.final
	f.Right, f.Lost, f.Doubled = f.Right+a.Right, f.Lost+a.Lost, f.Doubled+a.Doubled
	f.Reordered, f.Corrupt = f.Reordered+a.Reordered, f.Corrupt+a.Corrupt
	if f.First == "" {
		f.First = a.First
	}
}

func (t *Tally) summed(sum uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.final.SentSum += uint64(sum)
}

// BufferSize is the most that is read or written at a time. In bytes.
const BufferSize = 256 << 10

// small serves connections that move little, of which there may be very many.
const small = 4 << 10

var (
	bigBuffers   = sync.Pool{New: func() any { return new([BufferSize]byte) }}
	smallBuffers = sync.Pool{New: func() any { return new([small]byte) }}
)

// lend returns a buffer of size bytes, and how to give it back.
func lend(size int) (p []byte, giveBack func()) {
	if size <= small {
		b := smallBuffers.Get().(*[small]byte)
		return b[:size], func() { smallBuffers.Put(b) }
	}
	b := bigBuffers.Get().(*[BufferSize]byte)
	return b[:size], func() { bigBuffers.Put(b) }
}
