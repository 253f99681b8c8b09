package trace

import (
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"envoywalk/internal/step"
)

// Calls as a kernel door would define them, without a kernel.
var (
	readCall   = syscall("read", Syscall{HasFD: true})
	waitCall   = syscall("epoll_pwait", Syscall{HasFD: true, Waits: true})
	acceptCall = syscall("accept4", Syscall{HasFD: true, MakesFD: true})
	closeCall  = syscall("close", Syscall{HasFD: true, Closes: true})
)

func syscall(name string, c Syscall) *Syscall {
	c.Name = name
	c.Format = func(fd func(int64) string, r *Record) string { return fd(r.Args[0]) }
	c.ErrnoName = func(n int) string {
		return map[int]string{4: "EINTR", 11: "EAGAIN", 104: "ECONNRESET"}[n]
	}
	return &c
}

func (l *Lane) call(c *Syscall, fd int, ret int64) {
	l.Call(c, 0, l.Now(), [4]int64{int64(fd)}, ret, "")
}

// bench is a recorder whose collector runs only when the test says so.
type bench struct {
	*Recorder
	sink *tracetest.SpanRecorder
}

func newBench(c Config) *bench {
	b := &bench{sink: tracetest.NewSpanRecorder()}
	c.Processors = append(c.Processors, b.sink)
	if c.Blocks == 0 {
		c.Blocks = 16
	}
	b.Recorder = assemble(c)
	return b
}

// thread begins a lane beyond its start-up.
func (b *bench) thread(name string) *Lane {
	l := b.Thread(name, 1000+len(b.lanes), 0)
	l.StartupDone()
	l.Flush()
	return l
}

// laterOn lets the clock jump past the time that records settle, and the collector read.
func (b *bench) laterOn() {
	b.epoch = b.epoch.Add(-time.Second)
	b.collector.round(false)
}

// finish reads the rest, as Close does, and returns all spans in the order they ended.
func (b *bench) finish() spans {
	b.collector.finish()
	return b.sink.Ended()
}

type spans []sdk.ReadOnlySpan

func (ss spans) all(name string) (found spans) {
	for _, s := range ss {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	return found
}

// one is the only span of that name.
func (ss spans) one(t *testing.T, name string) sdk.ReadOnlySpan {
	t.Helper()
	found := ss.all(name)
	if len(found) != 1 {
		t.Fatalf("%d spans are called %q, want 1; there are %v", len(found), name, ss.names())
	}
	return found[0]
}

func (ss spans) names() (names []string) {
	for _, s := range ss {
		names = append(names, s.Name())
	}
	return names
}

func attr(s sdk.ReadOnlySpan, key attribute.Key) string {
	for _, kv := range s.Attributes() {
		if kv.Key == key {
			return kv.Value.Emit()
		}
	}
	return ""
}

func number(s sdk.ReadOnlySpan, key attribute.Key) int64 {
	for _, kv := range s.Attributes() {
		if kv.Key == key {
			return kv.Value.AsInt64()
		}
	}
	return -1
}

func isChildOf(t *testing.T, child, parent sdk.ReadOnlySpan) {
	t.Helper()
	if child.Parent().SpanID() != parent.SpanContext().SpanID() ||
		child.SpanContext().TraceID() != parent.SpanContext().TraceID() {
		t.Errorf("the parent of %q is %v, want %q", child.Name(), child.Parent().SpanID(), parent.Name())
	}
}

func isLinkedTo(t *testing.T, from, to sdk.ReadOnlySpan) {
	t.Helper()
	for _, l := range from.Links() {
		if l.SpanContext.SpanID() == to.SpanContext().SpanID() &&
			l.SpanContext.TraceID() == to.SpanContext().TraceID() {
			return
		}
	}
	t.Errorf("%q has no link to %q; it has %s", from.Name(), to.Name(), fmt.Sprint(from.Links()))
}

// Steps that stand for any.
const (
	outer = step.DispatcherRun
	inner = step.RunPostCallbacks
)

func nameOf(s step.Step) string { return s.Info().Name }
