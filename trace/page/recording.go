package page

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
)

// A chunk is written when it has so many bytes, or when its first line is so old: what a process that
// is killed loses of its page.
const (
	chunkBytes = 256 << 10
	chunkAge   = time.Second
)

// Recording is a span processor that writes a page: the document first, then chunks of lines, each one
// script element that no browser runs. The page is whole after every chunk.
type Recording struct {
	to io.Writer // each Write is whole lines

	mu      sync.Mutex
	encoder *Encoder
	lines   bytes.Buffer // of the chunk to come
	count   int
	timer   *time.Timer
	closed  bool
}

// NewRecording returns a processor that writes to w what follows a Document, one Write per chunk. since is
// as in NewEncoder.
func NewRecording(w io.Writer, since time.Time) *Recording {
	r := &Recording{to: w}
	r.encoder = NewEncoder(since, r.add)
	r.timer = time.AfterFunc(chunkAge, r.flush)
	r.timer.Stop()
	return r
}

// OnStart implements sdk.SpanProcessor.
func (r *Recording) OnStart(_ context.Context, s sdk.ReadWriteSpan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encoder.Start(s)
}

// OnEnd implements sdk.SpanProcessor.
func (r *Recording) OnEnd(s sdk.ReadOnlySpan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encoder.End(s)
}

// ForceFlush implements sdk.SpanProcessor.
func (r *Recording) ForceFlush(context.Context) error {
	r.flush()
	return nil
}

// Shutdown writes what is left. Stats may still follow.
func (r *Recording) Shutdown(context.Context) error {
	r.flush()
	return nil
}

// Stats writes the last line of the page.
func (r *Recording) Stats(s record.Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encoder.Stats(s)
	r.pack()
	r.closed = true
	r.timer.Stop()
}

// Reopen writes what is recorded so far, calls reopen, which makes w go to another file, and goes on
// there with a page that is whole by itself.
func (r *Recording) Reopen(reopen func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.pack()
	reopen()
	r.encoder.Restart()
}

// add takes a line of the encoder. The lock is held.
func (r *Recording) add(line []byte) {
	if r.count == 0 {
		r.timer.Reset(chunkAge)
	}
	r.lines.Write(line)
	r.lines.WriteByte('\n')
	r.count++
	if r.lines.Len() >= chunkBytes {
		r.pack()
	}
}

func (r *Recording) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pack()
}

// pack writes the lines as one element. Compressed and in base64 they hold no byte that a browser might
// take for markup, whatever a peer put into a name.
func (r *Recording) pack() {
	if r.count == 0 {
		return
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<script type=%q data-lines=\"%d\">", chunkType, r.count)
	text := base64.NewEncoder(base64.StdEncoding, &b)
	packed := gzip.NewWriter(text)
	packed.Write(r.lines.Bytes())
	packed.Close()
	text.Close()
	b.WriteString("</script>\n")
	r.to.Write(b.Bytes())
	r.lines.Reset()
	r.count = 0
}

const chunkType = "application/x-envoywalk"

// inOrder are the open spans, outermost first.
func inOrder(open map[trace.SpanID]*begun) []*begun {
	return slices.SortedFunc(maps.Values(open), func(a, b *begun) int {
		return cmp.Compare(a.line.Seq, b.line.Seq)
	})
}
