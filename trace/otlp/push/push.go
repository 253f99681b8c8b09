// Package push sends spans to a collector while the program runs, with OpenTelemetry's own exporters: all
// that OTEL_EXPORTER_OTLP_* says is theirs to read.
//
// What batches is ours, because the SDK's drops spans in silence when it is full. Here the goroutine that
// tells of spans waits instead; it is the recorder's, never a loop's, and what then no longer fits into the
// recorder is counted there.
package push

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// A batch goes when it has so many spans, or its first has waited so long.
const (
	batchSpans = 512
	batchAge   = 200 * time.Millisecond
)

// patience is how long a batch is tried before its spans are given up, unless OTEL_EXPORTER_OTLP_TIMEOUT
// says otherwise. It is shorter than a program waits for its sinks at the end.
const patience = 5 * time.Second

// Pusher is a span processor.
type Pusher struct {
	exporter sdk.SpanExporter
	to       string
	patience time.Duration

	spans chan sdk.ReadOnlySpan
	flush chan chan struct{}
	stop  chan struct{}
	done  chan struct{}
	loss  *loss
}

// Endpoint is where the environment says that spans go, "" for nowhere.
func Endpoint() string { return setting("ENDPOINT") }

// setting is the one of the two variables that is more special.
func setting(name string) string {
	if v := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); v != "" {
		return v
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_" + name)
}

// New returns a processor that sends to Endpoint. tell hears, as it happens, of spans that are not taken.
// Nothing is sent yet, so that a collector may still be starting.
func New(tell func(string)) (*Pusher, error) {
	client, err := newClient()
	if err != nil {
		return nil, err
	}
	e, err := otlptrace.New(context.Background(), client)
	if err != nil {
		return nil, err
	}
	p := &Pusher{exporter: e, to: Endpoint(), patience: patience, spans: make(chan sdk.ReadOnlySpan, batchSpans),
		flush: make(chan chan struct{}), stop: make(chan struct{}), done: make(chan struct{})}
	if ms, err := strconv.Atoi(setting("TIMEOUT")); err == nil && ms > 0 {
		p.patience = time.Duration(ms) * time.Millisecond
	}
	p.loss = &loss{to: p.to, tell: tell}
	go p.run()
	return p, nil
}

// newClient is OpenTelemetry's for the protocol. What a collector answers with "later" is tried again.
func newClient() (otlptrace.Client, error) {
	const first, longest = 200 * time.Millisecond, time.Second
	switch protocol := setting("PROTOCOL"); protocol {
	case "", "http/protobuf", "http/json":
		return otlptracehttp.NewClient(otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true,
			InitialInterval: first, MaxInterval: longest, MaxElapsedTime: time.Hour})), nil
	case "grpc":
		return otlptracegrpc.NewClient(otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true,
			InitialInterval: first, MaxInterval: longest, MaxElapsedTime: time.Hour})), nil
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: there is http/protobuf, http/json and grpc", protocol)
	}
}

// OnStart has nothing to do: a span is sent when it has ended.
func (p *Pusher) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd takes a span. It waits while a full batch is being sent.
func (p *Pusher) OnEnd(s sdk.ReadOnlySpan) {
	select {
	case <-p.stop: // nobody sends any more
		p.loss.add(1, errStopped)
		return
	default:
	}
	select {
	case p.spans <- sound(s):
	case <-p.stop:
		p.loss.add(1, errStopped)
	}
}

var errStopped = errors.New("the trace was closed before")

// ForceFlush returns when all that was taken is sent or given up.
func (p *Pusher) ForceFlush(ctx context.Context) error {
	sent := make(chan struct{})
	select {
	case p.flush <- sent:
	case <-p.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-sent:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown sends what is left, each batch with patience, and ends the connection.
func (p *Pusher) Shutdown(ctx context.Context) error {
	close(p.stop)
	select {
	case <-p.done:
		return p.exporter.Shutdown(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Err says how many spans were not taken and why, nil if all were. Call it after Shutdown.
func (p *Pusher) Err() error { return p.loss.err() }
