// Package moment reads what a span says: when it starts, when it ends, and in words. Every way of
// showing a trace reads it through here, so that all of them use the same words.
package moment

import (
	"fmt"
	"path"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
)

// The values of walk.kind.
const (
	KindFunction = "function"
	KindThread   = "thread"
	KindTurn     = "turn"
	KindEvent    = "event"
	KindTimer    = "timer"
	KindRun      = "run"
	KindDelete   = "delete"
	KindCall     = "syscall"
	KindPost     = "post"
	KindLater    = "later"
	KindHandOver = "handover"
	KindStory    = "story"
)

// Moment is what a span says when it starts, read once.
type Moment struct {
	Kind, Name string
	ID, Parent trace.SpanID
	Trace      trace.TraceID
	Links      []sdk.Link
	Seq        int64
	Thread     string // its name; "" for a story, which sits on none
	TID        int64
	Chapter    string
	Step       string // its id in the map
	Object     string
	Function   string // Go's
	File       string
	Line       int64
	Symbol     string // Envoy's
	EnvoyFile  string
	EnvoyLine  int64
	FD         int64 // -1: none
	FDLabel    string
	Events     string
	Call       Call
	PostID     int64 // of a post and its run, 0 where the post was lost
	PostTo     string
	Queued     int64
	Running    bool
	Woke       bool
	Repeat     int64
	Timers     int64
	Connection int64
	Later      int64
	Count      int64
	PID        int64  // of a program that was imported, 0: ours
	Lost       int64  // records of its thread that were lost just before it
	PostedAt   int64  // of a run, after RunOf: its post's Seq
	PostedBy   string // and the post's thread, in short
}

// Call is a system call's part of a Moment.
type Call struct {
	Name, Args, Label, Errno string // Label is what the fd that it made is called
	Ret                      int64
}

// IsInstant: the span ended when it began, and nothing is inside of it.
func (m *Moment) IsInstant() bool {
	switch m.Kind {
	case KindCall, KindPost, KindLater, KindHandOver:
		return true
	}
	return false
}

// IsEvent: what explains why something ran.
func (m *Moment) IsEvent() bool {
	switch m.Kind {
	case KindThread, KindTurn, KindEvent, KindTimer, KindRun, KindDelete:
		return true
	}
	return false
}

// IsAlarming: what nobody may hide. EAGAIN, EINPROGRESS and EINTR are answers, not failures.
func (m *Moment) IsAlarming() bool {
	if m.Kind == KindLater {
		return true
	}
	e := m.Call.Errno
	return e != "" && e != "EAGAIN" && e != "EINPROGRESS" && e != "EINTR"
}

// RunOf tells a run which post it runs.
func (m *Moment) RunOf(post *Moment) { m.PostedAt, m.PostedBy = post.Seq, ShortName(post.Thread) }

// Place is where in the Go code: file.go:line.
func (m *Moment) Place() string { return fileLine(m.File, m.Line) }

// EnvoyPlace is where in Envoy's: file.cc:line.
func (m *Moment) EnvoyPlace() string { return fileLine(m.EnvoyFile, m.EnvoyLine) }

func fileLine(file string, line int64) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", path.Base(file), line)
}

// Read returns what s says as it starts. A span of another program is a function without a place.
func Read(s sdk.ReadOnlySpan) *Moment {
	c := s.SpanContext()
	m := &Moment{Name: s.Name(), ID: c.SpanID(), Trace: c.TraceID(), Parent: s.Parent().SpanID(),
		Links: s.Links(), FD: -1, Repeat: 1}
	for _, a := range s.Attributes() {
		switch {
		case m.readText(a.Key, a.Value.AsString):
		case m.readNumber(a.Key, a.Value.AsInt64):
		default:
			m.readBool(a.Key, a.Value.AsBool)
		}
	}
	return m
}

func (m *Moment) readText(key attribute.Key, value func() string) bool {
	to := m.text(key)
	if to != nil {
		*to = value()
	}
	return to != nil
}

func (m *Moment) text(key attribute.Key) *string {
	switch key {
	case record.KeyKind:
		return &m.Kind
	case record.KeyThreadName:
		return &m.Thread
	case record.KeyChapter:
		return &m.Chapter
	case record.KeyStep:
		return &m.Step
	case record.KeyObject:
		return &m.Object
	case record.KeyFunction:
		return &m.Function
	case record.KeyFile:
		return &m.File
	case record.KeySymbol:
		return &m.Symbol
	case record.KeyEnvoyFile:
		return &m.EnvoyFile
	case record.KeyFDLabel:
		return &m.FDLabel
	case record.KeyEvents:
		return &m.Events
	case record.KeySyscall:
		return &m.Call.Name
	case record.KeyArgs:
		return &m.Call.Args
	case record.KeyRetLabel:
		return &m.Call.Label
	case record.KeyErrorType:
		return &m.Call.Errno
	case record.KeyPostTo:
		return &m.PostTo
	}
	return nil
}

func (m *Moment) readNumber(key attribute.Key, value func() int64) bool {
	to := m.number(key)
	if to != nil {
		*to = value()
	}
	return to != nil
}

func (m *Moment) number(key attribute.Key) *int64 {
	switch key {
	case record.KeySeqStart:
		return &m.Seq
	case record.KeyThreadID:
		return &m.TID
	case record.KeyLine:
		return &m.Line
	case record.KeyEnvoyLine:
		return &m.EnvoyLine
	case record.KeyFD:
		return &m.FD
	case record.KeyRet:
		return &m.Call.Ret
	case record.KeyPostID:
		return &m.PostID
	case record.KeyQueued:
		return &m.Queued
	case record.KeyRepeat:
		return &m.Repeat
	case record.KeyTimers:
		return &m.Timers
	case record.KeyConnection:
		return &m.Connection
	case record.KeyLaterChapter:
		return &m.Later
	case record.KeyCount:
		return &m.Count
	case record.KeyLost:
		return &m.Lost
	case "process.pid":
		return &m.PID
	}
	return nil
}

func (m *Moment) readBool(key attribute.Key, value func() bool) {
	switch key {
	case record.KeyRunning:
		m.Running = value()
	case record.KeyWoke:
		m.Woke = value()
	}
}

// End is what is known only when a span ends.
type End struct {
	Seq                           int64
	Truncated, Unfinished, Failed bool
	Notes                         []string // key = value
}

// ReadEnd returns what s says as it ends.
func ReadEnd(s sdk.ReadOnlySpan) End {
	e := End{Failed: s.Status().Code == codes.Error}
	for _, a := range s.Attributes() {
		switch key := string(a.Key); {
		case a.Key == record.KeySeqEnd:
			e.Seq = a.Value.AsInt64()
		case a.Key == record.KeyTruncated:
			e.Truncated = a.Value.AsBool()
		case a.Key == record.KeyUnfinished:
			e.Unfinished = a.Value.AsBool()
		case strings.HasPrefix(key, record.NotePrefix):
			e.Notes = append(e.Notes, fmt.Sprintf("%s = %d", key[len(record.NotePrefix):], a.Value.AsInt64()))
		}
	}
	return e
}
