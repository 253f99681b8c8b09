package buffer

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// world is a few buffers of one pool, and beside each a plain slice of bytes that must say the
// same.
type world struct {
	t       testing.TB
	pool    *Pool
	buffers [3]Buffer
	models  [3][]byte
	stream  *rand.ChaCha8       // what is written
	next    func(limit int) int // what is done: from 0 to limit-1
	told    [3]int              // AboveHigh less BelowLow
	scratch []byte
}

const mostBytes = 8 * SlabSize // in one buffer, so that a step stays cheap

func newWorld(t testing.TB, key byte, next func(int) int) *world {
	w := &world{t: t, pool: NewPool(4), stream: rand.NewChaCha8([32]byte{key}), next: next,
		scratch: make([]byte, 4*mostBytes)}
	for i := range w.buffers {
		w.buffers[i].Init(w.pool)
		w.buffers[i].SetWatermarks((i+1)*SlabSize, w)
	}
	return w
}

func (w *world) index(b *Buffer) int {
	for i := range w.buffers {
		if b == &w.buffers[i] {
			return i
		}
	}
	w.t.Fatal("told about a buffer that is not ours")
	return -1
}

func (w *world) AboveHigh(b *Buffer) { w.told[w.index(b)]++ }
func (w *world) BelowLow(b *Buffer)  { w.told[w.index(b)]-- }

// size prefers the sizes at which something changes.
func (w *world) size(most int) int {
	edges := [...]int{0, 1, 2, 100, SlabSize/2 - 1, SlabSize / 2, SlabSize/2 + 1, SlabSize - 1, SlabSize,
		SlabSize + 1, 2 * SlabSize, 3*SlabSize + 5}
	if k := w.next(len(edges) + 4); k < len(edges) {
		return min(edges[k], most)
	}
	return w.next(256) * w.next(256) % (most + 1)
}

func (w *world) fresh(n int) []byte {
	p := make([]byte, n)
	w.stream.Read(p)
	return p
}

func (w *world) step() {
	i, j := w.next(3), w.next(3)
	b, m := &w.buffers[i], &w.models[i]
	switch w.next(6) {
	case 0:
		p := w.fresh(w.size(mostBytes - len(*m)))
		*m = append(*m, p...)
		if w.next(2) == 0 {
			b.AddString(string(p))
		} else {
			b.Add(p)
		}
	case 1:
		n := w.size(len(*m))
		b.Drain(n)
		*m = (*m)[n:]
	case 2:
		w.reserve(b, m)
	case 3:
		if n := len(w.models[j]); i != j && len(*m)+n <= mostBytes {
			b.Move(&w.buffers[j])
			*m, w.models[j] = append(*m, w.models[j]...), nil
		}
	default:
		if n := w.size(len(w.models[j])); i != j && len(*m)+n <= mostBytes {
			b.MoveN(&w.buffers[j], n)
			*m, w.models[j] = append(*m, w.models[j][:n]...), w.models[j][n:]
		}
	}
	w.check()
}

// reserve fills a part of what is offered, as readv would.
func (w *world) reserve(b *Buffer, m *[]byte) {
	n := w.size(mostBytes - len(*m))
	pieces := b.Reserve(n, make([][]byte, 0, 1+w.next(5)))
	offered := 0
	for _, p := range pieces {
		offered += len(p)
	}
	if offered > n || len(pieces) < cap(pieces) && offered != n {
		w.t.Fatalf("%d bytes were asked for, %d offered in %d pieces", n, offered, len(pieces))
	}
	filled := w.fresh(w.size(offered))
	rest := filled
	for _, p := range pieces {
		rest = rest[copy(p, rest):]
	}
	b.Commit(len(filled))
	*m = append(*m, filled...)
}

// check holds everything that is always true.
func (w *world) check() {
	held := 0
	for i := range w.buffers {
		b := &w.buffers[i]
		w.checkContent(b, w.models[i])
		slabs := slabsOf(b)
		held += slabs
		if b.Len() == 0 && slabs != 0 {
			w.t.Fatalf("an empty buffer holds %d slabs", slabs)
		}
		if most := 2*b.Len() + 2*SlabSize; slabs*SlabSize > most {
			w.t.Fatalf("%d bytes are held in %d slabs", b.Len(), slabs)
		}
		w.checkWatermarks(i)
	}
	if w.pool.Lent() != held {
		w.t.Fatalf("%d slabs are lent and %d are held", w.pool.Lent(), held)
	}
	if free := freeSlabs(w.pool); free != w.pool.kept || free > w.pool.keep {
		w.t.Fatalf("%d slabs are free, %d counted, at most %d are to be kept", free, w.pool.kept, w.pool.keep)
	}
}

func (w *world) checkContent(b *Buffer, m []byte) {
	n := b.CopyOut(w.scratch)
	if b.Len() != len(m) || !bytes.Equal(w.scratch[:n], m) {
		w.t.Fatalf("a buffer of %d bytes gave %d, its model has %d; equal: %v",
			b.Len(), n, len(m), bytes.Equal(w.scratch[:n], m))
	}
	at := 0
	for _, p := range b.Front(make([][]byte, 0, 64)) {
		if len(p) == 0 || !bytes.HasPrefix(m[at:], p) {
			w.t.Fatalf("the piece at %d is not what was written, or empty", at)
		}
		at += len(p)
	}
	if at != len(m) {
		w.t.Fatalf("the pieces are %d bytes of %d", at, len(m))
	}
}

func (w *world) checkWatermarks(i int) {
	high, n, above := w.buffers[i].high, w.buffers[i].Len(), w.told[i]
	if above != 0 && above != 1 || n > high && above == 0 || n <= high/2 && above == 1 {
		w.t.Fatalf("%d bytes, limit %d, and it was told too high %d times more often than low", n, high, above)
	}
}

func slabsOf(b *Buffer) (n int) {
	for s := b.first; s != nil; s = s.next {
		n++
	}
	for s := b.reserved; s != nil; s = s.next {
		n++
	}
	return n
}

func freeSlabs(p *Pool) (n int) {
	for s := p.free; s != nil; s = s.next {
		n++
	}
	return n
}

func TestBuffersSayWhatPlainSlicesSayWhateverIsDone(t *testing.T) {
	steps := 5000
	if testing.Short() {
		steps = 1000
	}
	for key := range byte(4) {
		random := rand.New(rand.NewChaCha8([32]byte{key, 1}))
		w := newWorld(t, key, random.IntN)
		for range steps {
			w.step()
		}
		for i := range w.buffers {
			w.buffers[i].Drain(len(w.models[i]))
			w.models[i] = nil
		}
		w.check()
	}
}

func FuzzBuffer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x08\x01\x01\x00\x03\x02\x01\x04\x03"))
	f.Add(bytes.Repeat([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8}, 20))
	f.Fuzz(func(t *testing.T, script []byte) {
		w := newWorld(t, 0, func(limit int) int {
			if len(script) == 0 {
				return 0
			}
			n := int(script[0]) % limit
			script = script[1:]
			return n
		})
		for len(script) > 0 {
			w.step()
		}
	})
}
