package trace

import "sync/atomic"

// collector reads the lanes, puts their records in one order, folds idleness and hands what remains to
// the bridge. It runs on one goroutine and needs no lock of its own.
type collector struct {
	recorder *Recorder
	sources  []*source
	bridge   *bridge

	spans      atomic.Uint64 // others may ask how far it is
	sampledOut uint64
}

// source is a lane as the collector sees it.
type source struct {
	lane   uint64
	name   string
	tid    int
	read   reader
	blocks []*block // claimed, oldest first; never more than two
	at     int      // the next record in blocks[0]
	reach  uint64   // the youngest span id read
	count  uint64   // the number the next record has if nothing was taken back
	gaps   int      // how often something was
	lost   uint64   // records taken back that no span has told of yet
	lostAt int64    // the seq after which they would have come
	open   []uint64 // spans started and not ended, outermost first
	turn   uint64   // the turn of the loop that is open, 0 between two
	fold   fold
}

func newCollector(r *Recorder, ids *recordedIDs, from Config) *collector {
	c := &collector{recorder: r}
	c.bridge = newBridge(c, ids, from)
	return c
}

// settle is how long a record waits for older ones of busier threads, in ns.
const settle = 10_000_000

// round takes what the lanes have handed over, oldest first. It reports whether there was anything.
func (c *collector) round(final bool) bool {
	horizon := c.recorder.now() - settle // before the lanes: whoever wrote by then is among them
	c.adoptNewLanes()
	sample, any := &c.bridge.sample, false
	if a := c.recorder.arming.Swap(nil); a != nil {
		sample.next = a
	}
	for s := c.oldest(horizon, final); s != nil; s = c.oldest(horizon, final) {
		any = true
		c.take(s, final)
	}
	if sample.next != nil && horizon >= sample.next.at {
		sample.arm() // all that is older is told
	}
	return any
}

func (c *collector) finish() {
	for _, l := range c.recorder.allLanes() {
		l.Flush()
	}
	c.round(true)
	for _, s := range c.sources {
		s.fold.close(c, s)
	}
	c.bridge.finish()
}

func (c *collector) adoptNewLanes() {
	lanes := c.recorder.allLanes()
	for _, l := range lanes[len(c.sources):] {
		s := &source{lane: l.number, name: l.name, tid: l.first}
		s.read = reader{ring: &l.ring, aside: map[uint64]*block{}}
		c.sources = append(c.sources, s)
	}
}

// oldest is the source whose next record comes next: by time, then by lane; what was caused only after its
// cause, which its own thread may have written down later: a run after its post, a wake after the write.
func (c *collector) oldest(horizon int64, final bool) *source {
	var first *source
	var at int64
	for _, s := range c.sources {
		r := s.head()
		if r == nil || (!final && (r.time() > horizon || !c.ready(s, r))) {
			continue
		}
		if final && !c.ready(s, r) && first != nil {
			continue
		}
		if first == nil || r.time() < at || (final && !c.ready(first, first.head())) {
			first, at = s, r.time()
		}
	}
	return first
}

func (c *collector) ready(s *source, r *Record) bool {
	switch {
	case r.Kind != KindEnd && r.Link != 0:
		lane := r.Link >> 40
		if lane > uint64(len(c.sources)) {
			return true // a story's root
		}
		// Told, or taken back and never to come: on the lane itself whatever is not told by now.
		return lane == s.lane || c.sources[lane-1].reach >= r.Link
	case r.Kind == KindCall && r.Call.MakesFD && r.Ret >= 0:
		return s.second() != nil // the label of the new fd follows
	}
	return true
}

// take moves one record from its source to the fold.
func (c *collector) take(s *source, final bool) {
	r := s.head()
	if first := s.blocks[0].first; s.at == 0 && first != s.count {
		s.lost += first - s.count
		s.count = first
		s.gaps++
		s.fold.close(c, s)
		s.lostAt = c.bridge.seq
		c.bridge.forgetLabels(s)
	}
	if s.at == 0 {
		s.reach = max(s.reach, s.blocks[0].ids) // what is older was told, or taken back
	}
	if s.gaps > 0 {
		c.bridge.endLost(s, r)
	}
	if r.Kind == KindCall && r.Call.MakesFD && r.Ret >= 0 {
		c.bridge.unlabel(r.Ret)
		if label := s.labelAfter(r.Ret); label != nil {
			c.bridge.label(s, label)
		}
	}
	if r.Kind != KindEnd && r.ID>>40 == s.lane {
		s.reach = max(s.reach, r.ID)
	}
	s.fold.take(c, s, r)
	s.advance()
}

// head is the next record of the source, or nil.
func (s *source) head() *Record {
	if len(s.blocks) == 0 && !s.claim() {
		return nil
	}
	return &s.blocks[0].records[s.at]
}

// second is the record read after head, or nil.
func (s *source) second() *Record {
	if s.at+1 < s.blocks[0].n {
		return &s.blocks[0].records[s.at+1]
	}
	if len(s.blocks) == 1 && !s.claim() {
		return nil
	}
	return &s.blocks[1].records[0]
}

// labelAfter is the label that follows the call that made fd, or nil. Beyond a gap it would be another
// life's.
func (s *source) labelAfter(fd int64) *Record {
	next := s.second()
	if next == nil || next.Kind != KindLabel || next.Args[0] != fd {
		return nil
	}
	if s.at+1 == s.blocks[0].n && s.blocks[1].first != s.count+1 {
		return nil
	}
	return next
}

func (s *source) claim() bool {
	b := s.read.claim()
	if b == nil {
		return false
	}
	s.blocks = append(s.blocks, b)
	return true
}

func (s *source) advance() {
	b := s.blocks[0]
	s.at++
	s.count++
	if s.at < b.n {
		return
	}
	s.at = 0
	s.blocks = s.blocks[:copy(s.blocks, s.blocks[1:])]
	s.read.release(b)
}
