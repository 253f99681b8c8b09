package diff_test

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
)

// start is a small start-up with two workers and one connection, and what is different about it.
type start struct {
	accepts   int  // the worker that gets the connection
	unposted  bool // worker 1 is not told of the listener
	twice     bool // setsockopt is called twice
	bindFirst bool // bind comes before setsockopt
	deaf      bool // the queue is kept short, and the epoll sets are asked for something else
	idle      int  // so many turns without anything more
}

// walk writes down spans as the recorder would.
type walk struct {
	seq   int64
	ids   uint64
	spans []*tracetest.SpanStub
	open  map[string][]*tracetest.SpanStub // by thread
}

var epoch = time.Unix(1_700_000_000, 0).UTC()

func (w *walk) add(thread, kind, name string, a ...attribute.KeyValue) *tracetest.SpanStub {
	w.seq++
	w.ids++
	s := &tracetest.SpanStub{Name: name, StartTime: epoch.Add(time.Duration(w.seq) * time.Microsecond)}
	s.SpanContext = context(1, w.ids)
	s.Resource = resource.NewSchemaless(attribute.String("service.name", "envoywalk 04-threading"))
	s.Attributes = append([]attribute.KeyValue{record.KeySeqStart.Int64(w.seq),
		record.KeyKind.String(kind)}, a...)
	if thread != "" {
		s.Attributes = append(s.Attributes, record.KeyThreadName.String(thread),
			record.KeyThreadID.Int(len(thread)))
		if open := w.open[thread]; len(open) > 0 {
			s.Parent = open[len(open)-1].SpanContext
			s.SpanContext = s.SpanContext.WithTraceID(s.Parent.TraceID())
		}
	}
	w.spans = append(w.spans, s)
	return s
}

func context(traceID byte, id uint64) trace.SpanContext {
	var span trace.SpanID
	binary.BigEndian.PutUint64(span[:], id)
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{15: traceID}, SpanID: span,
		TraceFlags: trace.FlagsSampled})
}

// in runs do inside of s.
func (w *walk) in(s *tracetest.SpanStub, thread string, do func()) {
	w.open[thread] = append(w.open[thread], s)
	do()
	w.open[thread] = w.open[thread][:len(w.open[thread])-1]
	w.end(s)
}

func (w *walk) end(s *tracetest.SpanStub) {
	w.seq++
	s.EndTime = epoch.Add(time.Duration(w.seq) * time.Microsecond)
	s.Attributes = append(s.Attributes, record.KeySeqEnd.Int64(w.seq))
}

func (w *walk) instant(s *tracetest.SpanStub) *tracetest.SpanStub {
	s.EndTime = s.StartTime
	s.Attributes = append(s.Attributes, record.KeySeqEnd.Int64(w.seq))
	return s
}

func (w *walk) function(thread, step, name, object string, do func()) *tracetest.SpanStub {
	a := []attribute.KeyValue{record.KeyStep.String(step), record.KeyFile.String("nowhere/walk.go"),
		record.KeyLine.Int(len(name))}
	if object != "" {
		a = append(a, record.KeyObject.String(object))
	}
	s := w.add(thread, "function", name, a...)
	w.in(s, thread, do)
	return s
}

func (w *walk) call(thread, name, args string, ret int, more ...attribute.KeyValue) *tracetest.SpanStub {
	a := []attribute.KeyValue{record.KeySyscall.String(name), record.KeyArgs.String(args),
		record.KeyRet.Int(ret)}
	return w.instant(w.add(thread, "syscall", name, append(a, more...)...))
}

// on is what a call says about the fd that it is about.
func on(fd int, label string) attribute.Set {
	return attribute.NewSet(record.KeyFD.Int(fd), record.KeyFDLabel.String(label))
}

// callOn is a call whose first argument is an fd.
func (w *walk) callOn(thread, name string, fd int, label, args string, ret int,
	more ...attribute.KeyValue) *tracetest.SpanStub {
	set := on(fd, label)
	if args != "" {
		args = ", " + args
	}
	args = fmt.Sprintf("%d<%s>%s", fd, label, args)
	return w.call(thread, name, args, ret, append(set.ToSlice(), more...)...)
}

func (w *walk) post(thread, to, step string, id int64) *tracetest.SpanStub {
	return w.instant(w.add(thread, "post", "post "+to, record.KeyStep.String(step),
		record.KeyPostID.Int64(id), record.KeyPostTo.String(to), record.KeyQueued.Int(1),
		record.KeyObject.String("echo")))
}

func (w *walk) run(thread, to string, post *tracetest.SpanStub, step string, id int64, do func()) {
	s := w.add(thread, "run", "run "+to, record.KeyStep.String(step), record.KeyPostID.Int64(id),
		record.KeyPostTo.String(to), record.KeyObject.String("echo"))
	s.Links = []sdk.Link{{SpanContext: post.SpanContext}}
	w.in(s, thread, do)
}

func (w *walk) turn(thread string, worker int, ready int, do func()) {
	s := w.add(thread, "turn", "turn")
	w.in(s, thread, func() {
		w.callOn(thread, "epoll_pwait", 20+worker, fmt.Sprintf("ep:worker_%d", worker),
			"[...], 128, 5, NULL, 8", ready)
		do()
	})
}

func (w *walk) snapshots() []sdk.ReadOnlySpan {
	stubs := make(tracetest.SpanStubs, len(w.spans))
	for i, s := range w.spans {
		stubs[i] = *s
	}
	return stubs.Snapshots()
}
