// Package buffer holds the bytes that wait between two sockets.
//
// A Buffer is a queue of bytes in slabs of 16 KiB that the thread's Pool lends. Bytes enter at the
// end and leave at the front; whole slabs wander from buffer to buffer without being copied. A
// buffer belongs to one thread, and all its calls are that thread's.
//
// What a buffer holds. No slab while it is empty; otherwise at most twice its bytes, and two slabs.
// A slab that is handed over may be nearly empty, so many small messages could hold many slabs.
// Hence: at most half a slab of bytes is copied if the last slab of the receiving buffer can take
// it. Of two neighbours (the first slab apart, which is drained from the front) either the second
// is more than half full or both together are more than one slab.
// TestABufferHoldsAtMostTwiceItsBytesAndTwoSlabs holds this.
package buffer

// Buffer is the queue. Init comes before anything else. It is small, for an idle connection keeps
// two.
//
// Envoy: Buffer::OwnedImpl, with the watermarks of Buffer::WatermarkBuffer
type Buffer struct {
	pool        *Pool
	first, last *slab
	reserved    *slab // lent by Reserve, behind last, until Commit
	length      int
	watermarks  Watermarks
	high        int
	above       bool
}

// Init gives an empty buffer the pool of its thread.
func (b *Buffer) Init(p *Pool) { *b = Buffer{pool: p} }

// Len is how many bytes are in the buffer.
//
// Envoy: Buffer::OwnedImpl::length
func (b *Buffer) Len() int { return b.length }

// Add copies p to the end.
//
// Envoy: Buffer::OwnedImpl::add
func (b *Buffer) Add(p []byte) { add(b, p) }

// AddString is Add for a string.
func (b *Buffer) AddString(s string) { add(b, s) }

func add[T []byte | string](b *Buffer, p T) {
	appendBytes(b, p)
	b.checkWatermarks()
}

// appendBytes copies p to the end: into what the last slab has left, then into new slabs.
func appendBytes[T []byte | string](b *Buffer, p T) {
	b.length += len(p)
	for room := b.tail(len(p)); len(p) > 0; room = b.last.behind() {
		if len(room) == 0 {
			b.link(b.pool.lend())
			continue
		}
		n := copy(room, p)
		b.last.end += int32(n)
		p = p[n:]
	}
}

// tail is the free room of the last slab. If n bytes are more than that, the slab is shifted first,
// unless it is also the first: that one may be drained and filled in turn, byte by byte, and would
// be shifted for each. Any other is shifted at most once.
func (b *Buffer) tail(n int) []byte {
	s := b.last
	if s == nil {
		return nil
	}
	if n > s.room() && s.start > 0 && s != b.first {
		s.shift()
	}
	return s.behind()
}

func (b *Buffer) link(s *slab) {
	if b.last == nil {
		b.first = s
	} else {
		b.last.next = s
	}
	b.last = s
}

// Move takes all bytes of from, which is of the same thread, to the end. Slabs change hands; only a
// small piece is copied.
//
// Envoy: Buffer::OwnedImpl::move
func (b *Buffer) Move(from *Buffer) { b.MoveN(from, from.length) }

// MoveN takes the first n bytes of from. It panics if there are not so many.
//
// Envoy: Buffer::OwnedImpl::move
func (b *Buffer) MoveN(from *Buffer, n int) {
	if n < 0 || n > from.length {
		panic("buffer: more is moved than there is")
	}
	for n > 0 {
		s := from.first
		if n < s.len() {
			appendBytes(b, s.data()[:n])
			from.skip(n)
			break
		}
		n -= s.len()
		from.length -= s.len()
		from.unlink()
		b.takeOver(s)
	}
	from.checkWatermarks()
	b.checkWatermarks()
}

// takeOver puts a slab that was unlinked from another buffer to the end, or its bytes if they are
// few.
func (b *Buffer) takeOver(s *slab) {
	n := s.len()
	if n <= SlabSize/2 && b.last != nil && n <= len(b.tail(n)) {
		appendBytes(b, s.data())
		b.pool.giveBack(s)
		return
	}
	b.link(s)
	b.length += n
}

// unlink takes the first slab out.
func (b *Buffer) unlink() {
	s := b.first
	if b.first = s.next; b.first == nil {
		b.last = nil
	}
	s.next = nil
}

// Drain drops the first n bytes. It panics if there are not so many.
//
// Envoy: Buffer::OwnedImpl::drain
func (b *Buffer) Drain(n int) {
	if n < 0 || n > b.length {
		panic("buffer: more is drained than there is")
	}
	b.skip(n)
	b.checkWatermarks()
}

func (b *Buffer) skip(n int) {
	b.length -= n
	for n > 0 {
		s := b.first
		if n < s.len() {
			s.start += int32(n)
			return
		}
		n -= s.len()
		b.unlink()
		b.pool.giveBack(s)
	}
}

// CopyOut copies the first bytes to p, which stay in the buffer, and returns how many: all that
// there are, or as many as p takes.
//
// Envoy: Buffer::OwnedImpl::copyOut
func (b *Buffer) CopyOut(p []byte) int {
	n := 0
	for s := b.first; s != nil && n < len(p); s = s.next {
		n += copy(p[n:], s.data())
	}
	return n
}

// Front appends the readable pieces to into, first bytes first, as many as its capacity takes. They
// are lent until the buffer's next change.
//
// Envoy: Buffer::OwnedImpl::getRawSlices
func (b *Buffer) Front(into [][]byte) [][]byte {
	for s := b.first; s != nil && len(into) < cap(into); s = s.next {
		into = append(into, s.data())
	}
	return into
}
