package trace

// Arm has only the next n connections told that begin from now on; 0 is none, a negative n ends the
// arming: all that Sample keeps are told again. The others are left out as Sample leaves them out, those
// that fail are told as far as they are kept. A connection that began before goes on as it was, told or
// not: no story is cut. Stories that are the program's own are not counted and go by Sample alone: see
// OwnStories.
//
// Any goroutine may call it. The collector comes to it within a tenth of a second, tells Config.Armed,
// and goes by the time of this call. A nil Recorder has nothing to arm.
func (r *Recorder) Arm(n int64) {
	if r != nil {
		r.arming.Store(&arming{max(n, -1), r.now()})
	}
}

// arming is what Arm was asked for.
type arming struct {
	left int64 // connections to tell, -1: all
	at   int64 // from when on
}

// OwnStories says that the stories which this thread begins from now on are the program's own affair,
// such as its admin's connections: arming does not count them.
func (l *Lane) OwnStories() {
	if l != nil {
		l.own = true
	}
}

// arm begins what Arm asked for.
func (s *sampler) arm() {
	s.armable, s.left, s.next = true, s.next.left, nil
	s.heard(s.left)
}

// chooses decides whether a story that begins is told.
func (s *sampler) chooses(t *told) bool {
	if s.left < 0 || t.Flags&flagOwn != 0 {
		return s.keeps(t.Story)
	}
	if s.left == 0 {
		return false
	}
	s.left--
	s.heard(s.left)
	return true
}

// takeArmed is take once Arm was called: what is told of a story then no longer follows from its number.
func (s *sampler) takeArmed(t told) []told {
	if t.Kind == KindStory {
		delete(s.decided, t.Story) // the number comes round again
		if s.chooses(&t) {
			return s.alone(t)
		}
		return s.wait(t)
	}
	if s.telling(&t) {
		if t.Kind == KindStoryEnd {
			s.decide(t.Story, true)
		}
		return s.alone(t)
	}
	keep, ended := s.decided[t.Story]
	switch {
	case ended && !keep:
		return s.leaveOut([]told{t})
	case ended, s.left < 0 && s.waiting[t.Story] == nil && s.keeps(t.Story): // its begin was taken back
		return s.alone(t)
	}
	return s.wait(t)
}

// telling: t is a part of a story that is being told. What has begun is told to end.
func (b *bridge) telling(t *told) bool {
	if b.open[storyRoot(t.Story)] != nil {
		return true
	}
	id, ok := t.enclosing()
	around := b.open[id]
	return ok && around != nil && around.story == t.Story
}
