package trace

import "slices"

// sampler leaves out connections that nobody asked to see, by Sample or by Arm. It decides when a
// connection's story ends, because only then is it known whether it failed; what was open at that moment
// ends after it.
type sampler struct {
	Sample
	waiting map[Story][]told // stories to decide, in order
	decided map[Story]bool   // stories that ended lately: whether they are told
	order   []Story          // of decided, a ring
	at      int
	begun   []Story // of waiting, oldest first; those decided since among them
	held    int     // records in waiting
	out     uint64  // spans left out
	one     [1]told

	armable bool               // Arm was called: left rules
	left    int64              // connections that are armed still, -1: all
	next    *arming            // what Arm asked for last, until its time comes
	heard   func(left int64)   // is told of left
	telling func(t *told) bool // t's story is being told
}

// maxWaiting bounds what is kept of a connection that may yet fail: its latest records. maxHeld bounds
// it over all connections: those that live long, and those whose end was taken back.
const (
	maxWaiting = 4096
	maxHeld    = 1 << 17
)

func newSampler(s Sample) sampler {
	return sampler{Sample: s, waiting: map[Story][]told{}, decided: map[Story]bool{},
		order: make([]Story, remembered)}
}

// take returns what may be told now.
func (s *sampler) take(t told) []told {
	if s.next != nil && t.time() >= s.next.at {
		s.arm()
	}
	switch {
	case t.Story == 0 || t.Story >= storyAction:
		return s.alone(t)
	case s.armable:
		return s.takeArmed(t)
	case s.keeps(t.Story):
		return s.alone(t)
	}
	if t.Kind == KindStory {
		delete(s.decided, t.Story) // the number comes round again
	}
	if keep, ok := s.decided[t.Story]; ok && keep {
		return s.alone(t)
	} else if ok {
		return s.leaveOut([]told{t})
	}
	return s.wait(t)
}

// keeps: by its number alone the story is told.
func (s *sampler) keeps(story Story) bool {
	n := uint64(story)
	return s.Every == 0 || n <= s.First || (n-s.First)%s.Every == 0
}

// alone is t and nothing else.
func (s *sampler) alone(t told) []told {
	s.one[0] = t
	return s.one[:]
}

func (s *sampler) wait(t told) []told {
	if len(s.waiting[t.Story]) == 0 {
		s.begun = append(s.begun, t.Story)
	}
	story := append(s.waiting[t.Story], t)
	s.held++
	if t.Kind != KindStoryEnd {
		if len(story) == maxWaiting {
			s.leaveOut(story[1 : maxWaiting/2])
			story = slices.Delete(story, 1, maxWaiting/2) // its root stays
			s.held -= maxWaiting/2 - 1
		}
		s.waiting[t.Story] = story
		s.shed()
		return nil
	}
	delete(s.waiting, t.Story)
	s.held -= len(story)
	if s.decide(t.Story, failed(story)) {
		return story
	}
	return s.leaveOut(story)
}

// shed leaves out the oldest stories while too much is held.
func (s *sampler) shed() {
	for s.held > maxHeld {
		story := s.begun[0]
		s.begun = s.begun[1:]
		if records, ok := s.waiting[story]; ok {
			delete(s.waiting, story)
			s.held -= len(records)
			s.decide(story, false)
			s.leaveOut(records)
		}
	}
	if len(s.begun) > 2*len(s.waiting)+1024 {
		s.begun = slices.DeleteFunc(s.begun, func(story Story) bool { return s.waiting[story] == nil })
	}
}

func (s *sampler) decide(story Story, keep bool) bool {
	delete(s.decided, s.order[s.at])
	s.order[s.at], s.decided[story] = story, keep
	s.at = (s.at + 1) % len(s.order)
	return keep
}

func (s *sampler) leaveOut(story []told) []told {
	for i := range story {
		if k := story[i].Kind; k != KindEnd && k != KindStoryEnd && k != KindNote && k != KindCause {
			s.out++
		}
	}
	return nil
}

func failed(story []told) bool {
	for i := range story {
		t := &story[i]
		if t.Flags&flagFailed != 0 && t.Kind == KindStoryEnd {
			return true
		}
		if t.Kind == KindCall && t.Ret < 0 && !transient(t.Call.ErrnoName(int(-t.Ret))) {
			return true
		}
	}
	return false
}

// rest returns the stories that never ended: a process that stops tells what it was doing.
func (s *sampler) rest() (all []told) {
	for story, ts := range s.waiting {
		all = append(all, ts...)
		delete(s.waiting, story)
	}
	return all
}

// recentStories remembers which story the latest spans belonged to, so that a link to an ended
// span can name its trace.
type recentStories struct {
	story map[uint64]Story
	order []uint64
	at    int
}

const remembered = 1 << 16

func newRecentStories() recentStories {
	return recentStories{story: make(map[uint64]Story), order: make([]uint64, remembered)}
}

func (r *recentStories) add(id uint64, story Story) {
	delete(r.story, r.order[r.at])
	r.order[r.at] = id
	r.story[id] = story
	r.at = (r.at + 1) % remembered
}

func (r *recentStories) of(id uint64) (Story, bool) {
	s, ok := r.story[id]
	return s, ok
}

// postNumbers counts posts, 1, 2, 3, in the order they are told: what the tree calls #1.
type postNumbers struct {
	last    int64
	waiting map[uint64]int64 // told, and their runs are still to come
}

func (p *postNumbers) told(id uint64) int64 {
	if len(p.waiting) >= remembered {
		clear(p.waiting) // their runs were lost
	}
	p.last++
	p.waiting[id] = p.last
	return p.last
}

// run is the number of the post that is run, 0 where nobody told it.
func (p *postNumbers) run(id uint64) int64 {
	n := p.waiting[id]
	delete(p.waiting, id)
	return n
}
