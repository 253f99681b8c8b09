package trace

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/internal/step"
)

// The attributes of a span. OpenTelemetry's own names where it has them, ours in spaces of their own.
const (
	KeyThreadID     = attribute.Key("thread.id")
	KeyThreadName   = attribute.Key("thread.name")
	KeyFunction     = attribute.Key("code.function.name")
	KeyFile         = attribute.Key("code.file.path")
	KeyLine         = attribute.Key("code.line.number")
	KeyErrorType    = attribute.Key("error.type")
	KeySeqStart     = attribute.Key("seq.start")
	KeySeqEnd       = attribute.Key("seq.end")
	KeyKind         = attribute.Key("walk.kind")   // function, syscall, post, run, turn ...
	KeyStep         = attribute.Key("walk.step")   // the id in the map
	KeyObject       = attribute.Key("walk.object") // a listener, a file; of a post what it is about
	KeyChapter      = attribute.Key("chapter")
	KeySymbol       = attribute.Key("envoy.symbol")
	KeyEnvoyFile    = attribute.Key("envoy.file")
	KeyEnvoyLine    = attribute.Key("envoy.line")
	KeyArticle      = attribute.Key("article.name") // whose section and figures these are
	KeySection      = attribute.Key("article.section")
	KeyFigure       = attribute.Key("article.figure")
	KeySyscall      = attribute.Key("syscall.name")
	KeyArgs         = attribute.Key("syscall.args") // as strace spells them
	KeyRet          = attribute.Key("syscall.ret")
	KeyRetLabel     = attribute.Key("syscall.ret.label")
	KeyFD           = attribute.Key("fd")
	KeyFDLabel      = attribute.Key("fd.label")
	KeyEvents       = attribute.Key("fd.events")
	KeyPostID       = attribute.Key("dispatcher.post.id")
	KeyPostTo       = attribute.Key("dispatcher.name")
	KeyQueued       = attribute.Key("dispatcher.post.queued")
	KeyWoke         = attribute.Key("dispatcher.post.wake")
	KeyRunning      = attribute.Key("dispatcher.running")
	KeyRepeat       = attribute.Key("repeat")
	KeyTimers       = attribute.Key("housekeeping.timers")
	KeyConnection   = attribute.Key("connection.id")
	KeyLaterChapter = attribute.Key("later.chapter")
	KeyCount        = attribute.Key("count")
	KeyConfigFile   = attribute.Key("config.file")     // of the object that the span is there for
	KeyConfigLine   = attribute.Key("config.line")     // where it begins, from 1
	KeyConfigText   = attribute.Key("config.text")     // what is written there
	KeyLost         = attribute.Key("records.lost")    // of its thread, just before it
	KeyTruncated    = attribute.Key("story.truncated") // records of it were lost
	KeyUnfinished   = attribute.Key("span.unfinished") // it was open when the trace ended
	KeyCauseLost    = attribute.Key("link.lost")       // its cause is forgotten
	seqEnd          = KeySeqEnd
)

var (
	storyTruncated = KeyTruncated.Bool(true)
	unfinished     = KeyUnfinished.Bool(true)
	causeLost      = KeyCauseLost.Bool(true)
)

func spanKind(k Kind) trace.SpanKind {
	switch k {
	case KindPost:
		return trace.SpanKindProducer
	case KindRun:
		return trace.SpanKindConsumer
	}
	return trace.SpanKindInternal
}

func spanName(t *told) string {
	switch t.Kind {
	case KindCall:
		return t.Call.Name
	case KindPost:
		return "post " + t.Text
	case KindRun:
		return "run " + t.Text
	case KindTurn:
		return "turn"
	case KindThread:
		return "thread " + t.Text
	case KindTimer:
		return "timer " + t.Text
	case KindDelete:
		return "deferred delete"
	case KindStory:
		return fmt.Sprintf("connection C%d", t.Args[0])
	case KindLater:
		return "later: " + t.Text
	case KindHandOver:
		return "hand over to " + t.Text
	}
	if t.Step == step.None {
		return kindNames[t.Kind] + " (begin lost)"
	}
	return t.Step.Info().Name
}

// attributes are what is known when t begins, which for all but enclosing spans is everything.
func (b *bridge) attributes(t *told) []attribute.KeyValue {
	a := make([]attribute.KeyValue, 0, 24)
	a = append(a, KeySeqStart.Int64(t.seq), KeyKind.String(kindNames[t.Kind]))
	a = appendThread(a, t)
	if t.Step != step.None {
		a = appendStep(a, t.Step)
	}
	if t.PC != 0 {
		a = b.where.append(a, t.PC)
	}
	if t.fd >= 0 {
		a = append(a, KeyFD.Int64(t.fd))
		if t.label != "" {
			a = append(a, KeyFDLabel.String(t.label))
		}
	}
	if t.repeat > 1 {
		a = append(a, KeyRepeat.Int64(t.repeat))
	}
	return appendKind(a, t)
}

func appendThread(a []attribute.KeyValue, t *told) []attribute.KeyValue {
	if t.source == nil || t.Kind == KindStory {
		return a
	}
	tid := t.source.tid
	if t.Kind == KindCall || t.Kind == KindPost {
		tid = int(t.Args[4])
	}
	if tid != 0 {
		a = append(a, KeyThreadID.Int(tid))
	}
	return append(a, KeyThreadName.String(t.source.name))
}

func appendKind(a []attribute.KeyValue, t *told) []attribute.KeyValue {
	switch t.Kind {
	case KindCall:
		return appendCall(a, t)
	case KindPost:
		a = append(a, KeyPostID.Int64(t.post), KeyPostTo.String(t.Text), KeyQueued.Int64(t.Args[3]),
			KeyRunning.Bool(t.Flags&flagRunning != 0), KeyWoke.Bool(t.Flags&flagWoke != 0))
		return appendObject(a, t.about)
	case KindRun:
		if t.post != 0 {
			a = append(a, KeyPostID.Int64(t.post))
		}
		return appendObject(append(a, KeyPostTo.String(t.Text)), t.about)
	case KindEvent:
		return append(a, KeyEvents.String(eventNames(t.Args[3])))
	case KindDelete:
		return append(a, KeyCount.Int64(t.Args[3]))
	case KindTurn:
		if t.Args[3] > 0 {
			return append(a, KeyTimers.Int64(t.Args[3]))
		}
	case KindStory:
		return append(a, KeyConnection.Int64(t.Args[0]))
	case KindLater:
		return append(a, KeyLaterChapter.Int64(t.Args[3]))
	case KindFunction:
		return appendFrom(appendObject(a, t.Text), t)
	}
	return a
}

func appendObject(a []attribute.KeyValue, name string) []attribute.KeyValue {
	if name == "" {
		return a
	}
	return append(a, KeyObject.String(strings.ToValidUTF8(name, "?")))
}

// appendFrom: a path of the command line may be any bytes.
func appendFrom(a []attribute.KeyValue, t *told) []attribute.KeyValue {
	if t.file == "" {
		return a
	}
	return append(a, KeyConfigFile.String(strings.ToValidUTF8(t.file, "?")), KeyConfigLine.Int64(t.Args[4]),
		KeyConfigText.String(strings.ToValidUTF8(t.line, "?")))
}

func appendCall(a []attribute.KeyValue, t *told) []attribute.KeyValue {
	a = append(a, KeySyscall.String(t.Call.Name), KeyArgs.String(strings.ToValidUTF8(t.args, "?")), KeyRet.Int64(max(t.Ret, -1)))
	if t.made != "" {
		a = append(a, KeyRetLabel.String(t.made))
	}
	if t.Ret < 0 {
		a = append(a, KeyErrorType.String(t.Call.ErrnoName(int(-t.Ret))))
	}
	return a
}

func appendStep(a []attribute.KeyValue, s step.Step) []attribute.KeyValue {
	i := s.Info()
	a = append(a, KeyStep.String(i.ID), KeyChapter.String(i.Chapter), KeySymbol.String(i.Symbol),
		KeyEnvoyFile.String(i.File), KeyEnvoyLine.Int(i.Line),
		KeyArticle.String(i.Article), KeySection.String(i.Section))
	if len(i.Figures) > 0 {
		a = append(a, KeyFigure.IntSlice(i.Figures))
	}
	return a
}

// The readiness bits of a file event, as Envoy's FileReadyType has them.
func eventNames(bits int64) string {
	var names []string
	for i, name := range [...]string{"READ", "WRITE", "CLOSED"} {
		if bits&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// NotePrefix begins the key of what a function noted about itself.
const NotePrefix = "note."

// What Args[1] of a note says its text is.
const (
	notePeer = iota + 1
	noteLocal
)

// noteAttributes: a note's value is an errno or a count, or its text an address.
func noteAttributes(r *Record) []attribute.KeyValue {
	switch r.Args[1] {
	case notePeer:
		return endpoint("network.peer", r.Text)
	case noteLocal:
		return endpoint("network.local", r.Text)
	}
	return []attribute.KeyValue{attribute.Int64(NotePrefix+r.Text, r.Args[0])}
}

// endpoint spells an address as OpenTelemetry does: a unix socket has a path and no port.
func endpoint(key, text string) []attribute.KeyValue {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return []attribute.KeyValue{attribute.String("network.transport", "unix"),
			attribute.String(key+".address", strings.ToValidUTF8(text, "?"))}
	}
	return []attribute.KeyValue{attribute.String("network.transport", "tcp"),
		attribute.String(key+".address", at.Addr().String()), attribute.Int(key+".port", int(at.Port()))}
}

// places remembers which function and line a program counter stands for.
type places map[uintptr][3]attribute.KeyValue

func (p places) append(a []attribute.KeyValue, pc uintptr) []attribute.KeyValue {
	kv, ok := p[pc]
	if !ok {
		function, file, line := placeOf(pc)
		kv = [3]attribute.KeyValue{KeyFunction.String(function),
			KeyFile.String(inModule(file)), KeyLine.Int(line)}
		p[pc] = kv
	}
	return append(a, kv[:]...)
}

// placeOf is the function and line at pc. Enter is inlined into the function it is the first statement
// of, so a pc inside Enter stands for that whole function: the place is its declaration.
func placeOf(pc uintptr) (function, file string, line int) {
	// With one pc alone CallersFrames shows the innermost frame and not those it was inlined into.
	frames := runtime.CallersFrames([]uintptr{pc, 0})
	f, _ := frames.Next()
	if !strings.HasPrefix(f.Function, "envoywalk/trace.(*Lane).Enter") {
		return f.Function, f.File, f.Line
	}
	if outer, _ := frames.Next(); outer.Function != "" { // none in a build that inlines nothing
		f = outer
	}
	if f.Func != nil { // where the walked function is itself inlined, the line of its Enter has to do
		f.File, f.Line = f.Func.FileLine(f.Entry)
	}
	return f.Function, f.File, f.Line
}

// inModule shortens a file's path to the part below the module's root, the same on every machine.
func inModule(file string) string {
	for _, top := range [...]string{"/chapters/", "/internal/", "/trace/", "/scripts/"} {
		if i := strings.LastIndex(file, top); i >= 0 {
			return file[i+1:]
		}
	}
	return filepath.Base(file)
}
