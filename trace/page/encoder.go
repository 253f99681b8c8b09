package page

import (
	"encoding/json"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/internal/step"
	record "envoywalk/trace"
	"envoywalk/trace/moment"
)

// Encoder turns spans into the page's lines. Start and End are called in the order of seq, by one
// goroutine at a time.
type Encoder struct {
	emit  func(line []byte) // one JSON object without its newline; it takes the bytes over
	root  string            // where sources are read
	since time.Time         // sources younger than this are told to be so
	epoch time.Time
	head  *headLine
	steps map[string]bool // those that stand in a line already
	files map[string]bool
	open  map[trace.SpanID]*begun
	posts map[int64]*moment.Moment
}

// begun is a span whose end is still to come.
type begun struct {
	line         *beginLine
	attrs, links int // how many it had as it began
}

// NewEncoder returns an encoder that gives its lines to emit. Sources younger than since, which for the
// zero value is when the program was built, are told to be so.
func NewEncoder(since time.Time, emit func(line []byte)) *Encoder {
	if since.IsZero() {
		since = builtAt()
	}
	return &Encoder{emit: emit, root: moduleRoot(), since: since, steps: map[string]bool{}, files: map[string]bool{},
		open: map[trace.SpanID]*begun{}, posts: map[int64]*moment.Moment{}}
}

// Start tells that s began.
func (e *Encoder) Start(s sdk.ReadOnlySpan) {
	if e.head == nil {
		e.begin(s)
	}
	m := moment.Read(s)
	e.matchPost(m)
	e.needStep(m.Step)
	e.needFile(m.File)
	b := &begun{line: e.beginLine(s, m), attrs: len(s.Attributes()), links: len(s.Links())}
	e.open[m.ID] = b
	if !m.IsInstant() {
		e.put(b.line)
	}
}

// End tells that s ended.
func (e *Encoder) End(s sdk.ReadOnlySpan) {
	id := s.SpanContext().SpanID()
	b := e.open[id]
	if b == nil {
		return
	}
	delete(e.open, id)
	end := e.endLine(s, b)
	if isInstant(b.line.Kind) {
		b.line.End = end
		e.put(b.line)
		return
	}
	end.K, end.ID = "e", b.line.ID
	e.put(end)
}

// Restart tells again what the lines to come lean on: they go to a file that has none of it. What
// is open began in the old file, and is told as begun.
func (e *Encoder) Restart() {
	if e.head == nil {
		return
	}
	clear(e.steps)
	clear(e.files)
	e.put(e.head)
	for _, b := range inOrder(e.open) {
		e.needStep(b.line.Step)
		e.needFile(b.line.File)
		e.put(b.line)
	}
}

// Stats tells how the recording ended: the last line.
func (e *Encoder) Stats(s record.Stats) {
	e.put(&statsLine{"stats", s.Spans, s.Dropped, s.SampledOut})
}

func (e *Encoder) begin(s sdk.ReadOnlySpan) {
	e.epoch = s.StartTime()
	run := s.SpanContext().TraceID()
	service := resourceText(s.Resource(), "service.name")
	e.head = &headLine{K: "head", Version: 1, Service: service, Chapter: chapterOf(service),
		Clock: resourceText(s.Resource(), "envoywalk.clock"), Start: e.epoch.UTC().Format(time.RFC3339Nano),
		Run: run.String()[:16]}
	e.put(e.head)
}

func resourceText(r *resource.Resource, key attribute.Key) string {
	v, _ := r.Set().Value(key)
	return v.AsString()
}

// chapterOf is the number in `envoywalk 04-threading`, -1 for another program.
func chapterOf(service string) int {
	for _, s := range step.All() {
		if i := s.Info(); service == "envoywalk "+i.Chapter {
			return i.Number
		}
	}
	return -1
}

func (e *Encoder) matchPost(m *moment.Moment) {
	switch m.Kind {
	case moment.KindPost:
		if len(e.posts) > 1<<16 {
			clear(e.posts) // their runs were lost, or sampling left them out
		}
		e.posts[m.PostID] = m
	case moment.KindRun:
		if post := e.posts[m.PostID]; post != nil {
			m.RunOf(post)
			delete(e.posts, m.PostID)
		}
	}
}

func (e *Encoder) needStep(id string) {
	if id == "" || e.steps[id] {
		return
	}
	e.steps[id] = true
	s, ok := step.ByID(id)
	if !ok {
		return
	}
	i := s.Info()
	l := &stepLine{K: "step", ID: i.ID, Name: i.Name, Symbol: i.Symbol, File: i.File, Line: i.Line,
		Chapter: i.Chapter, Article: i.Article, Section: i.Section, Does: i.Does, DoesZh: i.DoesZh,
		Kind: string(i.Kind)}
	for _, n := range i.Figures {
		l.Figures = append(l.Figures, figure{n, step.Figure{Article: i.Article, Number: n}.URL()})
	}
	e.put(l)
}

func (e *Encoder) needFile(path string) {
	if path == "" || e.files[path] {
		return
	}
	e.files[path] = true
	e.put(source(e.root, path, e.since))
}

func (e *Encoder) beginLine(s sdk.ReadOnlySpan, m *moment.Moment) *beginLine {
	l := &beginLine{K: "b", Seq: m.Seq, ID: m.ID.String(), Trace: m.Trace.String(), Name: m.Name, Kind: m.Kind,
		Thread: m.Thread, TID: m.TID, Step: m.Step, Function: m.Function, File: m.File, Line: m.Line,
		Text: m.Text(), Hint: m.Hint("en"), HintZh: m.Hint("zh"), At: e.at(s.StartTime())}
	if m.Parent.IsValid() {
		l.Parent = m.Parent.String()
	}
	l.Links = linkLines(s.Links())
	for _, kv := range s.Attributes() {
		if !hasOwnField(kv.Key) {
			l.Attrs = append(l.Attrs, kv)
		}
	}
	return l
}

func (e *Encoder) endLine(s sdk.ReadOnlySpan, b *begun) *endLine {
	l := &endLine{At: e.at(s.EndTime()), Err: s.Status().Code == codes.Error,
		Description: s.Status().Description}
	for _, kv := range s.Attributes()[min(b.attrs, len(s.Attributes())):] {
		if kv.Key == record.KeySeqEnd {
			l.Seq = kv.Value.AsInt64()
		} else {
			l.Attrs = append(l.Attrs, kv)
		}
	}
	l.Links = linkLines(s.Links()[min(b.links, len(s.Links())):])
	return l
}

func (e *Encoder) at(t time.Time) int64 { return int64(t.Sub(e.epoch)) }

// hasOwnField: a field of the line says it, or the step does.
func hasOwnField(key attribute.Key) bool {
	switch key {
	case record.KeySeqStart, record.KeySeqEnd, record.KeyKind, record.KeyThreadID, record.KeyThreadName, record.KeyStep,
		record.KeyFunction, record.KeyFile, record.KeyLine, record.KeyChapter, record.KeySymbol,
		record.KeyEnvoyFile, record.KeyEnvoyLine, record.KeyArticle, record.KeySection, record.KeyFigure:
		return true
	}
	return false
}

func linkLines(links []sdk.Link) (lines []linkLine) {
	for _, l := range links {
		lines = append(lines, linkLine{l.SpanContext.SpanID().String(), l.SpanContext.TraceID().String()})
	}
	return lines
}

func isInstant(kind string) bool { return (&moment.Moment{Kind: kind}).IsInstant() }

func (e *Encoder) put(line any) {
	text, err := json.Marshal(line)
	if err == nil { // our own types always are
		e.emit(text)
	}
}
