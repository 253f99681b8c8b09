package chrome_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

// event is a trace event as Perfetto's trace_processor reads it.
type event struct {
	Name, Ph, Cat, BP string
	PID, TID          any
	TS                *float64
	ID                any
	Args              map[string]any
}

type row struct{ pid, tid int }

// drawn is what the events make: what a viewer would show.
type drawn struct {
	slices  int
	threads map[string]row // by name
	starts  map[string]flow
	ends    map[string]flow
	open    map[row][]event
	stories map[string]int // begins less ends
	args    map[string]map[string]any
}

// flow is one end of an arrow and the slice it is bound to.
type flow struct {
	at    float64
	slice string
}

// draw holds the events against the rules of the format, in the order of the file, which is that of time on
// every row: trace_processor sorts by time and keeps the order of the file within an instant.
func draw(t *testing.T, text string) *drawn {
	t.Helper()
	var events []event
	if err := json.Unmarshal([]byte(text), &events); err != nil || !utf8.ValidString(text) {
		t.Fatalf("no JSON: %v\n%.2000s", err, text)
	}
	d := &drawn{threads: map[string]row{}, starts: map[string]flow{}, ends: map[string]flow{}, open: map[row][]event{},
		stories: map[string]int{}, args: map[string]map[string]any{}}
	last := map[row]float64{}
	for _, e := range events {
		r := row{whole(t, e.PID), whole(t, e.TID)}
		if e.Ph == "M" {
			if e.Name == "thread_name" {
				d.threads[e.Args["name"].(string)] = r
			}
			continue
		}
		if e.TS == nil || *e.TS < 0 {
			t.Fatalf("no time: %+v", e)
		}
		if e.Ph != "b" && e.Ph != "e" {
			if *e.TS < last[r] {
				t.Errorf("time goes back on %v: %+v", r, e)
			}
			last[r] = *e.TS
		}
		d.take(t, r, &e)
	}
	for id, end := range d.ends {
		if start, ok := d.starts[id]; !ok || end.at < start.at {
			t.Errorf("the arrow %s ends at %v and begins at %v", id, end, start)
		}
	}
	return d
}

func (d *drawn) take(t *testing.T, r row, e *event) {
	t.Helper()
	stack := d.open[r]
	switch e.Ph {
	case "B":
		d.slices++
		d.open[r] = append(stack, *e)
		d.args[e.Name] = e.Args
	case "E":
		if len(stack) == 0 || stack[len(stack)-1].Name != e.Name {
			t.Fatalf("%q ends on %v, and open are %v", e.Name, r, stack)
		}
		d.open[r] = stack[:len(stack)-1]
	case "s", "f":
		if len(stack) == 0 {
			t.Fatalf("an arrow outside of every slice: %+v", e)
		}
		ends, id := d.starts, fmt.Sprintf("%s %d", e.Cat, whole(t, e.ID))
		if e.Ph == "f" {
			ends = d.ends
			if e.BP != "e" {
				t.Errorf("bound to the next slice: %+v", e)
			}
		}
		if _, twice := ends[id]; twice {
			t.Errorf("a second %s of the arrow %s", e.Ph, id)
		}
		ends[id] = flow{*e.TS, stack[len(stack)-1].Name}
	case "b":
		d.stories[e.ID.(string)]++
	case "e":
		d.stories[e.ID.(string)]--
	default:
		t.Errorf("another kind of event: %+v", e)
	}
}

func whole(t *testing.T, v any) int {
	t.Helper()
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || f < 0 || f > 1<<53 {
		t.Fatalf("%v is no whole number", v)
	}
	return int(f)
}

// flows counts the arrows of a category that have both ends, and those that have only the first.
func (d *drawn) flows(category string) (whole, halves int) {
	for id := range d.starts {
		if !strings.HasPrefix(id, category+" ") {
			continue
		}
		if _, ok := d.ends[id]; ok {
			whole++
		} else {
			halves++
		}
	}
	return whole, halves
}

// allEnded: no slice is open, no connection.
func (d *drawn) allEnded(t *testing.T) {
	t.Helper()
	for r, stack := range d.open {
		if len(stack) > 0 {
			t.Errorf("open on %v: %v", r, stack)
		}
	}
	for id, n := range d.stories {
		if n != 0 {
			t.Errorf("connection %s begins and ends %+d", id, n)
		}
	}
}
