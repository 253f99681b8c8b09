package live

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// wait is how long anything may take before a test gives up.
const wait = 20 * time.Second

// serving is a hub behind a real server.
type serving struct {
	*Hub
	*httptest.Server
	t *testing.T
}

func serve(t *testing.T, h *Hub, change ...func(*http.Server)) *serving {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc(PagePath, h.Page)
	mux.HandleFunc(EventsPath, h.Events)
	mux.HandleFunc(ArmPath, h.Arm)
	s := &serving{h, httptest.NewUnstartedServer(mux), t}
	s.Config.RegisterOnShutdown(h.Close)
	for _, f := range change {
		f(s.Config)
	}
	s.Start()
	t.Cleanup(func() { h.Close(); s.Server.Close() })
	return s
}

// reader is a browser's EventSource, by hand.
type reader struct {
	t      *testing.T
	answer *http.Response
	in     *bufio.Reader
	leave  func()
	last   int    // the number of the last event's last line
	id     string // of the last event
}

// join opens a stream; header are names and values.
func (s *serving) join(query string, header ...string) *reader {
	s.t.Helper()
	ctx, leave := context.WithTimeout(s.t.Context(), wait)
	r, _ := http.NewRequestWithContext(ctx, "GET", s.URL+EventsPath+query, nil)
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	answer, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { leave(); answer.Body.Close() })
	return &reader{s.t, answer, bufio.NewReader(answer.Body), func() { leave(); answer.Body.Close() }, 0, ""}
}

// event is the lines of the next event that has any; none when the stream ends.
func (r *reader) event() (lines []string) {
	id := r.id
	for {
		text, err := r.in.ReadString('\n')
		if err != nil {
			return nil
		}
		text = strings.TrimSuffix(text, "\n")
		switch name, value, _ := strings.Cut(text, ": "); name {
		case "id":
			id = value
		case "data":
			lines = append(lines, value)
		case "":
			if len(lines) > 0 {
				r.id = id
				number, _, _ := strings.Cut(id, "@")
				r.last, _ = strconv.Atoi(number)
				return lines
			}
		}
	}
}

// until reads up to the line and returns all.
func (r *reader) until(last string) (all []string) {
	r.t.Helper()
	for {
		lines := r.event()
		if all = append(all, lines...); lines == nil {
			r.t.Fatalf("the stream ended before %.60s, after %d lines", last, len(all))
		}
		if all[len(all)-1] == last {
			return all
		}
	}
}

// made is a line as long as asked for.
func made(n, length int) string {
	line := fmt.Sprintf(`{"k":"b","s":%d,"x":"`, n)
	return line + strings.Repeat("x", max(0, length-len(line)-2)) + `"}`
}

func (h *Hub) lines(first, last int) {
	for n := first; n <= last; n++ {
		h.Line([]byte(made(n, 0)))
	}
}

// areLines: exactly the lines first to last.
func areLines(t *testing.T, got []string, first, last int) {
	t.Helper()
	if len(got) != last-first+1 {
		t.Fatalf("%d lines, want %d to %d", len(got), first, last)
	}
	for n, line := range got {
		if line != made(first+n, 0) {
			t.Fatalf("line %d is %.60s, want %s", first+n, line, made(first+n, 0))
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(wait); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("never: %s\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

func (h *Hub) watching() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers)
}
