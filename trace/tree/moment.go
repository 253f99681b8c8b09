package tree

import (
	"fmt"
	"path"
	"strings"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
)

// The values of walk.kind.
const (
	kindFunction = "function"
	kindThread   = "thread"
	kindTurn     = "turn"
	kindEvent    = "event"
	kindTimer    = "timer"
	kindRun      = "run"
	kindDelete   = "delete"
	kindCall     = "syscall"
	kindPost     = "post"
	kindLater    = "later"
	kindHandOver = "handover"
	kindStory    = "story"
)

// moment is what a span says when it starts, read once.
type moment struct {
	kind, name string
	id, parent trace.SpanID
	trace      trace.TraceID
	links      []sdk.Link
	seq        int64
	thread     string
	tid        int64
	chapter    string // its own
	inherited  string // the one it is told in
	place      string // file.go:line
	envoy      string // file.cc:line
	symbol     string
	step       string
	object     string
	fd         int64 // -1: none
	fdLabel    string
	events     string
	call       call
	postID     int64
	postTo     string
	queued     int64
	running    bool
	woke       bool
	repeat     int64
	timers     int64
	connection int64
	later      int64
	count      int64
	number     int    // of the post
	postedAt   int64  // a run's post
	postedBy   string // its thread
}

// call is a system call's part of a moment.
type call struct {
	name, args, label, errno string
	ret                      int64
}

// encloses: an OnEnd will follow that closes more than itself.
func (m *moment) encloses() bool { return m.kind == kindFunction || m.isEvent() }

// isEvent: what explains why something ran. Events are opened when something in them is.
func (m *moment) isEvent() bool {
	switch m.kind {
	case kindThread, kindTurn, kindEvent, kindTimer, kindRun, kindDelete:
		return true
	}
	return false
}

// alarming: what no fold may hide. EAGAIN, EINPROGRESS and EINTR are answers, not failures.
func alarming(m *moment) bool {
	if m.kind == kindLater {
		return true
	}
	e := m.call.errno
	return e != "" && e != "EAGAIN" && e != "EINPROGRESS" && e != "EINTR"
}

func read(s sdk.ReadOnlySpan) *moment {
	c := s.SpanContext()
	m := &moment{name: s.Name(), id: c.SpanID(), trace: c.TraceID(), parent: s.Parent().SpanID(),
		links: s.Links(), fd: -1, repeat: 1}
	var file, envoyFile string
	var line, envoyLine int64
	for _, a := range s.Attributes() {
		switch a.Key {
		case record.KeyFile:
			file = a.Value.AsString()
		case record.KeyLine:
			line = a.Value.AsInt64()
		case record.KeyEnvoyFile:
			envoyFile = a.Value.AsString()
		case record.KeyEnvoyLine:
			envoyLine = a.Value.AsInt64()
		default:
			if !m.readText(string(a.Key), a.Value.AsString()) {
				m.readNumber(string(a.Key), a.Value.AsInt64(), a.Value.AsBool())
			}
		}
	}
	m.place, m.envoy = fileLine(file, line), fileLine(envoyFile, envoyLine)
	return m
}

func fileLine(file string, line int64) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", path.Base(file), line)
}

func (m *moment) readText(key, s string) bool {
	switch key {
	case string(record.KeyKind):
		m.kind = s
	case string(record.KeyThreadName):
		m.thread = s
	case string(record.KeyChapter):
		m.chapter = s
	case string(record.KeySymbol):
		m.symbol = s
	case string(record.KeyStep):
		m.step = s
	case string(record.KeyObject):
		m.object = s
	case string(record.KeyFDLabel):
		m.fdLabel = s
	case string(record.KeyEvents):
		m.events = s
	case string(record.KeySyscall):
		m.call.name = s
	case string(record.KeyArgs):
		m.call.args = s
	case string(record.KeyRetLabel):
		m.call.label = s
	case string(record.KeyErrorType):
		m.call.errno = s
	case string(record.KeyPostTo):
		m.postTo = s
	default:
		return false
	}
	return true
}

func (m *moment) readNumber(key string, n int64, yes bool) {
	switch key {
	case string(record.KeySeqStart):
		m.seq = n
	case string(record.KeyThreadID):
		m.tid = n
	case string(record.KeyFD):
		m.fd = n
	case string(record.KeyRet):
		m.call.ret = n
	case string(record.KeyPostID):
		m.postID = n
	case string(record.KeyQueued):
		m.queued = n
	case string(record.KeyRepeat):
		m.repeat = n
	case string(record.KeyTimers):
		m.timers = n
	case string(record.KeyConnection):
		m.connection = n
	case string(record.KeyLaterChapter):
		m.later = n
	case string(record.KeyCount):
		m.count = n
	case string(record.KeyRunning):
		m.running = yes
	case string(record.KeyWoke):
		m.woke = yes
	}
}

// end is what is known only when a span ends.
type end struct {
	seq                           int64
	truncated, unfinished, failed bool
	notes                         []string
}

func readEnd(s sdk.ReadOnlySpan) end {
	e := end{failed: s.Status().Code == codes.Error}
	for _, a := range s.Attributes() {
		switch key := string(a.Key); {
		case a.Key == record.KeySeqEnd:
			e.seq = a.Value.AsInt64()
		case key == "story.truncated":
			e.truncated = a.Value.AsBool()
		case key == "span.unfinished":
			e.unfinished = a.Value.AsBool()
		case strings.HasPrefix(key, "note."):
			e.notes = append(e.notes, fmt.Sprintf("%s = %d", key[len("note."):], a.Value.AsInt64()))
		}
	}
	return e
}
