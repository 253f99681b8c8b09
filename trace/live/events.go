package live

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Events streams the lines, for ever, as server-sent events: each has some lines, one behind each data:,
// and as id the number of the last and which run it is of: 812@0c16868a. Last-Event-ID, or else ?from, is
// the id of what the reader has; the number alone will do. It returns when the reader goes, or does not
// take what it is given, or the hub is closed.
func (h *Hub) Events(w http.ResponseWriter, r *http.Request) {
	if refusedElsewhere(w, r) {
		return
	}
	c := http.NewResponseController(w)
	if !h.admit(c) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "As many pages watch as may. Close one of them.", http.StatusServiceUnavailable)
		return
	}
	defer h.dismiss(c)
	// What ends a slow request must not end this one; its reader says nothing more.
	if c.SetReadDeadline(time.Time{}) != nil || h.allow(c) != nil {
		http.Error(w, "This connection cannot be kept open.", http.StatusNotImplemented)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // for an nginx on the way
	if r.Method != http.MethodHead {
		(&stream{hub: h, to: w, control: c, request: r, after: h.resumed(r)}).run()
	}
}

// refusedElsewhere: a page of another origin could not read the stream, but it could use up the readers.
func refusedElsewhere(w http.ResponseWriter, r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	http.Error(w, "A page of another origin may not watch this server.", http.StatusForbidden)
	return true
}

// resumed is the number of the last line that the reader has. One whose id is of another run, or not
// reached yet, has the lines of another process, such as the one before a restart: it begins anew.
func (h *Hub) resumed(r *http.Request) int {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("from")
	}
	number, run, named := strings.Cut(id, "@")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > h.count() || named && run != h.run {
		return 0
	}
	return n
}

// stream is one reader.
type stream struct {
	hub     *Hub
	to      http.ResponseWriter
	control *http.ResponseController
	request *http.Request
	after   int // the number of the last line that was sent
	event   []byte
}

// run sends what there is, then what comes. A reader that lost its connection tries again soon.
func (s *stream) run() {
	if !s.send(append(s.event, "retry: 500\n\n"...)) {
		return
	}
	silence := time.NewTimer(s.hub.heartbeat)
	defer silence.Stop()
	for {
		lines, last, more := s.hub.since(s.after)
		if len(lines) > 0 {
			if !s.sendLines(lines, last) {
				return
			}
			silence.Reset(s.hub.heartbeat)
			continue
		}
		select {
		case <-more:
			s.gather()
		case <-silence.C:
			if !s.send(append(s.event[:0], ":\n\n"...)) {
				return
			}
			silence.Reset(s.hub.heartbeat)
		case <-s.request.Context().Done():
			return
		case <-s.hub.closed:
			return
		}
	}
}

// gather lets a line that came wait for the next ones.
func (s *stream) gather() {
	select {
	case <-time.After(gather):
	case <-s.hub.closed:
	}
}

func (s *stream) sendLines(lines [][]byte, last int) bool {
	e := append(s.event[:0], "id: "...)
	e = strconv.AppendInt(e, int64(last), 10)
	e = append(e, "@"+s.hub.run+"\n"...)
	for _, line := range lines {
		e = append(e, "data: "...)
		e = append(e, line...)
		e = append(e, '\n')
	}
	s.event, s.after = append(e, '\n'), last
	return s.send(s.event)
}

// send reports whether the reader took it.
func (s *stream) send(event []byte) bool {
	if s.hub.allow(s.control) != nil {
		return false
	}
	if _, err := s.to.Write(event); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
