package faults

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// span is what the trace tells of one thing that happened.
type span struct {
	name  string
	line  string // name, error and the label of the fd, as far as there are any
	begin time.Time
	end   time.Time
}

func readSpans(t *testing.T, path string) (all []span) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var raw struct {
			Name               string
			StartTime, EndTime time.Time
			Attributes         []struct {
				Key   string
				Value struct{ Value any }
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
			t.Fatalf("%v in %.200s", err, lines.Bytes())
		}
		attribute := map[string]string{}
		for _, a := range raw.Attributes {
			attribute[a.Key], _ = a.Value.Value.(string)
		}
		line := strings.Join(strings.Fields(raw.Name+" "+attribute["error.type"]+" "+attribute["fd.label"]), " ")
		all = append(all, span{raw.Name, line, raw.StartTime, raw.EndTime})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// seen reports whether the line of a span is the pattern's, from end to end.
func seen(spans []span, pattern string) bool { return len(find(spans, pattern)) > 0 }

func find(spans []span, pattern string) (found []span) {
	whole := regexp.MustCompile("^(?:" + pattern + ")$")
	for _, s := range spans {
		if whole.MatchString(s.line) {
			found = append(found, s)
		}
	}
	return found
}
