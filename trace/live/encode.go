package live

import (
	"context"
	"fmt"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace/page"
)

// Processor returns what turns spans into the hub's lines: all but those that watching makes. Sources
// younger than since, which for the zero value is when the program was built, are told to be so.
func (h *Hub) Processor(since time.Time) sdk.SpanProcessor {
	return &valve{Admin: WithoutAdmin(encoding{page.NewEncoder(since, h.Line)}), hub: h}
}

// betweenLosses is the least time between two lines that tell of losses and of what is not shown.
const betweenLosses = 100 * time.Millisecond

// valve spares a process that nobody can watch the work, and tells the pages what was lost and how much of
// the admin's is not shown.
type valve struct {
	*Admin
	hub    *Hub
	lost   uint64    // as the pages know it
	hidden int       // likewise: how many spans of the admin's they are not shown
	told   time.Time // when they were told
}

// OnStart implements sdk.SpanProcessor.
func (v *valve) OnStart(ctx context.Context, s sdk.ReadWriteSpan) {
	if !v.hub.off.Load() {
		v.Admin.OnStart(ctx, s)
	}
}

// OnEnd implements sdk.SpanProcessor.
func (v *valve) OnEnd(s sdk.ReadOnlySpan) {
	if !v.hub.off.Load() {
		v.Admin.OnEnd(s)
		v.tellLosses()
	}
}

// Shutdown implements sdk.SpanProcessor.
func (v *valve) Shutdown(ctx context.Context) error {
	err := v.Admin.Shutdown(ctx)
	v.told = time.Time{}
	v.tellLosses()
	return err
}

func (v *valve) tellLosses() {
	lost, hidden := v.hub.losses(), v.Hidden()
	if lost == v.lost && hidden == v.hidden || time.Since(v.told) < betweenLosses {
		return
	}
	v.lost, v.hidden, v.told = lost, hidden, time.Now()
	v.hub.Line(fmt.Appendf(nil, `{"k":"stats","dropped":%d,"admin":%d}`, lost, hidden))
}

// encoding is an encoder as a span processor. The recorder calls it from one goroutine.
type encoding struct{ *page.Encoder }

// OnStart implements sdk.SpanProcessor.
func (e encoding) OnStart(_ context.Context, s sdk.ReadWriteSpan) { e.Start(s) }

// OnEnd implements sdk.SpanProcessor.
func (e encoding) OnEnd(s sdk.ReadOnlySpan) { e.End(s) }

// ForceFlush implements sdk.SpanProcessor: no line waits.
func (encoding) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdk.SpanProcessor.
func (encoding) Shutdown(context.Context) error { return nil }
