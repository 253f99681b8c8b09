package mapcover

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// span is what the JSON sink wrote of one span, as far as the map has something to say about it.
type span struct {
	run    string // which run it is from
	id     string
	parent string
	trace  string
	links  []string // of a part of a connection's story: where it was called, and the turn
	name   string
	kind   string // function, post, run, later ...
	step   string // the id in the map, if it is of a step
	thread string
	fd     string // the label of the fd it is about, or of the one it made
	said   string // a system call with its label and its result
	object string // a listener
	config string // where in the configuration its object stands, and what is written there
	begun  int
	ended  int
}

// readSpans reads the file of one run.
func readSpans(t *testing.T, run, path string) []*span {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []*span
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s := &span{run: run}
		if err := s.parse(lines.Bytes()); err != nil {
			t.Fatalf("%s: %v in %.200s", run, err, lines.Bytes())
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: %d spans, %v", run, len(all), err)
	}
	return all
}

func (s *span) parse(line []byte) error {
	var raw struct {
		Name                string
		SpanContext, Parent struct{ TraceID, SpanID string }
		Links               []struct{ SpanContext struct{ SpanID string } }
		Attributes          []struct {
			Key   string
			Value struct{ Value any }
		}
	}
	if err := json.Unmarshal(line, &raw); err != nil {
		return err
	}
	s.name, s.id, s.trace, s.parent = raw.Name, raw.SpanContext.SpanID, raw.SpanContext.TraceID, raw.Parent.SpanID
	for _, l := range raw.Links {
		s.links = append(s.links, l.SpanContext.SpanID)
	}
	var result, errno, file, at, written string
	for _, a := range raw.Attributes {
		text, number := fmt.Sprint(a.Value.Value), 0
		if f, ok := a.Value.Value.(float64); ok {
			number = int(f)
		}
		switch a.Key {
		case "walk.kind":
			s.kind = text
		case "walk.step":
			s.step = text
		case "thread.name":
			s.thread = text
		case "fd.label", "syscall.ret.label":
			s.fd = text
		case "syscall.ret":
			result = fmt.Sprint(" = ", number)
		case "error.type":
			errno = " " + text
		case "walk.object":
			s.object = text
		case "config.file":
			file = text
		case "config.line":
			at = fmt.Sprint(number)
		case "config.text":
			written = text
		case "seq.start":
			s.begun = number
		case "seq.end":
			s.ended = number
		}
	}
	s.said = s.name + " " + s.fd + result + errno
	if file != "" {
		s.config = file + ":" + at + " " + written
	}
	return nil
}
