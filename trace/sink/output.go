package sink

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// flushAfter is how long a line may wait in the buffer: too short to notice, long enough that a
// burst of spans is one write.
const flushAfter = 100 * time.Millisecond

// output is a buffered writer that never fails: a full disk or a reader who went away must not stop
// the program that is being watched. What could not be written is counted, and close tells.
type output struct {
	name string
	file *os.File // what close closes; nil for stdout

	mu      sync.Mutex
	to      io.Writer
	buffer  *bufio.Writer
	timer   *time.Timer // runs while the buffer holds something
	waiting bool
	written int64 // bytes that to took
	lost    int64 // bytes that it did not
	err     error // its first error; nothing is tried after it
}

func newOutput(name string, to io.Writer) *output {
	o := &output{name: name, to: to}
	o.buffer = bufio.NewWriterSize(counter{o}, 1<<16)
	return o
}

// Write implements io.Writer. It always takes all of p.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buffer.Write(p)
	if o.waiting || o.err != nil {
		return len(p), nil
	}
	o.waiting = true
	if o.timer == nil {
		o.timer = time.AfterFunc(flushAfter, o.flush)
	} else {
		o.timer.Reset(flushAfter)
	}
	return len(p), nil
}

func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = false
	o.buffer.Flush()
}

// close writes the rest, closes the file and says what was lost.
func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.timer != nil {
		o.timer.Stop()
	}
	o.buffer.Flush()
	if o.file != nil {
		if err := o.file.Close(); o.err == nil {
			o.err = err
		}
	}
	switch {
	case o.lost > 0:
		return fmt.Errorf("trace to %s: %d bytes could not be written: %w", o.name, o.lost, o.err)
	case o.err != nil:
		return fmt.Errorf("trace to %s: %w", o.name, o.err)
	}
	return nil
}

// isTerminal: a character device is as near as one gets without asking the kernel more.
func (o *output) isTerminal() bool {
	f, ok := o.to.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// counter stands between the buffer and where it goes. It hides errors from the buffer, which would
// otherwise hand them to whoever writes a span.
type counter struct{ o *output }

func (c counter) Write(p []byte) (int, error) {
	o := c.o
	if o.err != nil {
		o.lost += int64(len(p))
		return len(p), nil
	}
	n, err := o.to.Write(p)
	o.written += int64(n)
	o.lost += int64(len(p) - n)
	o.err = err
	return len(p), nil
}

// failures keeps what an exporter complained of. The SDK would hand it to its global error handler,
// which prints a line per span.
type failures struct {
	mu    sync.Mutex
	first error
	spans int
}

func (f *failures) add(err error, spans int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first = err
	}
	f.spans += spans
}

func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		return nil
	}
	return fmt.Errorf("trace: %d spans could not be exported: %w", f.spans, f.first)
}

// collecting is an exporter whose errors go to failures.
type collecting struct {
	sdk.SpanExporter
	failed *failures
}

// ExportSpans implements sdk.SpanExporter.
func (c *collecting) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := c.SpanExporter.ExportSpans(ctx, spans); err != nil {
		c.failed.add(err, len(spans))
	}
	return nil
}
