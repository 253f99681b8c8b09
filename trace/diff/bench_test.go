package diff_test

import (
	"fmt"
	"testing"

	"envoywalk/trace/diff"
)

// BenchmarkCompare compares two traces of 200,000 spans: 2,000 connections of a worker.
func BenchmarkCompare(b *testing.B) {
	events := []diff.Event{{Kind: "thread", Name: "thread wrk:worker_0", Thread: "wrk:worker_0", Seq: 1, End: 1 << 40,
		Parent: -1, Caller: -1, Story: -1, PostedBy: -1, FD: -1}}
	for c := range 2000 {
		story := len(events)
		for i := range 100 {
			e := diff.Event{Kind: "function", Name: fmt.Sprint("step ", i), Thread: "wrk:worker_0", FD: -1,
				Seq: int64(len(events) + 1), End: int64(len(events) + 2), Parent: story, Caller: 0, Story: story, PostedBy: -1}
			if i == 0 {
				e.Kind, e.Name, e.Thread, e.Parent, e.Caller = "story", fmt.Sprint("connection C", c), "", -1, -1
			}
			events = append(events, e)
		}
	}
	for b.Loop() {
		if r := diff.Compare(events, events, diff.Options{}); !r.Equal() {
			b.Fatal(r.Lines("en")[0])
		}
	}
}
