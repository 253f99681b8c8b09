package live

import (
	"fmt"
	"strings"
	"testing"
)

// long are lines by which the bounds are reached soon.
const long = 64 << 10

func (m *memory) many(first, last int) {
	for n := first; n <= last; n++ {
		m.add([]byte(made(n, long)))
	}
}

// all is what a reader gets who reads to the end.
func (m *memory) all(t *testing.T, after int) (lines []string) {
	t.Helper()
	for {
		got, last := m.since(after, batchBytes)
		if len(got) == 0 {
			if after != m.count() {
				t.Fatalf("the end is %d, want %d", after, m.count())
			}
			return lines
		}
		bytes := 0
		for _, line := range got {
			lines = append(lines, string(line))
			bytes += len(line)
		}
		if bytes > batchBytes {
			t.Fatalf("an event of %d bytes", bytes)
		}
		if after = last; len(lines) > m.count() {
			t.Fatal("more lines than there were")
		}
	}
}

func TestTheFirstLinesAndTheLatestAreKept(t *testing.T) {
	var m memory
	const lines = 1000
	m.many(1, lines)
	got := m.all(t, 0)
	first, latest := startBytes/long, latestBytes/long
	if want := first + 1 + latest; len(got) != want {
		t.Fatalf("%d lines are kept, want %d", len(got), want)
	}
	if got[first-1] != made(first, long) || got[first+1] != made(lines-latest+1, long) || got[len(got)-1] != made(lines, long) {
		t.Errorf("%.40s ... %.40s, %.40s ... %.40s", got[first-1], got[first], got[first+1], got[len(got)-1])
	}
	if want := fmt.Sprintf(`{"k":"lost","n":%d,"why":"`, lines-first-latest); !strings.HasPrefix(got[first], want) {
		t.Errorf("lost: %.60s, want %s", got[first], want)
	}
	if kept := m.first + m.bytes; kept > startBytes+latestBytes {
		t.Errorf("%d bytes are kept", kept)
	}
}

// A reader that is too slow is told how many lines it missed: those it did not have.
func TestASlowReaderIsToldWhatItMissed(t *testing.T) {
	var m memory
	const lines, had = 1000, 500
	m.many(1, lines)
	got := m.all(t, had)
	latest := latestBytes / long
	want := fmt.Sprintf(`{"k":"lost","n":%d,"why":"`, lines-latest-had)
	if len(got) != latest+1 || !strings.HasPrefix(got[0], want) || got[1] != made(lines-latest+1, long) {
		t.Errorf("%d lines, %.60s, want %s", len(got), got[0], want)
	}
	if got := m.all(t, lines-latest); len(got) != latest || got[0] != made(lines-latest+1, long) {
		t.Errorf("a reader who has all that is gone missed nothing: %d lines, %.60s", len(got), got[0])
	}
	if got := m.all(t, lines); len(got) != 0 {
		t.Errorf("%d lines", len(got))
	}
}

func TestStepsAndSourcesOutliveTheLinesAroundThem(t *testing.T) {
	var m memory
	m.many(1, 200)
	early := []string{`{"k":"step","id":"on-accept"}`, `{"k":"file","path":"worker.go"}`}
	m.add([]byte(early[0]))
	m.many(201, 210)
	m.add([]byte(early[1]))
	m.add([]byte(`{"k":"armed","n":3}`))
	m.add([]byte(`{"k":"armed","n":2}`))
	m.many(211, 1000)
	first, latest := startBytes/long, latestBytes/long
	got := m.all(t, 0)[first:]
	n := m.count() - first - latest - len(early)
	want := []string{string(lost(n)), early[0], early[1], `{"k":"armed","n":2}`}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%.80s, want %.80s", got[i], want[i])
		}
	}
	// Who had the step has it still.
	if got := m.all(t, 205); got[1] != early[1] || !strings.Contains(got[0], `"lost"`) {
		t.Errorf("%.80q", got[:2])
	}
}

func TestWhatWasLostOutlivesItsLine(t *testing.T) {
	var m memory
	m.many(1, startBytes/long)
	for n := 1; n <= 2; n++ {
		m.add(fmt.Appendf(nil, `{"k":"stats","dropped":%d}`, n))
	}
	m.many(1, latestBytes/long+1)
	if got := strings.Join(m.all(t, startBytes/long), ""); strings.Count(got, `{"k":"stats","dropped":`) != 1 ||
		!strings.Contains(got, `{"k":"stats","dropped":2}`) {
		t.Errorf("%.300s", got)
	}
}

func TestALineLongerThanAnEventIsOne(t *testing.T) {
	var m memory
	m.add([]byte(made(1, 0)))
	m.add([]byte(made(2, 2*batchBytes)))
	m.add([]byte(made(3, 0)))
	for after := range 3 {
		if lines, last := m.since(after, batchBytes); len(lines) != 1 || last != after+1 {
			t.Errorf("after %d: %d lines up to %d", after, len(lines), last)
		}
	}
	var huge memory
	huge.many(1, startBytes/long)
	huge.add([]byte(made(1000, 2*latestBytes))) // larger than all there is room for
	if lines, _ := huge.since(startBytes/long, batchBytes); len(lines) != 1 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestTheKindOfALine(t *testing.T) {
	for line, want := range map[string]string{`{"k":"step","id":"x"}`: "step", `{"k":"b"}`: "b", "": "", `{"k":"b`: "",
		`{"id":"step"}`: ""} {
		if got := kindOf([]byte(line)); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
