package imported

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
)

// run is what all spans of an import share.
type run struct {
	service  string
	key      uint64
	ids      uint64
	resource *resource.Resource
}

func newRun(service string, key uint64) *run {
	service = strings.ToValidUTF8(service, "?")
	return &run{service: service, key: key | 1<<63,
		resource: resource.NewSchemaless(attribute.String("service.name", service))}
}

// keyProcess tells apart whose fds are meant. A trace of ours is of one process and does not say it.
const keyProcess = attribute.Key("process.pid")

// The values of walk.kind that strace's account can give.
const (
	kindThread = "thread"
	kindTurn   = "turn"
	kindCall   = "syscall"
	kindStory  = "story"
)

// span is one span. Its attributes are made when they are asked for: a million spans would not fit into
// memory with them.
type span struct {
	sdk.ReadOnlySpan // nil: its one private method is never called

	run        *run
	kind       string
	id, trace  uint64
	parent     *span
	links      []*span
	start, end int64 // seq
	from, to   int64 // ns
	repeat     int64
	unfinished bool
	thread     *thread
	call       *call
	story      *story
}

var _ sdk.ReadOnlySpan = (*span)(nil)

// Name is the call's; a turn says that it is derived.
func (s *span) Name() string {
	switch s.kind {
	case kindThread:
		return "thread " + strings.ToValidUTF8(s.thread.name, "?")
	case kindTurn:
		return "turn (derived)"
	case kindStory:
		return fmt.Sprintf("connection C%d", s.story.number)
	}
	return s.call.Name
}

// SpanContext is the same in every import of the same file.
func (s *span) SpanContext() trace.SpanContext {
	var span trace.SpanID
	var trail trace.TraceID
	binary.BigEndian.PutUint64(span[:], s.id^s.run.key)
	binary.BigEndian.PutUint64(trail[:8], s.run.key)
	binary.BigEndian.PutUint64(trail[8:], s.trace)
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trail, SpanID: span,
		TraceFlags: trace.FlagsSampled})
}

// Parent is the turn, the thread or the story.
func (s *span) Parent() trace.SpanContext {
	if s.parent == nil {
		return trace.SpanContext{}
	}
	return s.parent.SpanContext()
}

// Links are the causes.
func (s *span) Links() []sdk.Link {
	var links []sdk.Link
	for _, cause := range s.links {
		if cause.run != nil { // else it has no place: its thread ended in it
			links = append(links, sdk.Link{SpanContext: cause.SpanContext()})
		}
	}
	return links
}

// Attributes are those of our own traces.
func (s *span) Attributes() []attribute.KeyValue {
	a := make([]attribute.KeyValue, 0, 16)
	a = append(a, record.KeySeqStart.Int64(s.start), record.KeyKind.String(s.kind))
	if th := s.thread; th != nil {
		if th.tid != 0 {
			a = append(a, record.KeyThreadID.Int(th.tid))
		}
		a = append(a, record.KeyThreadName.String(strings.ToValidUTF8(th.name, "?")))
		if pid := th.process.first.tid; pid != 0 {
			a = append(a, keyProcess.Int(pid))
		}
	}
	if s.repeat > 1 {
		a = append(a, record.KeyRepeat.Int64(s.repeat))
	}
	switch s.kind {
	case kindCall:
		a = s.call.attributes(a)
	case kindStory:
		a = append(a, record.KeyConnection.Int(s.story.number))
		a = endpoint(a, "network.peer", s.story.remote)
		a = endpoint(a, "network.local", s.story.local)
	}
	if s.unfinished {
		a = append(a, record.KeyUnfinished.Bool(true))
	}
	return append(a, record.KeySeqEnd.Int64(s.end))
}

func (c *call) attributes(a []attribute.KeyValue) []attribute.KeyValue {
	if len(c.fds) > 0 && c.fds[0].index == 0 {
		a = append(a, record.KeyFD.Int64(c.fds[0].number))
		if label := c.fds[0].of.label(); label != "" {
			a = append(a, record.KeyFDLabel.String(strings.ToValidUTF8(label, "?")))
		}
	}
	a = append(a, record.KeySyscall.String(c.Name), record.KeyArgs.String(c.args()),
		record.KeyRet.Int64(c.result()))
	if c.made != nil {
		if label := c.made.label(); label != "" {
			a = append(a, record.KeyRetLabel.String(strings.ToValidUTF8(label, "?")))
		}
	}
	switch {
	case c.Errno != "":
		a = append(a, record.KeyErrorType.String(c.Errno))
	case c.span.unfinished:
		a = append(a, record.KeyErrorType.String("unfinished"))
	}
	return a
}

// result is -1 for a call that never returned; exit is not meant to.
func (c *call) result() int64 {
	if !c.Returned && c.span.unfinished {
		return -1
	}
	return c.Ret
}

// endpoint spells an address as OpenTelemetry does.
func endpoint(a []attribute.KeyValue, key, text string) []attribute.KeyValue {
	if text == "" {
		return a
	}
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return append(a, attribute.String(key+".address", strings.ToValidUTF8(text, "?")))
	}
	return append(a, attribute.String(key+".address", at.Addr().String()),
		attribute.Int(key+".port", int(at.Port())))
}

// Status is an error where the call failed. That nothing is there yet is an answer, not a failure.
func (s *span) Status() sdk.Status {
	if s.kind == kindCall {
		switch s.call.Errno {
		case "", "EAGAIN", "EINPROGRESS", "EINTR", "EWOULDBLOCK":
		default:
			return sdk.Status{Code: codes.Error, Description: s.call.Errno}
		}
	}
	return sdk.Status{}
}

// SpanKind is internal: there are no posts and no runs.
func (s *span) SpanKind() trace.SpanKind { return trace.SpanKindInternal }

// StartTime is strace's.
func (s *span) StartTime() time.Time { return time.Unix(0, s.from) }

// EndTime is strace's, where -T tells it.
func (s *span) EndTime() time.Time { return time.Unix(0, max(s.from, s.to)) }

// Events are none.
func (s *span) Events() []sdk.Event { return nil }

// InstrumentationScope is strace.
func (s *span) InstrumentationScope() instrumentation.Scope {
	return instrumentation.Scope{Name: "strace"}
}

// InstrumentationLibrary is the scope's old name.
func (s *span) InstrumentationLibrary() instrumentation.Library { //nolint:staticcheck // of the interface
	return s.InstrumentationScope()
}

// Resource names the process.
func (s *span) Resource() *resource.Resource { return s.run.resource }

// DroppedAttributes is 0.
func (s *span) DroppedAttributes() int { return 0 }

// DroppedLinks is 0.
func (s *span) DroppedLinks() int { return 0 }

// DroppedEvents is 0.
func (s *span) DroppedEvents() int { return 0 }

// ChildSpanCount is not kept.
func (s *span) ChildSpanCount() int { return 0 }
