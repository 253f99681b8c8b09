package buffer

// Reserve appends free room for up to n bytes to into, as many pieces as its capacity takes: the
// rest of the last slab, then new slabs. The bytes written there, from the front and without a gap,
// become part of the buffer by Commit, which must be the buffer's next call: it also gives the
// unused slabs back.
//
// Envoy: Buffer::OwnedImpl::reserve
func (b *Buffer) Reserve(n int, into [][]byte) [][]byte {
	b.giveBackReserved()
	room, place := b.tail(n), &b.reserved
	for n > 0 && len(into) < cap(into) {
		if len(room) == 0 {
			*place = b.pool.lend()
			room = (*place).behind()
			place = &(*place).next
		}
		room = room[:min(n, len(room))]
		into = append(into, room)
		n -= len(room)
		room = nil
	}
	return into
}

// Commit keeps the first n bytes of what Reserve lent. It panics if that was less.
//
// Envoy: Buffer::OwnedImpl::commit
func (b *Buffer) Commit(n int) {
	b.length += n
	if b.last != nil {
		n -= b.fill(n)
	}
	for n > 0 {
		s := b.reserved
		if s == nil {
			panic("buffer: more is committed than was reserved")
		}
		b.reserved, s.next = s.next, nil
		b.link(s)
		n -= b.fill(n)
	}
	b.giveBackReserved()
	b.checkWatermarks()
}

func (b *Buffer) giveBackReserved() {
	for s := b.reserved; s != nil; s = b.reserved {
		b.reserved = s.next
		b.pool.giveBack(s)
	}
}

// fill makes up to n bytes behind the last slab's end readable.
func (b *Buffer) fill(n int) int {
	n = min(n, b.last.room())
	b.last.end += int32(n)
	return n
}
