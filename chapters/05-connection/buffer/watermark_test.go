package buffer

import (
	"fmt"
	"testing"
)

// journal writes down what it is told, and may act on it.
type journal struct {
	said             []string
	onAbove, onBelow func(b *Buffer)
}

func (j *journal) AboveHigh(b *Buffer) { j.told("above", b, j.onAbove) }
func (j *journal) BelowLow(b *Buffer)  { j.told("below", b, j.onBelow) }

func (j *journal) told(what string, b *Buffer, act func(*Buffer)) {
	j.said = append(j.said, fmt.Sprint(what, " ", b.Len()))
	if act != nil {
		act(b)
	}
}

func watched(p *Pool, high int) (*Buffer, *journal) {
	j := &journal{}
	b := with(p, 0)
	b.SetWatermarks(high, j)
	return b, j
}

func TestWatermarksAreToldOnceEachTimeTheyAreCrossed(t *testing.T) {
	b, j := watched(NewPool(8), 100)
	b.Add(make([]byte, 100))
	same(t, "at high", j.said, "[]")
	b.Add(make([]byte, 1))
	b.Add(make([]byte, 50))
	same(t, "above high", j.said, "[above 101]")
	b.Drain(100)
	same(t, "above half", j.said, "[above 101]")
	b.Drain(1)
	b.Drain(50)
	same(t, "at half", j.said, "[above 101 below 50]")
	b.Add(make([]byte, 101))
	same(t, "again", j.said, "[above 101 below 50 above 101]")
}

func TestEveryWayInAndOutIsWatched(t *testing.T) {
	p := NewPool(8)
	other := with(p, 1000)
	in := map[string]func(b *Buffer){
		"AddString": func(b *Buffer) { b.AddString("12345678901") },
		"Move":      func(b *Buffer) { b.Move(with(p, 11)) },
		"MoveN":     func(b *Buffer) { b.MoveN(other, 11) },
		"Commit":    func(b *Buffer) { b.Reserve(11, make([][]byte, 0, 1)); b.Commit(11) },
	}
	out := map[string]func(b *Buffer){
		"Drain":      func(b *Buffer) { b.Drain(6) },
		"Move away":  func(b *Buffer) { other.Move(b) },
		"MoveN away": func(b *Buffer) { other.MoveN(b, 6) },
	}
	for enter, add := range in {
		for leave, remove := range out {
			b, j := watched(p, 10)
			add(b)
			remove(b)
			same(t, enter+", "+leave, j.said, fmt.Sprint("[above 11 below ", b.Len(), "]"))
		}
	}
}

func TestTheGiverIsToldBeforeTheTaker(t *testing.T) {
	p := NewPool(8)
	from, j := watched(p, 10)
	to := with(p, 0)
	to.SetWatermarks(11, j)
	from.Add(make([]byte, 12))
	to.Move(from)
	same(t, "order", j.said, "[above 12 below 0 above 12]")
}

func TestANewLimitIsHeldAgainstTheBufferAtOnce(t *testing.T) {
	b, j := watched(NewPool(8), 0)
	b.Add(make([]byte, 1000))
	same(t, "no limit", j.said, "[]")
	b.SetWatermarks(999, j)
	b.SetWatermarks(1500, j)
	b.SetWatermarks(2000, j)
	same(t, "set, raised, raised again", j.said, "[above 1000 below 1000]")
	b.SetWatermarks(10, j)
	b.SetWatermarks(0, nil)
	same(t, "taken away", j.said[2:], "[above 1000 below 1000]")
}

func TestWhoIsToldMayUseTheBuffer(t *testing.T) {
	b, j := watched(NewPool(8), 100)
	j.onAbove = func(b *Buffer) { b.Drain(b.Len()) }
	b.Add(make([]byte, 101))
	same(t, "drained by the one who was told", j.said, "[above 101 below 0]")
	same(t, "left", b.Len(), 0)

	b, j = watched(NewPool(8), 100)
	refilled := false
	j.onBelow = func(b *Buffer) {
		if !refilled {
			refilled = true
			b.Add(make([]byte, 200))
		}
	}
	b.Add(make([]byte, 101))
	b.Drain(101)
	same(t, "refilled by the one who was told", j.said, "[above 101 below 0 above 200]")
}
