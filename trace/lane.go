package trace

import (
	"fmt"
	"time"

	"envoywalk/internal/step"
)

// Lane is one thread's record of what it does. It belongs to that thread alone: no method may be
// called from another one. A nil Lane records nothing; that is how tracing is off.
//
// Only doors read the clock (system calls, posts, turns, events, timers). A function span takes its
// lane's last reading: the order is the truth, the time of a function is its door's.
type Lane struct {
	recorder *Recorder
	number   uint64 // span ids are number<<40 | n
	next     uint64
	records  uint64 // records written, taken back or not
	last     int64  // the last clock reading
	story    Story  // the thread's own
	keep     bool
	own      bool // the stories it begins are the program's own
	cur      *block
	seq      uint64
	spare    *block  // read blocks, to be filled again
	fresh    []block // never filled: memory that the process does not have until it does
	ring     ring
	stack    []open
	tid      int // who speaks now
	first    int // who began it: what the collector may read at any time
	name     string
	life     Span
}

// open is a span that has begun on this thread and not ended.
type open struct {
	id    uint64
	begin int64
	pc    uintptr
	step  step.Step
	kind  Kind
	story Story
}

// Span is an open span. Its zero value is the span of a lane that is off.
type Span struct {
	lane *Lane
	id   uint64
}

// Enter begins the span of a walked function. It is the function's first statement:
//
//	defer l.lane.Enter(step.OnSocketEvent).Exit()
func (l *Lane) Enter(s step.Step) Span {
	if l == nil {
		return Span{}
	}
	return l.enter(s)
}

// Exit ends the span.
func (s Span) Exit() {
	if s.lane != nil {
		s.lane.exit(s.id)
	}
}

// Of names the object of the span just begun: a listener, a file. It takes no copy.
func (s Span) Of(name string) Span {
	if s.lane != nil {
		s.lane.lastRecord().Text = name
	}
	return s
}

// On names the fd the span just begun is about.
func (s Span) On(fd int) Span {
	if s.lane != nil {
		s.lane.lastRecord().Args[2] = int64(fd) + 1
	}
	return s
}

// Configuration knows where the object at a path of it begins: the file, the line from 1 and what that
// line says. Line 0 is nowhere.
type Configuration interface {
	Place(path string) (file string, line int, text string)
}

// From tells which object of the configuration the span just begun is there for; the last of the chain.
// Only where somebody records it is c asked. An object that c does not hold tells nothing.
func (s Span) From(c Configuration, path string) Span {
	if s.lane == nil {
		return s
	}
	if file, line, text := c.Place(path); line > 0 {
		r := s.lane.lastRecord()
		r.Flags |= flagFrom
		r.Args[4] = int64(line)
		r.Text = file + "\x00" + text + "\x00" + r.Text
	}
	return s
}

// EnterStory is Enter for a function that begins a part of a story, such as a connection's. Its span
// has the story's root as parent and links to the span it was called in.
//
//go:noinline
func (l *Lane) EnterStory(story Story, s step.Step) Span {
	if l == nil {
		return Span{}
	}
	if story == 0 {
		story = l.topStory()
	}
	return l.begin(KindFunction, s, story, 0, CallerPC())
}

//go:noinline
func (l *Lane) enter(s step.Step) Span {
	return l.begin(KindFunction, s, l.topStory(), 0, CallerPC())
}

func (l *Lane) begin(kind Kind, s step.Step, story Story, link uint64, pc uintptr) Span {
	r, id := l.slot(), l.newID()
	parent, parentStory := l.top()
	// Field by field: a whole Record costs twice as much, and the rest is nobody's to read.
	r.Kind, r.Flags, r.Step, r.Story = kind, 0, s, story
	r.ID, r.Link, r.Begin, r.PC = id, link, l.last, pc
	r.Args[0], r.Args[1], r.Args[2], r.Args[3] = int64(parent), int64(parentStory), 0, 0
	if r.Text != "" {
		r.Text = ""
	}
	l.stack = append(l.stack, open{id, l.last, pc, s, kind, story})
	return Span{l, id}
}

// exit ends id and whatever a panic left open above it. A door's span reads the clock once more: what
// its callback did between two system calls is its time.
func (l *Lane) exit(id uint64) {
	for n := len(l.stack) - 1; n >= 0; n-- {
		o := &l.stack[n]
		if o.kind != KindFunction {
			l.last = l.recorder.now()
		}
		r := l.slot()
		r.Kind, r.Flags, r.Step, r.Story = KindEnd, 0, o.step, o.story
		r.ID, r.Begin, r.End, r.PC, r.Ret = o.id, o.begin, l.last, o.pc, int64(o.kind)
		l.stack = l.stack[:n]
		if o.id == id {
			return
		}
	}
}

// beginTimed is begin for doors: it reads the clock. Link is what caused the span.
func (l *Lane) beginTimed(kind Kind, s step.Step, link uint64, pc uintptr) Span {
	l.last = l.recorder.now()
	return l.begin(kind, s, l.topStory(), link, pc)
}

// Now reads the clock, in ns since the recorder was made.
func (l *Lane) Now() int64 { return l.recorder.now() }

// NextID is the id that the next span of this lane will get: the cause to hand over in advance.
func (l *Lane) NextID() uint64 {
	if l == nil {
		return 0
	}
	return l.number<<40 | (l.next + 1)
}

// Current is the id of the span that is open: the cause of a thread it creates.
func (l *Lane) Current() uint64 {
	if l == nil {
		return 0
	}
	id, _ := l.top()
	return id
}

// LastID is the id of the youngest span of this lane: a call just made, the cause of what follows.
func (l *Lane) LastID() uint64 {
	if l == nil {
		return 0
	}
	return l.number<<40 | l.next
}

// Label names fd from here on: numbers are reused, labels are not. It takes no copy of name.
func (l *Lane) Label(fd int, name string) {
	if l == nil {
		return
	}
	r := l.slot()
	*r = Record{Kind: KindLabel, Begin: l.last, Text: name, Args: [6]int64{int64(fd)}}
}

// LabelConnection names fd after a connection: C7. It builds no string.
func (l *Lane) LabelConnection(fd int, connection uint64) {
	if l == nil {
		return
	}
	r := l.slot()
	*r = Record{Kind: KindLabel, Begin: l.last, Args: [6]int64{int64(fd), int64(connection)}}
}

// LabelUpstream names fd after a connection to a cluster: C8>echo. It builds no string and takes no copy.
func (l *Lane) LabelUpstream(fd int, connection uint64, cluster string) {
	if l == nil {
		return
	}
	r := l.slot()
	*r = Record{Kind: KindLabel, Begin: l.last, Text: cluster, Args: [6]int64{int64(fd), int64(connection)}}
}

// Note puts key = value on the span that is open, for the branch that surprises.
func (l *Lane) Note(key string, value int64) {
	if l == nil {
		return
	}
	id, _ := l.top()
	r := l.slot()
	*r = Record{Kind: KindNote, Story: l.topStory(), ID: id, Begin: l.last, Text: key,
		Args: [6]int64{value}}
}

// Cause adds a link to the span that is open: what woke it. 0 is no cause.
func (l *Lane) Cause(id uint64) {
	if l == nil || id == 0 {
		return
	}
	open, _ := l.top()
	r := l.slot()
	*r = Record{Kind: KindCause, Story: l.topStory(), ID: open, Link: id, Begin: l.last}
}

// Later tells what would happen here, in which chapter. It does not count as entering a step.
//
//go:noinline
func (l *Lane) Later(chapter int, what string) { l.LaterFrom(CallerPC(), chapter, what) }

// LaterFrom is Later for a place that the caller names: its own caller's.
func (l *Lane) LaterFrom(pc uintptr, chapter int, what string) {
	if l == nil {
		return
	}
	l.instant(KindLater, what, -1, int64(chapter), pc)
}

// HandOver tells that fd is given to code outside the trace: its life ends here for the receipt.
//
//go:noinline
func (l *Lane) HandOver(fd int, to string) {
	if l == nil {
		return
	}
	l.instant(KindHandOver, to, fd, 0, CallerPC())
}

func (l *Lane) instant(kind Kind, text string, fd int, n int64, pc uintptr) {
	r, id := l.slot(), l.newID()
	parent, parentStory := l.top()
	*r = Record{Kind: kind, Story: l.topStory(), ID: id, Begin: l.last, End: l.last, PC: pc, Text: text}
	r.Args = [6]int64{int64(parent), int64(parentStory), int64(fd) + 1, n}
}

// BeginStory begins a connection's story. Its root sits on no thread's stack; link is what caused it.
//
//go:noinline
func (l *Lane) BeginStory(connection uint64, link uint64) Story {
	if l == nil {
		return 0
	}
	story := Story(connection) & storyNumber
	r := l.slot()
	*r = Record{Kind: KindStory, Story: story, ID: storyRoot(story), Link: link, Begin: l.last,
		PC: CallerPC(), Args: [6]int64{int64(connection)}}
	if l.own {
		r.Flags |= flagOwn
	}
	return story
}

// Endpoints tells which two addresses a story's connection has. They are asked for their text only here,
// where somebody records it.
func (l *Lane) Endpoints(story Story, peer, local fmt.Stringer) {
	if l == nil || story == 0 {
		return
	}
	for what, text := range [...]string{notePeer: peer.String(), noteLocal: local.String()} {
		if text != "" {
			r := l.slot()
			*r = Record{Kind: KindNote, Story: story, ID: storyRoot(story), Begin: l.last, Text: text,
				Args: [6]int64{0, int64(what)}}
		}
	}
}

// EndStory ends it, from whichever thread. A story that failed is never sampled out.
func (l *Lane) EndStory(story Story, failed bool) {
	if l == nil || story == 0 {
		return
	}
	r := l.slot()
	*r = Record{Kind: KindStoryEnd, Story: story, ID: storyRoot(story), Begin: l.last, End: l.last}
	if failed {
		r.Flags |= flagFailed
	}
}

// StartupDone ends the part of the trace that is never taken back; main's turns from here on belong to
// its thread's trace.
func (l *Lane) StartupDone() {
	if l != nil {
		l.keep = false
	}
}

// Flush hands over what is written so far. The loop calls it before it blocks.
func (l *Lane) Flush() {
	if l != nil && l.cur.n > 0 {
		l.handOver()
	}
}

// End ends the thread's life. The lane must not be used afterwards.
func (l *Lane) End() {
	if l == nil {
		return
	}
	l.last = l.recorder.now()
	l.life.Exit()
	l.Flush()
}

// ReadClock moves the lane's last reading to now, for a thread that calls few doors.
func (l *Lane) ReadClock() {
	if l != nil {
		l.last = l.recorder.now()
	}
}

// Adopt says which OS thread speaks through a lane that several share under a lock of their own.
func (l *Lane) Adopt(tid int) {
	if l != nil {
		l.tid = tid
		l.last = l.recorder.now()
	}
}

func storyRoot(s Story) uint64 { return 1<<62 | uint64(s) }

func (l *Lane) newID() uint64 {
	l.next++
	return l.number<<40 | l.next
}

func (l *Lane) top() (uint64, Story) {
	if n := len(l.stack); n > 0 {
		return l.stack[n-1].id, l.stack[n-1].story
	}
	return 0, l.story
}

func (l *Lane) topStory() Story {
	if n := len(l.stack); n > 0 {
		return l.stack[n-1].story
	}
	return l.story
}

// slot returns the next record to write.
func (l *Lane) slot() *Record {
	if l.cur.n == blockLen {
		l.handOver()
	}
	b := l.cur
	r := &b.records[b.n]
	b.n++
	return r
}

// lastRecord is the record written last. A full block is handed over only by the next one.
func (l *Lane) lastRecord() *Record { return &l.cur.records[l.cur.n-1] }

// handOver leaves the current block in the ring, by one swap, and goes on in another: one that the
// collector has read, or the oldest that nobody claimed, whose records are then lost and counted. A
// start-up block never enters the ring: nothing can take it back.
func (l *Lane) handOver() {
	l.records += uint64(l.cur.n)
	var old *block
	if l.cur.keep {
		push(&l.ring.kept, l.cur)
	} else {
		old = l.ring.slots[l.seq%uint64(len(l.ring.slots))].Swap(l.cur)
	}
	l.seq++
	if old != nil {
		l.recorder.dropped.Add(uint64(old.n))
	} else {
		old = l.readBlock()
	}
	old.seq, old.first, old.n, old.keep = l.seq, l.records, 0, l.keep
	old.ids = l.number<<40 | l.next
	l.cur = old
}

func (l *Lane) readBlock() *block {
	if l.spare == nil {
		l.spare = l.ring.read.Swap(nil)
	}
	if b := l.spare; b != nil {
		l.spare = b.next
		return b
	}
	if len(l.fresh) == 0 {
		return new(block) // the collector holds more than it should: never in a steady state
	}
	b := &l.fresh[0]
	l.fresh = l.fresh[1:]
	return b
}

func (r *Recorder) now() int64 { return int64(time.Since(r.epoch)) }
