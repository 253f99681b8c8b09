package receipt

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// realPair is a recorded run of chapter 00: what strace saw and what the spans told.
func realPair(t *testing.T) ([]Syscall, *Trace) {
	t.Helper()
	seen, err := os.ReadFile("testdata/event-loop.strace")
	if err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile("testdata/event-loop.json")
	if err != nil {
		t.Fatal(err)
	}
	trace, err := ReadTrace(bytes.NewReader(told))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(seen)), trace
}

func TestARealPairAgrees(t *testing.T) {
	calls, trace := realPair(t)
	r := Compare(calls, trace, 0)
	if !r.Agrees() {
		var b strings.Builder
		r.Write(&b)
		t.Fatal(b.String())
	}
	if r.Calls != len(trace.Calls) || r.Threads != 2 || r.FDs != 5 {
		t.Errorf("%s; the trace has %d calls on 2 threads and 5 fds", r.Summary(), len(trace.Calls))
	}
	if r.NotOurs == 0 {
		t.Error("the runtime made no call of its own: the pair is not a real one")
	}
}

// mutate runs f on a fresh copy of the real pair's spans for every span and wants the receipt to
// fail.
func mutate(t *testing.T, f func(spans []Span, i int) []Span) {
	t.Helper()
	calls, trace := realPair(t)
	for i := range trace.Calls {
		spans := f(slices.Clone(trace.Calls), i)
		if spans == nil {
			continue
		}
		r := Compare(slices.Clone(calls), &Trace{Calls: spans}, 0)
		if r.Agrees() || len(r.Differences) == 0 {
			t.Errorf("span %d (%s): %s", i, trace.Calls[i].String(), r.Summary())
		}
	}
}

func TestAMissingSpanFails(t *testing.T) {
	mutate(t, func(s []Span, i int) []Span { return slices.Delete(s, i, i+1) })
}

func TestAnExtraSpanFails(t *testing.T) {
	mutate(t, func(s []Span, i int) []Span { return slices.Insert(s, i, s[i]) })
}

func TestAWrongResultFails(t *testing.T) {
	mutate(t, func(s []Span, i int) []Span { s[i].Ret += 3; return s })
	mutate(t, func(s []Span, i int) []Span { s[i].Ret, s[i].Errno = -1, "EPIPE"; return s })
}

func TestAWrongFirstArgumentFails(t *testing.T) {
	mutate(t, func(s []Span, i int) []Span {
		s[i].Args = append([]string{"77<other>"}, s[i].Args[1:]...)
		return s
	})
}

func TestAWrongThreadFails(t *testing.T) {
	mutate(t, func(s []Span, i int) []Span { s[i].TID++; return s })
	_, trace := realPair(t)
	main, worker := trace.Calls[0].TID, 0
	for _, s := range trace.Calls {
		if s.TID != main {
			worker = s.TID
		}
	}
	mutate(t, func(s []Span, i int) []Span { s[i].TID = main + worker - s[i].TID; return s })
}

func TestAWrongOrderFails(t *testing.T) {
	mutate(t, func(s []Span, i int) []Span {
		for j := i + 1; j < len(s); j++ {
			if s[j].TID != s[i].TID {
				continue
			}
			if s[j].key() == s[i].key() {
				return nil // the same call twice has no order to get wrong
			}
			s[i], s[j] = s[j], s[i]
			return s
		}
		return nil
	})
}

func TestACallThatStraceSawAloneFails(t *testing.T) {
	calls, trace := realPair(t)
	for i := range calls {
		if calls[i].key() == "close(12) = 0" {
			calls[i].Args = []string{"13"} // fd 12 stays open, and 13 was never anybody's
		}
	}
	if r := Compare(calls, trace, 0); r.Agrees() {
		t.Error(r.Summary())
	}
}

func TestAWholeLifeLeftOutFails(t *testing.T) {
	calls, trace := realPair(t)
	trace.Calls = slices.DeleteFunc(trace.Calls, func(s Span) bool {
		return s.FD == 12 || s.Name == "eventfd2" && s.Ret == 12
	})
	if r := Compare(calls, trace, 0); r.Agrees() || r.Missing == 0 {
		t.Error(r.Summary())
	}
}

func TestDroppedAndTruncatedFail(t *testing.T) {
	calls, trace := realPair(t)
	if r := Compare(calls, trace, 3); r.Agrees() || !strings.Contains(r.Summary(), "dropped 3") {
		t.Error(r.Summary())
	}
	trace.Truncated = 1
	if r := Compare(calls, trace, 0); r.Agrees() {
		t.Error("a truncated story passed")
	}
}

func TestNothingComparedIsNoAgreement(t *testing.T) {
	if r := Compare(nil, &Trace{}, 0); r.Agrees() {
		t.Error(r.Summary())
	}
}

func TestADifferenceNamesBothSides(t *testing.T) {
	calls, trace := realPair(t)
	trace.Calls[3].Ret = 5
	r := Compare(calls, trace, 0)
	if len(r.Differences) != 1 || r.Differ != 1 {
		t.Fatalf("%d differences, want 1: %+v", len(r.Differences), r.Differences)
	}
	d := r.Differences[0]
	place := fmt.Sprintf("(seq %d, %s)", trace.Calls[3].Seq, trace.Calls[3].Place)
	var b strings.Builder
	r.Write(&b)
	why := "another result: 0 and 5"
	for _, want := range []string{d.Strace, trace.Calls[3].String(), place, why} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
