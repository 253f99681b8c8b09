package live

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
	"envoywalk/trace/moment"
)

// Whoever watches the page makes the server work: the main thread wakes up and accepts the page's
// connections. Shown, each such line would have the page ask again, and watch itself. The admin's socket
// is known by its label and by the thread that serves it; a listener's sockets accept on other threads.
const (
	adminLabel  = "admin"
	adminThread = "main_thread"
)

// maxHeld bounds what waits for a turn to be decided: a turn with more in it is shown.
const maxHeld = 1 << 15

// Admin leaves out the turns of the main thread in which nothing happened but that the admin accepted
// connections, and the idle ones just before them. Whatever else is in a turn shows all of it: also a
// failure to accept, and what a page of the admin has main do. What the admin's socket does as it is made
// is shown.
//
// A turn that may be left out is held back until it is decided, and what other threads do meanwhile
// behind it, so that the order stays: for as long as one turn takes. It is used by one goroutine at a
// time, as a recorder does.
type Admin struct {
	next   sdk.SpanProcessor
	hidden int // spans that were left out

	held    []call                // from the beginning of a turn of main on; empty: nothing is to be decided
	ours    map[trace.SpanID]bool // the spans that would be left out: whether they are open
	turn    trace.SpanID          // the turn that is open
	event   trace.SpanID          // the file event of the admin's socket that is open
	accepts bool                  // the turn has had one
	idle    bool                  // the turn that began would be idle if it ended now
	folded  bool                  // the turn's timers are known to be housekeeping
	still   map[trace.SpanID]bool // spans that were left out and are open: a connection's
}

// call is one that next has not heard of.
type call struct {
	ctx   context.Context
	begun sdk.ReadWriteSpan // nil: ended
	ended sdk.ReadOnlySpan
	ours  bool
}

// WithoutAdmin returns a processor that hands on to next what is not the admin's.
func WithoutAdmin(next sdk.SpanProcessor) *Admin {
	return &Admin{next: next, ours: map[trace.SpanID]bool{}, still: map[trace.SpanID]bool{}}
}

// Hidden is how many spans were left out. Call it where a processor may be called.
func (a *Admin) Hidden() int { return a.hidden }

// OnStart implements sdk.SpanProcessor.
func (a *Admin) OnStart(ctx context.Context, s sdk.ReadWriteSpan) {
	if len(a.held) == 0 && s.Name() != "turn" {
		a.next.OnStart(ctx, s)
		return
	}
	what := read(s)
	switch {
	case what.thread != adminThread && !a.isAdminsStory(s, what):
		if len(a.held) > 0 {
			a.hold(call{ctx: ctx, begun: asBegun(s)})
			return
		}
	case a.isUndecided(what, s.SpanContext().SpanID()):
		a.ours[s.SpanContext().SpanID()] = true
		a.hold(call{ctx: ctx, begun: asBegun(s), ours: true})
		return
	default:
		a.release(false)
	}
	a.next.OnStart(ctx, s)
}

// OnEnd implements sdk.SpanProcessor.
func (a *Admin) OnEnd(s sdk.ReadOnlySpan) {
	id := s.SpanContext().SpanID()
	if a.still[id] {
		delete(a.still, id)
		return
	}
	if len(a.held) == 0 {
		a.next.OnEnd(s)
		return
	}
	_, ours := a.ours[id]
	if ours && s.Status().Code == codes.Error {
		a.release(false)
		a.next.OnEnd(s)
		return
	}
	if ours {
		a.ours[id] = false
	}
	a.hold(call{ended: s, ours: ours})
	switch {
	case id == a.event:
		a.event = trace.SpanID{}
	case id == a.turn && a.accepts:
		a.release(true)
	case id == a.turn && a.idle:
		a.turn = trace.SpanID{} // the next turn decides
	case id == a.turn:
		a.release(false)
	}
}

// Shutdown implements sdk.SpanProcessor.
func (a *Admin) Shutdown(ctx context.Context) error {
	a.release(false)
	return a.next.Shutdown(ctx)
}

// ForceFlush implements sdk.SpanProcessor.
func (a *Admin) ForceFlush(ctx context.Context) error {
	a.release(false)
	return a.next.ForceFlush(ctx)
}

// isUndecided takes note of what begins on main and reports whether it leaves open if its turn is shown.
func (a *Admin) isUndecided(what traits, id trace.SpanID) bool {
	switch {
	case a.event.IsValid():
		return true // all of it is the accept's
	case what.kind == moment.KindTurn:
		a.turn, a.accepts, a.idle, a.folded = id, false, false, what.folded
		return true
	case !a.turn.IsValid():
		return false
	case what.waited:
		a.idle = what.ready == 0
		return what.ready >= 0
	case what.kind == moment.KindTimer:
		a.idle = a.idle && a.folded
		return true
	case what.kind == moment.KindEvent && what.label == adminLabel:
		a.event, a.accepts = id, true
		return true
	}
	return false
}

// isAdminsStory: the root of a connection's story sits on no thread, but links to its accept.
func (a *Admin) isAdminsStory(s sdk.ReadOnlySpan, what traits) bool {
	return what.kind == moment.KindStory && a.event.IsValid() && slices.ContainsFunc(s.Links(), func(l sdk.Link) bool {
		_, ours := a.ours[l.SpanContext.SpanID()]
		return ours
	})
}

func (a *Admin) hold(c call) {
	if a.held = append(a.held, c); len(a.held) >= maxHeld {
		a.release(false)
	}
}

// release hands on what is held, but for what is left out.
func (a *Admin) release(leaveOut bool) {
	for _, c := range a.held {
		switch {
		case c.ours && leaveOut:
		case c.begun != nil:
			a.next.OnStart(c.ctx, c.begun)
		default:
			a.next.OnEnd(c.ended)
		}
	}
	if leaveOut {
		a.hidden += len(a.ours)
		for id, open := range a.ours {
			if open {
				a.still[id] = true
			}
		}
	}
	clear(a.held)
	clear(a.ours)
	a.held, a.turn, a.event = a.held[:0], trace.SpanID{}, trace.SpanID{}
}

// traits are what decides about a span.
type traits struct {
	kind, thread, label string
	waited              bool  // a call that waits for files to become ready
	ready               int64 // how many, -1: it failed
	folded              bool  // a turn that is known to be idle, or a row of them
}

func read(s sdk.ReadOnlySpan) (t traits) {
	t.waited = s.Name() == "epoll_pwait"
	for _, kv := range s.Attributes() {
		switch kv.Key {
		case record.KeyKind:
			t.kind = kv.Value.AsString()
		case record.KeyThreadName:
			t.thread = kv.Value.AsString()
		case record.KeyFDLabel:
			t.label = kv.Value.AsString()
		case record.KeyRet:
			t.ready = kv.Value.AsInt64()
		case record.KeyTimers, record.KeyRepeat:
			t.folded = true
		}
	}
	return t
}

// begun is a span as it was when it began: next hears of that later.
type begun struct {
	sdk.ReadWriteSpan
	attributes []attribute.KeyValue
	links      []sdk.Link
}

func asBegun(s sdk.ReadWriteSpan) sdk.ReadWriteSpan {
	return &begun{s, slices.Clone(s.Attributes()), slices.Clone(s.Links())}
}

// Attributes implements sdk.ReadOnlySpan.
func (b *begun) Attributes() []attribute.KeyValue { return b.attributes }

// Links implements sdk.ReadOnlySpan.
func (b *begun) Links() []sdk.Link { return b.links }
