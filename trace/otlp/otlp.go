// Package otlp writes spans as OTLP JSON lines: one TracesData object of
// opentelemetry.proto.trace.v1 per line, as the collector's otlpjsonfile receiver, Jaeger and
// otel-tui read them. It is written by hand, so that who only writes lines needs none of the generated
// types and no gRPC; those come with the folder push.
package otlp

import (
	"context"
	"encoding/json"
	"io"
	"sync"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Exporter writes each batch as one line.
type Exporter struct {
	mu      sync.Mutex
	encoder *json.Encoder
	stopped bool
}

// New returns an exporter that writes to w, one Write per batch. It does not close w.
func New(w io.Writer) sdk.SpanExporter {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // 12<echo> is meant to be read
	return &Exporter{encoder: e}
}

// ExportSpans writes spans as one line. The error is the writer's: no span can spoil a line.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped || len(spans) == 0 {
		return nil
	}
	return e.encoder.Encode(group(spans))
}

// Shutdown makes later exports do nothing.
func (e *Exporter) Shutdown(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	return nil
}

// group puts spans under their resource and their scope, in the order in which they came.
func group(spans []sdk.ReadOnlySpan) *tracesData {
	data := &tracesData{}
	for _, s := range spans {
		scope := data.resource(s.Resource()).scope(s.InstrumentationScope())
		scope.Spans = append(scope.Spans, convert(s))
	}
	return data
}
