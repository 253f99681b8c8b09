package trace

import "testing"

// reads counts the read calls that were told.
func (b *bench) reads() (n int) {
	for _, s := range b.sink.Ended() {
		if s.Name() == "read" {
			n++
		}
	}
	return n
}

// What was caused waits for its cause. A cause that was taken back never comes, and must hold up nobody.
func TestALostCauseOnTheSameLaneHoldsUpNobody(t *testing.T) {
	b := newBench(Config{Blocks: 4})
	l := b.thread("w")
	b.collector.round(true)
	for l.cur.n != blockLen-1 {
		l.Note("x", 1)
	}
	l.call(acceptCall, 5, 10) // the last record of its block
	accept := l.LastID()
	l.LabelConnection(10, 7)
	s := l.BeginStory(7, accept) // in the next one
	l.EndStory(s, false)
	for range 3 * blockLen { // the ring goes round just so far that the accept is taken back
		l.Note("x", 1)
	}
	const calm = 200
	for range calm {
		l.call(readCall, 5, 1)
		l.Flush()
		b.laterOn()
	}
	b.laterOn()
	if n := b.reads(); n < calm-1 {
		t.Errorf("%d of %d later reads were told", n, calm)
	}
}

func TestALostCauseOnASilentLaneHoldsUpNobody(t *testing.T) {
	b := newBench(Config{Blocks: 4})
	l, o := b.thread("w"), b.thread("o")
	b.collector.round(true)
	var open []Span
	for range blockLen { // one block of begins
		open = append(open, l.Enter(0))
	}
	id, at := l.Posting()
	l.Posted(id, at, 0, "o", "", PostOutcome{}) // the first of the next
	for n := len(open) - 1; n >= 0; n-- {
		open[n].Exit()
	}
	for range 4*blockLen - 60 { // nothing with an id of its own: the post is taken back
		l.Note("x", 1)
	}
	l.Flush()
	o.EnterRun(0, "o", "", id).Exit()
	const calm = 100
	for range calm {
		o.call(readCall, 5, 1)
		o.Flush()
		b.laterOn()
	}
	if n := b.reads(); n < calm-1 {
		t.Errorf("%d of %d reads of the other lane were told", n, calm)
	}
}
