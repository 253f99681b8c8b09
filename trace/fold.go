package trace

// fold holds back a thread's turn until it is known whether anything happened in it. Consecutive turns
// with nothing but an empty wait and housekeeping timers become one turn with a repeat count. A wait
// that a signal ended (EINTR) is never folded: it returned a failure, and somebody may ask why.
type fold struct {
	held   []Record // the turn being read, begin first
	idle   []Record // the first idle turn of a row, whole
	turns  int64
	timers int64
	end    int64 // when the last idle turn ended
}

func (f *fold) take(c *collector, s *source, r *Record) {
	switch {
	case r.Kind == KindTurn && len(f.held) == 0:
		f.held = append(f.held[:0], *r)
	case len(f.held) == 0:
		f.close(c, s)
		c.bridge.take(s, r, 1)
	case idleness(r):
		f.held = append(f.held, *r)
		if r.Kind == KindEnd && Kind(r.Ret) == KindTurn {
			f.count(r.End)
		}
	default:
		f.close(c, s)
		c.bridge.take(s, r, 1)
	}
}

// idleness: what may stand in a turn in which nothing happened.
func idleness(r *Record) bool {
	switch r.Kind {
	case KindCall:
		return r.Call.Waits && r.Ret == 0
	case KindTimer:
		return r.Flags&flagHousekeeping != 0
	case KindEnd:
		return Kind(r.Ret) == KindTimer || Kind(r.Ret) == KindTurn
	}
	return false
}

func (f *fold) count(end int64) {
	if f.turns == 0 {
		f.idle = append(f.idle[:0], f.held...)
	}
	f.turns++
	f.end = end
	for i := range f.held {
		if f.held[i].Kind == KindTimer {
			f.timers++
		}
	}
	f.held = f.held[:0]
}

// close tells the idle turns so far, then what is held of the turn being read.
func (f *fold) close(c *collector, s *source) {
	switch {
	case f.turns == 1:
		f.idle[0].Args[3] = f.timers
		for i := range f.idle {
			c.bridge.take(s, &f.idle[i], 1)
		}
	case f.turns > 1:
		f.tellRow(c, s)
	}
	f.turns, f.timers = 0, 0
	for i := range f.held {
		c.bridge.take(s, &f.held[i], 1)
	}
	f.held = f.held[:0]
}

// tellRow tells a row of idle turns as one turn around one wait, each with its repeat count.
func (f *fold) tellRow(c *collector, s *source) {
	for i := range f.idle {
		r := &f.idle[i]
		switch {
		case r.Kind == KindTurn:
			r.Args[3] = f.timers
			c.bridge.take(s, r, f.turns)
		case r.Kind == KindCall:
			c.bridge.take(s, r, f.turns)
		case r.Kind == KindEnd && Kind(r.Ret) == KindTurn:
			r.End = f.end
			c.bridge.take(s, r, 1)
		}
	}
}
