// Package trace records what a thread of envoywalk does and turns it into OpenTelemetry spans.
//
// The event loop never meets the SDK. Each thread writes plain records into its own Lane; one
// goroutine off the loop, the collector, merges the lanes, folds idleness, and starts and ends real
// spans through the SDK, so that any SpanProcessor and any exporter works unchanged.
//
// The folders below show spans: tree for the terminal, page and live for the browser, otlp, chrome,
// mermaid and strace for other programs; saved reads them back, diff compares two runs. Nothing here
// knows a chapter.
package trace

import "envoywalk/internal/step"

// Kind says what a Record is. Kinds up to and including kindLastBegin open a span that an End closes.
type Kind uint8

const (
	KindFunction  Kind = iota // a function of the walk
	KindThread                // a thread's life
	KindTurn                  // one turn of an event loop
	KindEvent                 // a file event handed to its callback
	KindTimer                 // a timer's callback
	KindRun                   // the run of a post; Link is the post
	KindDelete                // a deferred delete
	kindLastBegin      = KindDelete

	KindEnd      Kind = iota // ends the span ID
	KindCall                 // a system call, whole
	KindPost                 // a post to a dispatcher, whole
	KindLater                // a seam that a later chapter fills, whole
	KindHandOver             // an fd given to code outside the trace, whole
	KindLabel                // fd Args[0] is called Text, or C<Args[1]>, or both, from here on
	KindNote                 // on the open span ID: Text = Args[0], or by Args[1] an address
	KindCause                // Link caused the open span ID
	KindStory                // the root of a story, sitting on no thread's stack
	KindStoryEnd
)

var kindNames = map[Kind]string{
	KindFunction: "function", KindThread: "thread", KindTurn: "turn", KindEvent: "event",
	KindTimer: "timer", KindRun: "run", KindDelete: "delete", KindCall: "syscall",
	KindPost: "post", KindLater: "later", KindHandOver: "handover", KindStory: "story",
}

// Flags of a record.
const (
	flagHousekeeping = 1 << iota // a timer that only looks after the process; alone it is idleness
	flagFailed                   // a story that ended badly: sampling keeps it
	flagWoke                     // a post that wrote the eventfd
	flagRunning                  // a post to a loop that runs
	flagFrom                     // a function with its place in the configuration: see From
	flagOwn                      // a story that arming does not count: see OwnStories
)

// Story names a trace: 0 is none, small numbers are connections, the rest are below.
type Story uint32

const (
	storyThread  Story = 1 << 31         // + the lane's number: a thread's life and its turns
	StoryStartup Story = 1<<31 | 1<<30   // main until the workers have started
	storyAction  Story = 1 << 30         // + a number: a drain, an update, a stop
	storyNumber  Story = storyAction - 1 // the part of a Story that counts
)

// Syscall describes one system call to the collector. The kernel door owns the only values.
type Syscall struct {
	Name      string
	Format    func(fd func(int64) string, r *Record) string // the arguments as strace spells them
	MakesFD   bool                                          // the result is a new fd
	HasFD     bool                                          // the first argument is an fd
	Closes    bool                                          // the first argument's life ends here
	Waits     bool                                          // may block; alone and empty it is idleness
	ErrnoName func(errno int) string                        // an errno's name, EAGAIN
}

// Record is what a lane writes: 128 bytes, no pointer that the kernel ever sees. What a kind does not
// use is left as it was found. An End is all in the first 64 bytes.
type Record struct {
	Kind  Kind
	Flags uint8
	Step  step.Step
	Story Story
	ID    uint64 // the span
	Link  uint64 // the span that caused it, 0 for none
	Begin int64  // ns since the recorder was made
	End   int64
	PC    uintptr // where in the Go code
	Ret   int64   // the result; a failure is -errno
	Call  *Syscall
	Args  [6]int64 // Begin records: [0] the enclosing span, [1] its story, [2] 1 + an fd, [4] a line
	Text  string   // of a post and its run the dispatcher, and behind a NUL the subject if there is one
}

// time is the moment by which the record is merged. A call stands where it was asked: a write before the
// wait of another thread that it ended, a close before the call that was given the number again. A wait,
// and a call that makes an fd, stand where they ended.
func (r *Record) time() int64 {
	if r.Kind == KindEnd || r.Kind == KindCall && (r.Call.Waits || r.Call.MakesFD) {
		return r.End
	}
	return r.Begin
}

// enclosing is the span that r is inside of, or is itself; ok is false where r does not say.
func (r *Record) enclosing() (id uint64, ok bool) {
	switch r.Kind {
	case KindLabel, KindStory, KindStoryEnd:
		return 0, false
	case KindNote:
		return r.ID, r.Args[1] == 0 // an address is noted on a story's root
	case KindEnd, KindCause:
		return r.ID, true
	case KindCall:
		return uint64(r.Args[5]), true
	}
	return uint64(r.Args[0]), true
}

func (k Kind) begins() bool { return k <= kindLastBegin }
