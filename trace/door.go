package trace

import "envoywalk/internal/step"

// What the doors of the event loop and of the kernel tell. They read the clock.

// EnterTurn begins a turn of the loop that runs on this thread.
//
//go:noinline
func (l *Lane) EnterTurn() Span {
	if l == nil {
		return Span{}
	}
	l.last = l.recorder.now()
	story := l.topStory()
	if story == StoryStartup && !l.keep {
		story = l.story
	}
	return l.begin(KindTurn, step.None, story, 0, CallerPC())
}

// EnterEvent begins the delivery of ready bits to the file event of fd.
//
//go:noinline
func (l *Lane) EnterEvent(s step.Step, fd int, bits uint32) Span {
	if l == nil {
		return Span{}
	}
	sp := l.beginTimed(KindEvent, s, 0, CallerPC())
	r := l.lastRecord()
	r.Args[2], r.Args[3] = int64(fd)+1, int64(bits)
	return sp
}

// EnterTimer begins a timer's callback. A housekeeping timer alone does not make a turn worth telling.
//
//go:noinline
func (l *Lane) EnterTimer(name string, housekeeping bool) Span {
	if l == nil {
		return Span{}
	}
	sp := l.beginTimed(KindTimer, step.None, 0, CallerPC())
	r := l.lastRecord()
	r.Text = name
	if housekeeping {
		r.Flags |= flagHousekeeping
	}
	return sp
}

// EnterRun begins the run of a post on the dispatcher of that name. Link is the post's span.
//
//go:noinline
func (l *Lane) EnterRun(s step.Step, name, subject string, link uint64) Span {
	if l == nil {
		return Span{}
	}
	sp := l.beginTimed(KindRun, s, link, CallerPC())
	l.lastRecord().Text = withSubject(name, subject)
	return sp
}

// EnterDelete begins a deferred delete of n objects.
//
//go:noinline
func (l *Lane) EnterDelete(n int) Span {
	if l == nil {
		return Span{}
	}
	sp := l.beginTimed(KindDelete, step.None, 0, CallerPC())
	l.lastRecord().Args[3] = int64(n)
	return sp
}

// Posting returns the id and the time of a post about to be queued. The post is told afterwards,
// with Posted, when it is known whether it had to wake the loop; its time is that of Posting, so
// that no run can be older than its post.
func (l *Lane) Posting() (id uint64, at int64) {
	if l == nil {
		return 0, 0
	}
	l.last = l.recorder.now()
	return l.newID(), l.last
}

// PostOutcome is what the poster saw under the queue's lock.
type PostOutcome struct {
	Queued  int  // posts waiting, this one included
	Running bool // the loop runs
	Woke    bool // so the eventfd is written
}

// Posted tells the post that Posting announced. subject is what it is about, "" where the step says it.
//
//go:noinline
func (l *Lane) Posted(id uint64, at int64, s step.Step, to, subject string, o PostOutcome) {
	if l == nil {
		return
	}
	r := l.slot()
	if l.cur.n == 1 {
		l.cur.ids = id - 1 // given out before this block, and told only in it
	}
	parent, parentStory := l.top()
	*r = Record{Kind: KindPost, Step: s, Story: l.topStory(), ID: id, Begin: at, End: at,
		PC: CallerPC(), Text: withSubject(to, subject)}
	r.Args = [6]int64{int64(parent), int64(parentStory), 0, int64(o.Queued), int64(l.tid)}
	if o.Running {
		r.Flags |= flagRunning
	}
	if o.Woke {
		r.Flags |= flagWoke
	}
}

// withSubject is the one text of a post or a run: its dispatcher and, behind a NUL, what it is about.
func withSubject(dispatcher, subject string) string {
	if subject == "" {
		return dispatcher
	}
	return dispatcher + "\x00" + subject
}

// Call tells a system call that is over. begin is what Now returned before it.
func (l *Lane) Call(c *Syscall, pc uintptr, begin int64, args [4]int64, ret int64, text string) {
	r, id := l.slot(), l.newID()
	end := l.recorder.now()
	l.last = end
	parent, _ := l.top()
	*r = Record{Kind: KindCall, Story: l.topStory(), ID: id, Begin: begin, End: end, PC: pc,
		Call: c, Ret: ret, Text: text}
	r.Args = [6]int64{args[0], args[1], args[2], args[3], int64(l.tid), int64(parent)}
}
