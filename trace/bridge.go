package trace

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// bridge turns records into spans of OpenTelemetry's SDK: started at the begin record, ended at the
// end record, with the recorded ids and times.
type bridge struct {
	collector *collector
	tracer    trace.Tracer
	ids       *recordedIDs
	seq       int64
	labels    map[int64]label // what an fd is called now
	open      map[uint64]*live
	roots     []uint64 // of stories, those that ended among them
	maxRoots  int
	where     places
	sample    sampler
	recent    recentStories
	posts     postNumbers
}

// live is a span that has started and not ended.
type live struct {
	span   trace.Span
	source *source
	story  Story
	seq    int64
	gaps   int // of the source, when it started
}

// label is what an fd is called, and who said so.
type label struct {
	name   string
	source *source
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

func newBridge(c *collector, ids *recordedIDs, from Config) *bridge {
	b := &bridge{collector: c, tracer: c.recorder.provider.Tracer("envoywalk"), ids: ids,
		labels: map[int64]label{}, open: map[uint64]*live{}, maxRoots: remembered, where: places{},
		sample: newSampler(from.Sample), recent: newRecentStories(), posts: postNumbers{waiting: map[uint64]int64{}}}
	b.sample.heard, b.sample.telling = from.Armed, b.telling
	if from.Armed == nil {
		b.sample.heard = func(int64) {}
	}
	return b
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
	post   int64  // the number of the post, or of the post that is run
	about  string // the subject of either
	file   string // of the configuration that it is there for, "" for none; the line is Args[4]
	line   string // what that line says
	turn   uint64 // the turn of the loop that it is in
}

// take is given every record that is worth telling, in order.
func (b *bridge) take(s *source, r *Record, repeat int64) {
	if r.Kind == KindLabel {
		b.label(s, r)
		return
	}
	if r.Kind != KindNote && r.Kind != KindCause {
		b.seq++
	}
	s.follow(r)
	t := told{Record: *r, source: s, seq: b.seq, repeat: repeat, fd: -1, turn: s.turn}
	b.name(&t)
	for _, t := range b.sample.take(t) {
		b.tell(&t)
	}
	b.collector.sampledOut = b.sample.out
}

// follow keeps which turn is open.
func (s *source) follow(r *Record) {
	switch {
	case r.Kind == KindTurn:
		s.turn = r.ID
	case r.Kind == KindEnd && r.ID == s.turn:
		s.turn = 0
	}
}

// name resolves the labels of the fds in t, as they are at this moment of the order, and the numbers
// by which people tell posts apart.
func (b *bridge) name(t *told) {
	switch t.Kind {
	case KindCall:
		t.args = t.Call.Format(b.fdText, &t.Record)
		if t.Call.HasFD {
			t.fd = t.Args[0]
		}
		if t.Call.MakesFD && t.Ret >= 0 {
			t.made = b.labels[t.Ret].name
		}
	case KindFunction, KindEvent, KindLater, KindHandOver:
		t.fd = t.Args[2] - 1
	case KindPost:
		t.post = b.posts.told(t.ID)
		t.Text, t.about, _ = strings.Cut(t.Text, "\x00")
		return
	case KindRun:
		t.post = b.posts.run(t.Link)
		t.Text, t.about, _ = strings.Cut(t.Text, "\x00")
		return
	default:
		return
	}
	t.label = b.labels[t.fd].name
	if t.Kind == KindFunction && t.Flags&flagFrom != 0 {
		t.file, t.Text, _ = strings.Cut(t.Text, "\x00")
		t.line, t.Text, _ = strings.Cut(t.Text, "\x00")
	}
	if t.Kind == KindCall && t.Call.Closes || t.Kind == KindHandOver {
		b.unlabel(t.fd)
	}
}

func (b *bridge) fdText(fd int64) string {
	if name := b.labels[fd].name; name != "" {
		return fmt.Sprintf("%d<%s>", fd, name)
	}
	return fmt.Sprint(fd)
}

func (b *bridge) label(s *source, r *Record) {
	name, connection := r.Text, r.Args[1]
	switch {
	case name == "":
		name = fmt.Sprintf("C%d", connection)
	case connection != 0:
		name = fmt.Sprintf("C%d>%s", connection, name)
	}
	b.labels[r.Args[0]] = label{name, s}
}

func (b *bridge) unlabel(fd int64) { delete(b.labels, fd) }

// forgetLabels drops what a thread had named when records of it were lost: it may have closed any of them,
// and been given the number again. Whatever the number stands for now, nobody knows.
func (b *bridge) forgetLabels(s *source) {
	for fd, l := range b.labels {
		if l.source == s {
			b.labels[fd] = label{unknown, s}
		}
	}
}

// unknown is what an fd is called whose name was lost.
const unknown = "?"

// gap tells, on the first span after it, how much of its thread was taken back just before.
func (b *bridge) gap(t *told) []attribute.KeyValue {
	s := t.source
	if s.lost == 0 || t.seq <= s.lostAt || t.Kind == KindStory {
		return nil
	}
	lost := int64(s.lost)
	s.lost = 0
	return []attribute.KeyValue{KeyLost.Int64(lost)}
}

// tell starts or ends a span.
func (b *bridge) tell(t *told) {
	switch {
	case t.Kind.begins(), t.Kind == KindStory:
		b.start(t)
	case t.Kind == KindEnd, t.Kind == KindStoryEnd:
		b.end(t)
	case t.Kind == KindNote:
		if l := b.open[t.ID]; l != nil {
			l.span.SetAttributes(noteAttributes(&t.Record)...)
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
		trace.WithAttributes(append(b.attributes(t), b.gap(t)...)...),
		trace.WithSpanKind(spanKind(t.Kind)),
	}
	turn := t.turn
	if link == 0 || link == turn || turn == t.ID {
		turn = 0 // it is inside of it, or is it
	}
	for _, cause := range [...]uint64{link, turn, t.Link} {
		if cause != 0 {
			options = append(options, b.linkOption(cause))
		}
	}
	_, span := b.tracer.Start(ctx, spanName(t), options...)
	b.open[t.ID] = &live{span, t.source, t.Story, t.seq, t.source.gaps}
	switch {
	case t.Kind.begins():
		at, _ := slices.BinarySearch(t.source.open, t.ID)
		t.source.open = slices.Insert(t.source.open, at, t.ID)
	case t.Kind == KindStory:
		b.roots = append(b.roots, t.ID)
		b.endLostRoots()
	}
}

// parent gives the context of the span that t is inside of: the enclosing span, or, where another
// story begins, the story's root; the enclosing span and the turn are then links.
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
	l, beginLost := b.open[t.ID], false
	if l == nil {
		b.start(begun(t))
		l, beginLost = b.open[t.ID], true
	}
	if beginLost || l.gaps != l.source.gaps {
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
	b.recent.add(t.ID, l.story)
	delete(b.open, t.ID)
	if at, ok := slices.BinarySearch(l.source.open, t.ID); ok {
		l.source.open = slices.Delete(l.source.open, at, at+1)
	}
	b.collector.spans.Add(1)
}

// begun is what an end still knows of a begin that was taken back.
func begun(end *told) *told {
	t := *end
	t.Link, t.Text, t.Args = 0, "", [6]int64{}
	if t.Kind == KindStoryEnd {
		t.Kind, t.Args[0] = KindStory, int64(t.Story)
	} else {
		t.Kind = Kind(t.Ret)
	}
	return &t
}

// transient: these are answers, not failures.
func transient(errno string) bool {
	return errno == "EAGAIN" || errno == "EINPROGRESS" || errno == "EINTR"
}

// endLost ends what r shows to be over although its end was taken back.
func (b *bridge) endLost(s *source, r *Record) {
	id, ok := r.enclosing()
	if !ok {
		return
	}
	for n := len(s.open); n > 0 && s.open[n-1] > id; n = len(s.open) {
		b.endUntold(s.open[n-1], r.time())
	}
}

// endLostRoots ends the stories that may have lost their end, once there are many, so that an overload
// does not pile them up.
func (b *bridge) endLostRoots() {
	if len(b.roots) < b.maxRoots {
		return
	}
	kept := b.roots[:0]
	for _, id := range b.roots {
		if l := b.open[id]; l != nil && l.gaps != l.source.gaps {
			b.endUntold(id, b.collector.recorder.now())
		} else if l != nil {
			kept = append(kept, id)
		}
	}
	b.roots, b.maxRoots = kept, max(b.maxRoots, 2*len(kept))
}

// endUntold ends a span whose end nobody recorded, and says so.
func (b *bridge) endUntold(id uint64, at int64) {
	b.seq++
	b.open[id].span.SetAttributes(unfinished)
	b.end(&told{Record: Record{Kind: KindEnd, ID: id, End: at}, seq: b.seq})
}

// finish ends what is still open, the youngest first: the process stops, and the trace says so.
func (b *bridge) finish() {
	for _, t := range b.sample.rest() {
		b.tell(&t)
	}
	youngest := func(x, y uint64) int { return cmp.Compare(b.open[y].seq, b.open[x].seq) }
	for _, id := range slices.SortedFunc(maps.Keys(b.open), youngest) {
		b.endUntold(id, b.collector.recorder.now())
	}
}

func (b *bridge) time(ns int64) time.Time { return b.collector.recorder.epoch.Add(time.Duration(ns)) }
