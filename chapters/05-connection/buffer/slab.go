package buffer

// SlabSize is how much memory a buffer takes and gives back at a time, in bytes: Envoy's slice
// size.
const SlabSize = 16 << 10

// slab is one piece of memory of a buffer, or of the pool. Its header is apart from its bytes, so
// that the bytes are exactly what the allocator gives for that size, and the garbage collector
// never looks at them.
//
// Envoy: Buffer::Slice
type slab struct {
	bytes      *[SlabSize]byte
	start, end int32 // of what is readable
	next       *slab
}

func (s *slab) len() int       { return int(s.end - s.start) }
func (s *slab) room() int      { return SlabSize - int(s.end) }
func (s *slab) data() []byte   { return s.bytes[s.start:s.end] }
func (s *slab) behind() []byte { return s.bytes[s.end:] }

// shift moves what is readable to the slab's beginning: all its free room is then behind it.
func (s *slab) shift() {
	n := copy(s.bytes[:], s.data())
	s.start, s.end = 0, int32(n)
}

// Pool lends slabs to the buffers of one thread, the only one that may touch it: there is no lock.
// It keeps some of what comes back and leaves the rest to the garbage collector, so that a burst's
// memory is not held for ever.
//
// Envoy has none: there each slice is the allocator's.
type Pool struct {
	free *slab
	kept int
	keep int
	lent int
}

// NewPool makes a pool that keeps at most keep free slabs.
func NewPool(keep int) *Pool { return &Pool{keep: keep} }

// Lent is how many slabs buffers hold now.
func (p *Pool) Lent() int { return p.lent }

func (p *Pool) lend() *slab {
	p.lent++
	s := p.free
	if s == nil {
		return &slab{bytes: new([SlabSize]byte)}
	}
	p.free, s.next = s.next, nil
	p.kept--
	return s
}

func (p *Pool) giveBack(s *slab) {
	p.lent--
	s.start, s.end, s.next = 0, 0, nil
	if p.kept == p.keep {
		return
	}
	s.next, p.free = p.free, s
	p.kept++
}
