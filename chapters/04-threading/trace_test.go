package threading

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// span is what --trace json says of one.
type span struct {
	Name        string
	SpanContext spanID
	Parent      spanID
	StartTime   string
	Attributes  []struct {
		Key   string
		Value struct{ Value any }
	}
	Links []struct{ SpanContext spanID }
}

type spanID struct{ TraceID, SpanID string }

// text is an attribute, "" where there is none.
func (s *span) text(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return fmt.Sprint(a.Value.Value)
		}
	}
	return ""
}

func (s *span) number(key string) int {
	for _, a := range s.Attributes {
		if f, ok := a.Value.Value.(float64); ok && a.Key == key {
			return int(f)
		}
	}
	return 0
}

// reader reads a server's trace while it is written.
type reader struct {
	t       *testing.T
	ended   chan struct{}
	spans   []span
	accepts []accept

	seen, paused atomic.Int64 // what workers' accept4 returned so far: connections, and want of fds or memory
}

// accept is an accept4 of a worker.
type accept struct{ thread, connection, errno string }

// traced gives a server a trace and returns who reads it. Spans whose names begin otherwise are not
// parsed, which takes longer than all the rest; without names, all are.
func (s *setup) traced(t *testing.T, names ...string) *reader {
	path := filepath.Join(t.TempDir(), "trace")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	s.flags = append(s.flags, "--trace", "json="+path)
	r := &reader{t: t, ended: make(chan struct{})}
	go r.read(path, names)
	return r
}

// all are the spans in order, once the server has ended.
func (r *reader) all() []span {
	r.t.Helper()
	<-r.ended
	if len(r.spans) == 0 {
		r.t.Fatal("the trace is empty")
	}
	slices.SortFunc(r.spans, func(a, b span) int { return a.number("seq.start") - b.number("seq.start") })
	return r.spans
}

func (r *reader) read(path string, names []string) {
	defer close(r.ended)
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		named := func(n string) bool { return bytes.HasPrefix(line, []byte(`{"Name":"`+n)) }
		if named("accept4") {
			r.accept(line)
		}
		if len(names) > 0 && !slices.ContainsFunc(names, named) {
			continue
		}
		var one span
		if json.Unmarshal(line, &one) == nil {
			r.spans = append(r.spans, one)
		}
	}
}

func (r *reader) accept(line []byte) {
	a := accept{cut(line, "thread.name"), cut(line, "syscall.ret.label"), cut(line, "error.type")}
	switch {
	case !strings.HasPrefix(a.thread, "wrk:"):
		return // the admin's
	case a.connection != "":
		r.seen.Add(1)
	case slices.Contains(exhausting, a.errno):
		r.paused.Add(1)
	}
	r.accepts = append(r.accepts, a)
}

// cut cuts an attribute out of a line.
func cut(line []byte, key string) string {
	_, after, _ := bytes.Cut(line, []byte(`"Key":"`+key+`","Value":{"Type":"STRING","Value":"`))
	value, _, _ := bytes.Cut(after, []byte(`"`))
	return string(value)
}

func (s *span) acceptedByWorker() bool {
	return s.Name == "accept4" && s.text("syscall.ret.label") != "" &&
		strings.HasPrefix(s.text("thread.name"), "wrk:")
}

// exhausting are the errnos that pause a listener.
var exhausting = []string{"EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"}

// byName are the spans that have the name.
func byName(all []span, name string) (some []span) {
	for _, s := range all {
		if s.Name == name {
			some = append(some, s)
		}
	}
	return some
}
