package saved

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	record "envoywalk/trace"
)

// Play calls p as the recorder did when the program ran: OnStart and OnEnd in the order of seq, from this
// goroutine. At OnStart a span does not say yet what was learnt later. It does not shut p down.
func (t *Trace) Play(p sdk.SpanProcessor) {
	instants := make([]moment, 0, 2*len(t.Spans))
	calls := map[trace.SpanID]bool{}
	for _, s := range t.Spans {
		at := place(s)
		instants = append(instants, moment{s, at.start, false}, moment{s, max(at.start, at.end), true})
		if isCall(s) {
			calls[s.SpanContext().SpanID()] = true
		}
	}
	slices.SortStableFunc(instants, func(a, b moment) int { return cmp.Compare(a.seq, b.seq) })
	for _, m := range instants {
		if m.ends {
			p.OnEnd(m.span)
		} else {
			p.OnStart(context.Background(), begin(m.span, calls))
		}
	}
}

type moment struct {
	span sdk.ReadOnlySpan
	seq  int64
	ends bool
}

// beginning is a saved span as it was when it began. What a processor writes into it is not kept.
type beginning struct {
	noop.Span
	sdk.ReadOnlySpan
	attributes []attribute.KeyValue
	links      []sdk.Link
}

var _ sdk.ReadWriteSpan = (*beginning)(nil)

func begin(s sdk.ReadOnlySpan, calls map[trace.SpanID]bool) *beginning {
	b := &beginning{ReadOnlySpan: s}
	for _, a := range s.Attributes() {
		if !learntLater(a.Key) {
			b.attributes = append(b.attributes, a)
		}
	}
	turn := kindOf(s) == "turn"
	for _, l := range s.Links() {
		// The write that woke a turn is learnt when the turn reads the eventfd.
		if !turn || !calls[l.SpanContext.SpanID()] {
			b.links = append(b.links, l)
		}
	}
	return b
}

func learntLater(key attribute.Key) bool {
	switch key {
	case record.KeySeqEnd, record.KeyTruncated, record.KeyUnfinished, record.KeyCauseLost:
		return true
	}
	return strings.HasPrefix(string(key), record.NotePrefix) || strings.HasPrefix(string(key), "network.")
}

func kindOf(s sdk.ReadOnlySpan) string {
	for _, a := range s.Attributes() {
		if a.Key == record.KeyKind {
			return a.Value.AsString()
		}
	}
	return ""
}

func isCall(s sdk.ReadOnlySpan) bool { return kindOf(s) == "syscall" }

// SpanContext names the span.
func (b *beginning) SpanContext() trace.SpanContext { return b.ReadOnlySpan.SpanContext() }

// Attributes are those that were known.
func (b *beginning) Attributes() []attribute.KeyValue { return b.attributes }

// Links are those that were known.
func (b *beginning) Links() []sdk.Link { return b.links }

// Events are none yet.
func (b *beginning) Events() []sdk.Event { return nil }

// EndTime is not known yet.
func (b *beginning) EndTime() time.Time { return time.Time{} }

// Status is not known yet.
func (b *beginning) Status() sdk.Status { return sdk.Status{} }

// IsRecording implements trace.Span.
func (b *beginning) IsRecording() bool { return true }
