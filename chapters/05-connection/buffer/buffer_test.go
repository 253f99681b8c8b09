package buffer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func with(p *Pool, n int) *Buffer {
	b := new(Buffer)
	b.Init(p)
	b.Add(make([]byte, n))
	return b
}

func content(b *Buffer) string {
	p := make([]byte, b.Len())
	return string(p[:b.CopyOut(p)])
}

func TestABufferIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Buffer{}); n > 80 {
		t.Errorf("%d bytes", n)
	}
}

func TestAnEmptyBufferHoldsNoSlab(t *testing.T) {
	p := NewPool(8)
	b := with(p, 3*SlabSize)
	same(t, "full", p.Lent(), 3)
	b.Drain(2*SlabSize + 1)
	same(t, "almost empty", p.Lent(), 1)
	b.Drain(SlabSize - 1)
	same(t, "empty", p.Lent(), 0)
	b.Commit(len(b.Reserve(100, make([][]byte, 0, 1))) - 1)
	same(t, "after a read that gave nothing", p.Lent(), 0)
}

func TestWholeSlabsAreMovedWithoutACopy(t *testing.T) {
	p := NewPool(8)
	from, to := with(p, 2*SlabSize), with(p, 1)
	first := unsafe.SliceData(from.Front(make([][]byte, 0, 1))[0])
	to.Move(from)
	pieces := to.Front(make([][]byte, 0, 4))
	same(t, "pieces", len(pieces), 3)
	same(t, "the same memory", unsafe.SliceData(pieces[1]) == first, true)
	same(t, "left", from.Len(), 0)
	same(t, "slabs", p.Lent(), 3)
}

func TestASmallPieceIsCopiedWhereItFits(t *testing.T) {
	for _, c := range []struct{ have, moved, slabs int }{
		{1, SlabSize / 2, 1},
		{1, SlabSize/2 + 1, 2},
		{SlabSize - 5, 5, 1},
		{SlabSize - 5, 6, 2},
		{0, 1, 1},
	} {
		p := NewPool(8)
		from, to := with(p, c.moved), with(p, c.have)
		to.Move(from)
		same(t, fmt.Sprint(c.moved, " bytes behind ", c.have), p.Lent(), c.slabs)
		same(t, "bytes", to.Len(), c.have+c.moved)
	}
}

// Each line is a stream of pieces that would hold most memory if nobody took care.
func TestABufferHoldsAtMostTwiceItsBytesAndTwoSlabs(t *testing.T) {
	const half, most = SlabSize / 2, SlabSize
	for name, pieces := range map[string][]struct{ filled, drained int }{
		"a byte each":                          {{1, 0}},
		"just too much to copy":                {{half + 1, 0}},
		"a little at a slab's end":             {{most, most - 10}},
		"much at a slab's end, then little":    {{most, half - 1}, {1, 0}},
		"half, then a byte, both at the end":   {{most, half}, {most, most - 1}},
		"a full one between two that are tiny": {{1, 0}, {most, 0}},
	} {
		p := NewPool(8)
		to := with(p, 1)
		for i := range 400 {
			piece := pieces[i%len(pieces)]
			from := with(p, piece.filled)
			from.Drain(piece.drained)
			to.Move(from)
			if memory := p.Lent() * SlabSize; memory > 2*to.Len()+2*SlabSize {
				t.Fatalf("%s: %d bytes are held in %d after %d pieces", name, to.Len(), memory, i+1)
			}
		}
	}
}

func TestPartOfASlabMovesAndTheRestStays(t *testing.T) {
	p := NewPool(8)
	var from, to Buffer
	from.Init(p)
	to.Init(p)
	from.AddString("GET / HTTP/1.1")
	to.MoveN(&from, 4)
	same(t, "moved", content(&to), "GET ")
	same(t, "left", content(&from), "/ HTTP/1.1")
}

func TestReserveOffersTheLastSlabsRestThenNewSlabs(t *testing.T) {
	p := NewPool(8)
	b := with(p, SlabSize-3)
	pieces := b.Reserve(SlabSize+10, make([][]byte, 0, 4))
	same(t, "pieces", []int{len(pieces[0]), len(pieces[1]), len(pieces[2])}, []int{3, SlabSize, 7})
	same(t, "lent for it", p.Lent(), 3)
	copy(pieces[0], "abc")
	copy(pieces[1], "defg")
	b.Commit(7)
	same(t, "lent at once", p.Lent(), 2)
	b.Drain(SlabSize - 3)
	same(t, "content", content(b), "abcdefg")
}

func TestReserveStopsAtTheCapacityItIsGiven(t *testing.T) {
	p := NewPool(8)
	b := with(p, 0)
	pieces := b.Reserve(1<<20, make([][]byte, 0, 2))
	same(t, "pieces", len(pieces), 2)
	same(t, "lent", p.Lent(), 2)
	b.Reserve(1, pieces[:0])
	same(t, "a second reservation ends the first", p.Lent(), 1)
	b.Commit(0)
	same(t, "lent", p.Lent(), 0)
}

func TestFrontGivesWhatItsCapacityTakes(t *testing.T) {
	b := with(NewPool(8), 5*SlabSize)
	b.Drain(10)
	pieces := b.Front(make([][]byte, 0, 3))
	same(t, "pieces", []int{len(pieces[0]), len(pieces[1]), len(pieces[2])},
		[]int{SlabSize - 10, SlabSize, SlabSize})
	same(t, "appended", len(b.Front(pieces[:1])), 3)
}

func TestCopyOutLeavesTheBytes(t *testing.T) {
	b := with(NewPool(8), SlabSize)
	b.AddString("tail")
	p := make([]byte, SlabSize+2)
	same(t, "copied", b.CopyOut(p), SlabSize+2)
	same(t, "bytes", string(p[SlabSize:]), "ta")
	same(t, "all there is", b.CopyOut(make([]byte, 2*SlabSize)), SlabSize+4)
	same(t, "left", b.Len(), SlabSize+4)
}

func TestThePoolKeepsAFewSlabsAndLetsTheRestGo(t *testing.T) {
	p := NewPool(2)
	b := with(p, 5*SlabSize)
	kept := b.first
	b.Drain(b.Len())
	same(t, "free", freeSlabs(p), 2)
	b.Add([]byte{1})
	same(t, "used again", b.first == kept || b.first == kept.next || p.free == kept, true)
	same(t, "free", freeSlabs(p), 1)
	none := NewPool(0)
	with(none, 1).Drain(1)
	same(t, "a pool that keeps none", freeSlabs(none), 0)
}

func TestAskingForMoreThanThereIsPanics(t *testing.T) {
	p := NewPool(8)
	for name, wrong := range map[string]func(b *Buffer){
		"drained":   func(b *Buffer) { b.Drain(4) },
		"moved":     func(b *Buffer) { new(Buffer).MoveN(b, 4) },
		"committed": func(b *Buffer) { b.Reserve(1, make([][]byte, 0, 1)); b.Commit(2 * SlabSize) },
		"negative":  func(b *Buffer) { b.Drain(-1) },
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.HasPrefix(said, "buffer: more is ") {
					t.Errorf("%s: %v", name, said)
				}
			}()
			wrong(with(p, 3))
		}()
	}
}

// A turn of a proxy: read into one buffer, move to the other, write from there.
func TestASteadyStreamAllocatesNothing(t *testing.T) {
	p := NewPool(8)
	in, out := with(p, 0), with(p, 0)
	var w nobody
	out.SetWatermarks(SlabSize, &w)
	room, ready := make([][]byte, 0, 16), make([][]byte, 0, 16)
	message := bytes.Repeat([]byte("x"), 100)
	n := testing.AllocsPerRun(100, func() {
		in.Reserve(4*SlabSize, room)
		in.Commit(3*SlabSize + 100)
		out.Move(in)
		in.Add(message)
		in.AddString("text")
		out.MoveN(in, 50)
		out.Front(ready)
		out.Drain(out.Len())
		in.Drain(in.Len())
	})
	same(t, "allocations", n, 0)
	same(t, "lent", p.Lent(), 0)
}

type nobody struct{}

func (*nobody) AboveHigh(*Buffer) {}
func (*nobody) BelowLow(*Buffer)  {}

func BenchmarkBulkTurn(b *testing.B) {
	p := NewPool(16)
	in, out := with(p, 0), with(p, 0)
	room := make([][]byte, 0, 16)
	for b.Loop() {
		in.Reserve(4*SlabSize, room)
		in.Commit(4 * SlabSize)
		out.Move(in)
		out.Front(room)
		out.Drain(out.Len())
	}
	b.SetBytes(4 * SlabSize)
}
