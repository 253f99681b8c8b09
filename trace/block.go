package trace

import "sync/atomic"

// blockLen is the number of records in a block: 64 x 128 bytes are two pages.
const blockLen = 64

// block is what a lane hands over. Whoever holds the pointer owns all of it: the lane that fills it,
// the ring while it waits, or the collector. It changes hands by one atomic swap.
type block struct {
	next    *block // in the stack of read blocks
	seq     uint64 // the how-manieth block of its lane
	first   uint64 // the number of its first record, counted from the lane's start
	ids     uint64 // the youngest span id given out before its first record
	keep    bool   // start-up: never taken back
	n       int
	_       [16]byte // records begin on a cache line
	records [blockLen]Record
}

// ring is where a lane leaves full blocks: block seq stands at seq modulo the length. Handing over and
// taking back are the same swap: what comes out of the slot is the oldest block nobody claimed.
type ring struct {
	slots []atomic.Pointer[block]
	read  atomic.Pointer[block] // a stack of blocks the collector is done with
	kept  atomic.Pointer[block] // start-up blocks, whose slots stay empty
}

func push(stack *atomic.Pointer[block], b *block) {
	for {
		b.next = stack.Load()
		if stack.CompareAndSwap(b.next, b) {
			return
		}
	}
}

// reader is the collector's end of a ring: it claims one block at a time, oldest first, so that
// what it has not reached can still be taken back.
type reader struct {
	ring  *ring
	seq   uint64            // the block to claim next
	aside map[uint64]*block // claimed ahead of their turn
}

// claim returns the next block in order, or nil when none waits.
func (r *reader) claim() *block {
	size := uint64(len(r.ring.slots))
	r.takeKept()
	for {
		if b := r.aside[r.seq]; b != nil {
			delete(r.aside, r.seq)
			r.seq++
			return b
		}
		slot := &r.ring.slots[r.seq%size]
		b := slot.Load()
		if b == nil {
			if len(r.aside) == 0 {
				return nil
			}
			r.seq++ // a younger one is here, so this one was written, and taken back
			continue
		}
		if b = slot.Swap(nil); b.seq != r.seq {
			// The lane went round and took back all up to b.seq-size.
			r.aside[b.seq] = b
			r.takeKept()
			r.seq = max(r.seq, b.seq-size+1)
			for s := range r.aside {
				r.seq = min(r.seq, s)
			}
			continue
		}
		r.seq++
		return b
	}
}

func (r *reader) takeKept() {
	if r.ring.kept.Load() == nil {
		return // asked for every record of every other lane: do not take the line from the loop
	}
	for b := r.ring.kept.Swap(nil); b != nil; {
		next := b.next
		r.aside[b.seq] = b
		b = next
	}
}

// release gives a block back to its lane. It drops what the records point at.
func (r *reader) release(b *block) {
	clear(b.records[:b.n])
	push(&r.ring.read, b)
}
