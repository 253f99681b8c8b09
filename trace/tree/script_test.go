package tree_test

import (
	"context"
	"encoding/binary"
	"io"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
	"envoywalk/trace/tree"
)

// script makes the spans that a recorder would make, in order, by hand.
type script struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	ids      *counted
	seq      int64
	stacks   map[string][]trace.Span
	posted   map[int64]trace.SpanContext
	called   trace.SpanContext // the last call
}

// counted gives ids in order, so that a failure can be read.
type counted struct {
	trace byte
	span  uint64
}

func (c *counted) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	return trace.TraceID{15: c.trace}, c.NewSpanID(ctx, trace.TraceID{})
}

func (c *counted) NewSpanID(context.Context, trace.TraceID) (s trace.SpanID) {
	c.span++
	binary.BigEndian.PutUint64(s[:], c.span)
	return s
}

func newScript(w io.Writer, o tree.Options) *script {
	s := &script{ids: &counted{trace: 1}, stacks: map[string][]trace.Span{},
		posted: map[int64]trace.SpanContext{}}
	s.provider = sdk.NewTracerProvider(sdk.WithIDGenerator(s.ids),
		sdk.WithSpanProcessor(tree.New(w, o)),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "envoywalk 04-threading"))))
	s.tracer = s.provider.Tracer("test")
	return s
}

func (s *script) start(thread, kind, name string, kvs ...attribute.KeyValue) trace.Span {
	return s.startLinked(thread, kind, name, nil, kvs...)
}

func (s *script) startLinked(thread, kind, name string, links []trace.Link,
	kvs ...attribute.KeyValue) trace.Span {
	s.seq++
	ctx := context.Background()
	if n := len(s.stacks[thread]); n > 0 {
		ctx = trace.ContextWithSpan(ctx, s.stacks[thread][n-1])
	}
	kvs = append(kvs, record.KeySeqStart.Int64(s.seq), record.KeyKind.String(kind))
	if kind != "story" {
		kvs = append(kvs, record.KeyThreadName.String(thread))
	}
	_, span := s.tracer.Start(ctx, name, trace.WithAttributes(kvs...), trace.WithLinks(links...))
	return span
}

// begin starts an enclosing span; end ends the innermost one of the thread.
func (s *script) begin(thread, kind, name string, kvs ...attribute.KeyValue) {
	s.stacks[thread] = append(s.stacks[thread], s.start(thread, kind, name, kvs...))
}

func (s *script) end(thread string, kvs ...attribute.KeyValue) {
	stack := s.stacks[thread]
	span := stack[len(stack)-1]
	s.stacks[thread] = stack[:len(stack)-1]
	s.finish(span, kvs...)
}

func (s *script) finish(span trace.Span, kvs ...attribute.KeyValue) {
	s.seq++
	span.SetAttributes(append(kvs, record.KeySeqEnd.Int64(s.seq))...)
	span.End()
}

// thread begins a thread's life.
func (s *script) thread(name string, tid int) {
	s.begin(name, "thread", "thread "+name, record.KeyThreadID.Int(tid))
}

// fn begins a function of a chapter.
func (s *script) fn(thread, chapter, name string, kvs ...attribute.KeyValue) {
	s.begin(thread, "function", name, append(kvs, record.KeyChapter.String(chapter),
		record.KeyFile.String("chapters/"+chapter+"/walk.go"), record.KeyLine.Int(int(s.seq)),
		record.KeySymbol.String("Envoy::Server::"+name),
		record.KeyEnvoyFile.String("source/server/server.cc"), record.KeyEnvoyLine.Int(7))...)
}

// call tells a system call; errno "" is success.
func (s *script) call(thread, name, args string, ret int64, errno string,
	kvs ...attribute.KeyValue) {
	kvs = append(kvs, record.KeySyscall.String(name), record.KeyArgs.String(args),
		record.KeyRet.Int64(ret), record.KeyFile.String("internal/kernel/socket.go"),
		record.KeyLine.Int(33))
	if errno != "" {
		kvs = append(kvs, record.KeyErrorType.String(errno))
	}
	span := s.start(thread, "syscall", name, kvs...)
	s.called = span.SpanContext()
	span.End()
}

func (s *script) post(thread, to string, id int64, step string, queued int, running, woke bool,
	more ...attribute.KeyValue) {
	kvs := []attribute.KeyValue{record.KeyPostID.Int64(id), record.KeyPostTo.String(to),
		record.KeyQueued.Int(queued), record.KeyRunning.Bool(running), record.KeyWoke.Bool(woke)}
	span := s.start(thread, "post", "post "+to, append(append(kvs, stepOf(step)...), more...)...)
	s.posted[id] = span.SpanContext()
	span.End()
}

func (s *script) run(thread, name string, id int64, step string, more ...attribute.KeyValue) {
	links := []trace.Link{{SpanContext: s.posted[id]}}
	kvs := append(stepOf(step), record.KeyPostID.Int64(id), record.KeyPostTo.String(name))
	span := s.startLinked(thread, "run", "run "+name, links, append(kvs, more...)...)
	s.stacks[thread] = append(s.stacks[thread], span)
}

func stepOf(id string) []attribute.KeyValue {
	if id == "" {
		return nil
	}
	return []attribute.KeyValue{record.KeyStep.String(id), record.KeyChapter.String("04-threading")}
}

// story begins the trace of the connection that the last call accepted; what follows on the thread is in it
// until storyEnd.
func (s *script) story(connection int) trace.Span {
	s.ids.trace++
	return s.startLinked("", "story", "connection C1", []trace.Link{{SpanContext: s.called}},
		record.KeyConnection.Int(connection))
}

// inStory begins a function whose parent is the story's root and that links to the span around it.
func (s *script) inStory(thread, chapter, name string, root trace.Span) {
	stack := s.stacks[thread]
	around := stack[len(stack)-1]
	s.seq++
	_, span := s.tracer.Start(trace.ContextWithSpan(context.Background(), root), name,
		trace.WithLinks(trace.Link{SpanContext: around.SpanContext()}),
		trace.WithAttributes(record.KeySeqStart.Int64(s.seq), record.KeyKind.String("function"),
			record.KeyThreadName.String(thread), record.KeyChapter.String(chapter)))
	s.stacks[thread] = append(stack, span)
}

func (s *script) storyEnd(span trace.Span, failed bool) {
	if failed {
		span.SetStatus(codes.Error, "")
	}
	s.finish(span)
}

func (s *script) close(t *testing.T) {
	t.Helper()
	if err := s.provider.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
}
