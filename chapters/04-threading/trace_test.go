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
	t     *testing.T
	spans chan []span

	seen, paused atomic.Int64 // what workers' accept4 returned so far: connections, and want of fds or memory
}

// traced gives a server a trace and returns who reads it. Of the names not wanted nothing is even parsed: the
// name is the first thing on a line.
func (s *setup) traced(t *testing.T, names ...string) *reader {
	path := filepath.Join(t.TempDir(), "trace")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	s.flags = append(s.flags, "--trace", "json="+path)
	r := &reader{t: t, spans: make(chan []span, 1)}
	go func() { r.spans <- r.read(path, names) }()
	return r
}

// all are the spans in order, once the server has ended.
func (r *reader) all() []span {
	r.t.Helper()
	all := <-r.spans
	if len(all) == 0 {
		r.t.Fatal("the trace is empty")
	}
	slices.SortFunc(all, func(a, b span) int { return a.number("seq.start") - b.number("seq.start") })
	return all
}

func (r *reader) read(path string, names []string) (all []span) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return all
		}
		wanted := func(n string) bool { return bytes.HasPrefix(line, []byte(`{"Name":"`+n+`"`)) }
		if len(names) > 0 && !slices.ContainsFunc(names, wanted) {
			continue
		}
		var one span
		if json.Unmarshal(line, &one) != nil {
			continue
		}
		all = append(all, one)
		switch {
		case one.acceptedByWorker():
			r.seen.Add(1)
		case one.Name == "accept4" && slices.Contains(exhausting, one.text("error.type")):
			r.paused.Add(1)
		}
	}
}

func (s *span) acceptedByWorker() bool {
	return s.Name == "accept4" && s.text("syscall.ret.label") != "" && strings.HasPrefix(s.text("thread.name"), "wrk:")
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
