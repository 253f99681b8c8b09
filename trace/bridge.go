package trace

import (
	"context"
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"time"
)

// bridge turns records into spans of OpenTelemetry's SDK: started at the begin record, ended at the
// end record, with the recorded ids and times.
type bridge struct {
	collector *collector
	tracer    trace.Tracer
	ids       *recordedIDs
	seq       int64
	labels    map[int64]string // what an fd is called now
	open      map[uint64]*live
	where     places
	sample    sampler
	recent    recentStories
}

// live is a span that has started and not ended.
type live struct {
	span      trace.Span
	source    *source
	truncated bool
}

// recordedIDs gives the SDK the ids that the lanes recorded.
type recordedIDs struct {
	run   uint64
	next  uint64
	story Story
}

func (g *recordedIDs) spanID(id uint64) (s trace.SpanID) {
	binary.BigEndian.PutUint64(s[:], id^g.run)
	return s
}

func (g *recordedIDs) traceID(story Story) (t trace.TraceID) {
	binary.BigEndian.PutUint64(t[:8], g.run|1)
	binary.BigEndian.PutUint64(t[8:], uint64(story)+1)
	return t
}

// NewIDs implements sdk.IDGenerator.
func (g *recordedIDs) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	return g.traceID(g.story), g.spanID(g.next)
}

// NewSpanID implements sdk.IDGenerator.
func (g *recordedIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	return g.spanID(g.next)
}

var _ sdk.IDGenerator = (*recordedIDs)(nil)

func newBridge(c *collector, ids *recordedIDs, s Sample) *bridge {
	return &bridge{collector: c, tracer: c.recorder.provider.Tracer("envoywalk"), ids: ids,
		labels: map[int64]string{}, open: map[uint64]*live{}, where: places{},
		sample: sampler{Sample: s, waiting: map[Story][]told{}}, recent: newRecentStories()}
}

// told is a record with what must be known of its moment: its place in the order, its labels.
type told struct {
	Record
	source *source
	seq    int64
	repeat int64
	args   string // a call's arguments
	fd     int64  // the fd it is about, -1 for none
	label  string // what that fd is called
	made   string // what the fd that the call made is called
}

// take is given every record that is worth telling, in order.
func (b *bridge) take(s *source, r *Record, repeat int64) {
	if r.Kind == KindLabel {
		b.label(r)
		return
	}
	if r.Kind != KindNote && r.Kind != KindCause {
		b.seq++
	}
	t := told{Record: *r, source: s, seq: b.seq, repeat: repeat, fd: -1}
	b.name(&t)
	for _, t := range b.sample.take(t) {
		b.tell(&t)
	}
	b.collector.sampledOut = b.sample.out
}

// name resolves the labels of the fds in t, as they are at this moment of the order.
func (b *bridge) name(t *told) {
	switch t.Kind {
	case KindCall:
		t.args = t.Call.Format(b.fdText, &t.Record)
		if t.Call.HasFD {
			t.fd = t.Args[0]
		}
		if t.Call.MakesFD && t.Ret >= 0 {
			t.made = b.labels[t.Ret]
		}
	case KindFunction, KindEvent, KindLater, KindHandOver:
		t.fd = t.Args[2] - 1
	default:
		return
	}
	t.label = b.labels[t.fd]
	if t.Kind == KindCall && t.Call.Closes || t.Kind == KindHandOver {
		b.unlabel(t.fd)
	}
}

func (b *bridge) fdText(fd int64) string {
	if label := b.labels[fd]; label != "" {
		return fmt.Sprintf("%d<%s>", fd, label)
	}
	return fmt.Sprint(fd)
}

func (b *bridge) label(r *Record) {
	if r.Text == "" {
		b.labels[r.Args[0]] = fmt.Sprintf("C%d", r.Args[1])
		return
	}
	b.labels[r.Args[0]] = r.Text
}

func (b *bridge) unlabel(fd int64) { delete(b.labels, fd) }

// tell starts or ends a span.
func (b *bridge) tell(t *told) {
	switch {
	case t.Kind.begins(), t.Kind == KindStory:
		b.start(t)
	case t.Kind == KindEnd, t.Kind == KindStoryEnd:
		b.end(t)
	case t.Kind == KindNote:
		if l := b.open[t.ID]; l != nil {
			l.span.SetAttributes(noteAttribute(&t.Record))
		}
	case t.Kind == KindCause:
		if l := b.open[t.ID]; l != nil {
			b.addLink(l, t.Link)
		}
	default:
		b.start(t)
		b.end(t)
	}
}

func (b *bridge) start(t *told) {
	b.ids.next, b.ids.story = t.ID, t.Story
	ctx, link := b.parent(t)
	options := []trace.SpanStartOption{
		trace.WithTimestamp(b.time(t.Begin)),
		trace.WithAttributes(b.attributes(t)...),
		trace.WithSpanKind(spanKind(t.Kind)),
	}
	for _, cause := range [...]uint64{link, t.Link} {
		if cause != 0 {
			options = append(options, b.linkOption(cause))
		}
	}
	_, span := b.tracer.Start(ctx, spanName(t), options...)
	b.open[t.ID] = &live{span: span, source: t.source}
}

// parent gives the context of the span that t is inside of: the enclosing span, or, where another
// story begins, the story's root; the enclosing span is then a link.
func (b *bridge) parent(t *told) (ctx context.Context, link uint64) {
	ctx = context.Background()
	enclosing, story := uint64(t.Args[0]), Story(t.Args[1])
	switch t.Kind {
	case KindCall:
		enclosing, story = uint64(t.Args[5]), t.Story
	case KindThread, KindStory:
		return ctx, 0
	}
	if enclosing != 0 && story != t.Story {
		link, enclosing = enclosing, rootOf(t.Story)
	}
	if enclosing == 0 {
		return ctx, link
	}
	return trace.ContextWithSpanContext(ctx, b.context(enclosing, t.Story)), link
}

// rootOf is the span at the root of a story; start-up's root is main itself.
func rootOf(s Story) uint64 {
	switch {
	case s == StoryStartup:
		return 0
	case s&storyThread != 0:
		return uint64(s&^storyThread)<<40 | 1
	}
	return storyRoot(s)
}

// context names a recorded span of a story.
func (b *bridge) context(id uint64, story Story) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: b.ids.traceID(story),
		SpanID: b.ids.spanID(id), TraceFlags: trace.FlagsSampled})
}

// link points at the span that caused another. A cause so old that its trace is forgotten is said to
// be lost rather than guessed.
func (b *bridge) link(id uint64) (trace.Link, bool) {
	if l := b.open[id]; l != nil {
		return trace.Link{SpanContext: l.span.SpanContext()}, true
	}
	story, ok := b.recent.of(id)
	return trace.Link{SpanContext: b.context(id, story)}, ok
}

func (b *bridge) linkOption(cause uint64) trace.SpanStartOption {
	if link, ok := b.link(cause); ok {
		return trace.WithLinks(link)
	}
	return trace.WithAttributes(causeLost)
}

func (b *bridge) addLink(l *live, cause uint64) {
	if link, ok := b.link(cause); ok {
		l.span.AddLink(link)
		return
	}
	l.span.SetAttributes(causeLost)
}

func (b *bridge) end(t *told) {
	l := b.open[t.ID]
	if l == nil { // its begin was taken back
		begun := *t
		begun.Kind, begun.Args = KindFunction, [6]int64{}
		if t.Kind == KindEnd {
			begun.Kind = Kind(t.Ret)
		}
		b.start(&begun)
		l = b.open[t.ID]
		l.truncated = true
	}
	if l.truncated {
		l.span.SetAttributes(storyTruncated)
	}
	l.span.SetAttributes(seqEnd.Int64(t.seq))
	if t.Kind == KindStoryEnd && t.Flags&flagFailed != 0 {
		l.span.SetStatus(codes.Error, "")
	}
	if t.Kind == KindCall && t.Ret < 0 && !transient(t.Call.ErrnoName(int(-t.Ret))) {
		l.span.SetStatus(codes.Error, t.Call.ErrnoName(int(-t.Ret)))
	}
	l.span.End(trace.WithTimestamp(b.time(t.End)))
	b.recent.add(t.ID, t.Story)
	delete(b.open, t.ID)
	b.collector.spans++
}

// transient: these are answers, not failures.
func transient(errno string) bool {
	return errno == "EAGAIN" || errno == "EINPROGRESS" || errno == "EINTR"
}

// truncate marks what was open on the thread when records of it were lost.
func (b *bridge) truncate(s *source) {
	for _, l := range b.open {
		if l.source == s {
			l.truncated = true
		}
	}
}

// finish ends what is still open: the process stops, and the trace says so.
func (b *bridge) finish() {
	for _, t := range b.sample.rest() {
		b.tell(&t)
	}
	for id, l := range b.open {
		l.span.SetAttributes(unfinished)
		b.seq++
		b.end(&told{Record: Record{Kind: KindEnd, ID: id, End: b.collector.recorder.now()}, seq: b.seq})
	}
}

func (b *bridge) time(ns int64) time.Time { return b.collector.recorder.epoch.Add(time.Duration(ns)) }
