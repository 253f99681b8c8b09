package mapcover

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// span is what the JSON sink wrote of one span, as far as the map has something to say about it.
type span struct {
	run    string // which run it is from
	id     string
	parent string
	kind   string // function, post, run, later ...
	step   string // the id in the map, if it is of a step
	thread string
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
		var raw struct {
			SpanContext, Parent struct{ SpanID string }
			Attributes          []struct {
				Key   string
				Value struct{ Value any }
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
			t.Fatalf("%s: %v in %.200s", run, err, lines.Bytes())
		}
		s := &span{run: run, id: raw.SpanContext.SpanID, parent: raw.Parent.SpanID}
		for _, a := range raw.Attributes {
			text, _ := a.Value.Value.(string)
			switch a.Key {
			case "walk.kind":
				s.kind = text
			case "walk.step":
				s.step = text
			case "thread.name":
				s.thread = text
			}
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: %d spans, %v", run, len(all), err)
	}
	return all
}
