package sink

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/term"
)

// flushAfter is how long a line may wait in the buffer: too short to notice, long enough that a
// burst of spans is one write.
const flushAfter = 100 * time.Millisecond

// flushAt is how many bytes are written without waiting for more.
const flushAt = 64 << 10

// output is a buffered writer that never fails: a full disk or a reader who went away must not stop
// the program that is being watched. What could not be written is told when it begins, counted, and
// told again by close. Each write is tried, so that a trace goes on when there is room again.
type output struct {
	name string
	open func() (*os.File, error) // opens the file anew, for appending; nil for stdout
	head []byte                   // what an empty file begins with
	tail []byte                   // what a file ends with that was moved away
	when func(reopen func())      // calls reopen where the lines allow it; nil: anywhere
	tell func(string)

	asked atomic.Bool // a goroutine is on its way to reopen the file

	mu      sync.Mutex
	file    *os.File // what close closes; nil for stdout
	to      io.Writer
	pending []byte // whole lines
	timer   *time.Timer
	waiting bool // the timer runs: there are lines to write
	closed  bool
	fresh   bool  // the file that was opened last was empty, and has a head now
	written int64 // bytes that to took and kept
	loss    loss
}

func newOutput(name string, to io.Writer, tell func(string)) *output {
	if tell == nil {
		tell = func(string) {} // close tells enough
	}
	return &output{name: name, to: to, tell: tell}
}

// Write implements io.Writer. It always takes all of p, which is whole lines.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = append(o.pending, p...)
	if len(o.pending) >= flushAt {
		o.put()
	}
	if o.waiting || len(o.pending) == 0 {
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
	o.put()
}

// put writes what is pending. Where only some of it is taken, whole lines stay, the broken one is
// taken back, and the rest is lost. The lock is held.
func (o *output) put() {
	if len(o.pending) == 0 {
		return
	}
	before := o.size()
	n, err := o.to.Write(o.pending)
	if err == nil {
		o.written += int64(n)
		o.tellRecovery()
	} else {
		whole := bytes.LastIndexByte(o.pending[:n], '\n') + 1
		o.written += o.takeBack(before, int64(n), int64(whole))
		o.lose(o.pending[whole:], err)
	}
	if o.pending = o.pending[:0]; cap(o.pending) > 4*flushAt {
		o.pending = nil // only a burst needed so much
	}
}

// size is the length of a file that is ours; -1 for what has none.
func (o *output) size() int64 {
	if o.file == nil {
		return -1
	}
	if info, err := o.file.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
}

// takeBack cuts off what was written of a broken line: all of n bytes but the first whole ones. It
// returns how many stay. A file that somebody else appends to is left as it is.
func (o *output) takeBack(before, n, whole int64) int64 {
	if before >= 0 && n > whole && o.size() == before+n && o.file.Truncate(before+whole) == nil {
		return whole
	}
	return n
}

// reopenSoon has the file opened again by its path, between two lines, so that one moved away is let
// go. It does not wait, however long a write may take: any thread may call it.
func (o *output) reopenSoon() {
	if o.open == nil || !o.asked.CompareAndSwap(false, true) {
		return
	}
	if o.when != nil {
		go o.when(o.reopen)
		return
	}
	go o.reopen()
}

// reopen: what was recorded so far goes to the old file. A path that cannot be opened leaves the
// trace in the old file.
func (o *output) reopen() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked.Store(false)
	o.fresh = false
	if o.closed {
		return
	}
	o.put()
	file, err := o.open()
	if err != nil {
		o.tell(fmt.Sprintf("trace: cannot reopen %s, the old file is written on: %v", o.name, err))
		return
	}
	if info, err := file.Stat(); err == nil && info.Size() == 0 {
		o.pending = append(o.pending, o.tail...)
		o.put()
	}
	if err := o.file.Close(); err != nil {
		o.lose(nil, err) // some file systems tell only now that there was no room
	}
	o.file, o.to = file, file
	o.begin()
}

// begin writes the head where nothing stands yet. The lock is held, or nobody else knows o.
func (o *output) begin() {
	if o.fresh = len(o.head) > 0 && o.size() <= 0; o.fresh {
		o.pending = append(o.pending, o.head...)
		o.put()
	}
}

// close writes the rest, closes the file and says what was lost.
func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.timer != nil {
		o.timer.Stop()
	}
	o.put()
	o.closed = true
	if o.file != nil {
		if err := o.file.Close(); o.loss.err == nil {
			o.loss.err = err
		}
	}
	switch {
	case o.loss.lines > 0:
		return fmt.Errorf("trace to %s: %d lines, %d bytes could not be written: %w", o.name, o.loss.lines,
			o.loss.bytes, o.loss.err)
	case o.loss.err != nil:
		return fmt.Errorf("trace to %s: %w", o.name, o.loss.err)
	}
	return nil
}

// terminal reports whether the output goes to a terminal, and how wide that is; 0 where it does not say.
func (o *output) terminal() (wide int, is bool) {
	f, ok := o.to.(*os.File)
	if !ok {
		return 0, false
	}
	c, err := f.SyscallConn() // Fd would make a FIFO's writes wait
	if err != nil {
		return 0, false
	}
	err = c.Control(func(fd uintptr) {
		if is = term.IsTerminal(int(fd)); is {
			wide, _, _ = term.GetSize(int(fd))
		}
	})
	return wide, is && err == nil
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
