package receipt

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"envoywalk/scripts/book/stracefile"
)

// Span is what a receipt needs of a span: a system call, or the hand-over of an fd.
type Span struct {
	Seq    int64
	TID    int
	Name   string // the call's
	Args   []string
	FD     int64 // of a hand-over
	Ret    int64
	Errno  string
	Repeat int64  // so many equal calls in a row
	Place  string // file:line in the Go code
}

// Trace is a process's trace as far as a receipt is concerned.
type Trace struct {
	Calls     []Span // in order
	HandOvers []Span
	Spans     int // of every kind
	Truncated int // spans whose records were partly lost
}

// ReadTrace reads what stdouttrace wrote: one JSON object a span, in the order of their ends. It
// does not use the SDK's types, so that it reads the files of any version.
func ReadTrace(r io.Reader) (*Trace, error) {
	t := &Trace{}
	decoder := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for {
		var s jsonSpan
		switch err := decoder.Decode(&s); {
		case errors.Is(err, io.EOF):
			bySeq := func(a, b Span) int { return int(a.Seq - b.Seq) }
			slices.SortStableFunc(t.Calls, bySeq)
			return t, nil
		case err != nil:
			return nil, fmt.Errorf("span %d of the trace: %w", t.Spans+1, err)
		}
		t.add(&s)
	}
}

type jsonSpan struct {
	Name       string
	Attributes []struct {
		Key   string
		Value struct{ Value any }
	}
}

func (t *Trace) add(j *jsonSpan) {
	t.Spans++
	a := attributes{}
	for _, kv := range j.Attributes {
		a[kv.Key] = kv.Value.Value
	}
	if a["story.truncated"] == true {
		t.Truncated++
	}
	switch a.text("walk.kind") {
	case "syscall":
		t.Calls = append(t.Calls, a.span())
	case "handover":
		t.HandOvers = append(t.HandOvers, a.span())
	}
}

// attributes of one span, by key.
type attributes map[string]any

func (a attributes) text(key string) string {
	s, _ := a[key].(string)
	return s
}

func (a attributes) number(key string) int64 {
	n, _ := a[key].(float64)
	return int64(n)
}

func (a attributes) span() Span {
	_, args := stracefile.SplitArgs(a.text("syscall.args") + ")")
	s := Span{Seq: a.number("seq.start"), TID: int(a.number("thread.id")),
		Name: a.text("syscall.name"),
		Args: args, FD: -1, Ret: a.number("syscall.ret"), Errno: a.text("error.type"),
		Repeat: max(1, a.number("repeat"))}
	if _, has := a["fd"]; has {
		s.FD = a.number("fd")
	}
	if file := a.text("code.file.path"); file != "" {
		s.Place = fmt.Sprintf("%s:%d", file, a.number("code.line.number"))
	}
	return s
}
