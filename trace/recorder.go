package trace

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Config is what a recorder is made of.
type Config struct {
	Service    string              // service.name: envoywalk 04-threading
	Processors []sdk.SpanProcessor // where spans go: see the folders below
	Blocks     int                 // blocks per lane, 64 records each; 0 is 1024
	Sample     Sample
	Armed      func(left int64) // hears how many connections are armed still, on the collector's goroutine
}

// Sample keeps the first First connections whole, then one in Every; the zero value keeps all. What
// fails is always kept, as far as the ring still has it.
type Sample struct{ First, Every uint64 }

// Recorder owns the lanes and the goroutine that reads them. A nil Recorder makes nil lanes.
type Recorder struct {
	epoch     time.Time
	run       [8]byte // the part of every id that tells this process from others
	blocks    int
	dropped   atomic.Uint64
	arming    atomic.Pointer[arming] // what the collector has not come to
	mu        sync.Mutex             // lanes: taken when a thread begins, never on a loop
	lanes     []*Lane
	collector *collector
	provider  *sdk.TracerProvider
	stop      chan struct{}
	done      chan struct{}
}

// ErrStuck: a processor did not take what was left in time.
var ErrStuck = errors.New("a sink takes no more; the rest of the trace is lost")

// Stats says what became of what was recorded.
type Stats struct {
	Spans      uint64 // ended and given to every processor
	Dropped    uint64 // records that no longer fitted and were never read
	SampledOut uint64 // spans of connections that sampling or arming left out
}

// New starts a recorder and its collector.
func New(c Config) *Recorder {
	r := assemble(c)
	go r.collect()
	return r
}

func assemble(c Config) *Recorder {
	r := &Recorder{epoch: time.Now(), blocks: c.Blocks, stop: make(chan struct{}), done: make(chan struct{})}
	if r.blocks == 0 {
		r.blocks = 1024
	}
	rand.Read(r.run[:])
	ids := &recordedIDs{run: binary.BigEndian.Uint64(r.run[:])}
	options := []sdk.TracerProviderOption{
		sdk.WithIDGenerator(ids),
		sdk.WithSampler(sdk.AlwaysSample()),
		sdk.WithRawSpanLimits(unlimited),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", c.Service),
			attribute.String("envoywalk.clock", clockPolicy),
		)),
	}
	for _, p := range c.Processors {
		options = append(options, sdk.WithSpanProcessor(p))
	}
	r.provider = sdk.NewTracerProvider(options...)
	r.collector = newCollector(r, ids, c)
	return r
}

// clockPolicy travels with every trace, so that nobody reads a function's duration as a measurement.
const clockPolicy = "system calls, posts, turns and callbacks read the clock; " +
	"a function span takes its thread's last reading"

// unlimited: a span is never cut short by the SDK.
var unlimited = sdk.SpanLimits{AttributeValueLengthLimit: -1, AttributeCountLimit: -1,
	EventCountLimit: -1, LinkCountLimit: -1, AttributePerEventCountLimit: -1, AttributePerLinkCountLimit: -1}

// Thread begins the life of the calling thread, locked to its goroutine, and returns its lane. cause is
// the span that created the thread, 0 for the first. What the lane records before its StartupDone is
// never taken back.
func (r *Recorder) Thread(name string, tid int, cause uint64) *Lane {
	if r == nil {
		return nil
	}
	l := &Lane{recorder: r, tid: tid, first: tid, name: name, keep: true, cur: new(block),
		stack: make([]open, 0, 128)}
	l.ring.slots = make([]atomic.Pointer[block], r.blocks)
	l.cur.keep = true
	l.fresh = make([]block, r.blocks+4)
	r.mu.Lock()
	l.number = uint64(len(r.lanes) + 1)
	l.story = storyThread | Story(l.number)
	r.lanes = append(r.lanes, l)
	r.mu.Unlock()
	l.last = r.now()
	l.life = l.begin(KindThread, 0, l.story, cause, 0)
	l.lastRecord().Text = name
	return l
}

// Dropped returns how many records were lost so far because the sinks could not keep up.
func (r *Recorder) Dropped() uint64 {
	if r == nil {
		return 0
	}
	return r.dropped.Load()
}

// Close reads what is left, ends what is open, and shuts the processors down. The lanes must be at rest.
func (r *Recorder) Close(ctx context.Context) (Stats, error) {
	if r == nil {
		return Stats{}, nil
	}
	close(r.stop)
	select {
	case <-r.done:
	case <-ctx.Done(): // a sink takes nothing: the collector and its numbers are not ours to read
		return Stats{Dropped: r.dropped.Load()}, ErrStuck
	}
	err := r.provider.Shutdown(ctx)
	return Stats{r.collector.spans.Load(), r.dropped.Load(), r.collector.sampledOut}, err
}

// Told is how many spans every processor has been given so far. Any thread may ask: a Close that
// takes long either moves this number or is stuck.
func (r *Recorder) Told() uint64 { return r.collector.spans.Load() }

// collect is the collector's goroutine. It asks, because a lane that called would have to enter the
// kernel to wake it.
func (r *Recorder) collect() {
	defer close(r.done)
	const busy, idle = 5 * time.Millisecond, 50 * time.Millisecond
	timer := time.NewTimer(busy)
	for {
		select {
		case <-r.stop:
			r.collector.finish()
			return
		case <-timer.C:
			if r.collector.round(false) {
				timer.Reset(busy)
			} else {
				timer.Reset(idle)
			}
		}
	}
}

func (r *Recorder) allLanes() []*Lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lanes
}
