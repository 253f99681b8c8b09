package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

// Counts are what the spans of a run tell.
type Counts struct {
	Accepted []int `json:"accepted"`    // accept4 calls that gave a connection
	Served   []int `json:"served"`      // connections that live on the worker
	Told     []int `json:"told"`        // times epoll told the worker of its listen fd
	Wasted   []int `json:"wasted"`      // of these, times when nobody was there any more
	Woken    []int `json:"woken"`       // times epoll_pwait returned with anything
	Posted   int   `json:"handed_over"` // connections that were posted to another worker

	ports []int       // of the peers of accepted connections, in order
	setOf map[int]int // by an epoll set's fd, its worker
}

// wanted are the words of which a line of the trace must have one to be counted: reading every span of a
// busy server would take longer than serving did.
var wanted = [][]byte{[]byte(`"accept4"`), []byte(`"epoll_create1"`), []byte(`"epoll_pwait"`), []byte(`"file-event-libevent-callback"`),
	[]byte(`"active-tcp-connection-ctor"`), []byte(`"active-tcp-listener-post"`)}

func count(path string, workers int) (Counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return Counts{}, err
	}
	defer f.Close()
	var kept bytes.Buffer
	if err := keepWanted(f, &kept); err != nil {
		return Counts{}, fmt.Errorf("%s: %w", path, err)
	}
	t, err := saved.Read(&kept)
	if err != nil {
		return Counts{}, fmt.Errorf("%s: %w", path, err)
	}
	return countSpans(t, workers), nil
}

func keepWanted(r io.Reader, kept *bytes.Buffer) error {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if slices.ContainsFunc(wanted, func(w []byte) bool { return bytes.Contains(line, w) }) {
			kept.Write(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func countSpans(t *saved.Trace, workers int) Counts {
	c := Counts{Accepted: make([]int, workers), Served: make([]int, workers), Told: make([]int, workers),
		Wasted: make([]int, workers), Woken: make([]int, workers), setOf: map[int]int{}}
	events := make([]listenEvent, workers)
	for _, span := range t.Spans {
		m := moment.Read(span)
		w, is := workerOf(m.Thread)
		switch {
		case m.Call.Name == "epoll_create1":
			c.noteSet(m)
		case !is || w >= workers:
		case m.Step == "file-event-libevent-callback" && strings.HasPrefix(m.FDLabel, "lab/"):
			events[w].finish(&c, w) // at its end a server looks into the queue, too: untold, and not counted
			events[w] = listenEvent{true, 0, moment.ReadEnd(span).Seq}
			c.Told[w]++
		case m.Call.Name == "accept4" && m.Call.Errno == "":
			c.Accepted[w]++
			c.ports = append(c.ports, portOf(m.Call.Args))
			if events[w].open && m.Seq < events[w].ends {
				events[w].got++
			}
		case m.Call.Name == "epoll_pwait" && m.Call.Ret > 0:
			c.Woken[w]++
		case m.Step == "active-tcp-connection-ctor":
			c.Served[w]++
		case m.Kind == moment.KindFunction && m.Step == "active-tcp-listener-post":
			c.Posted++
		}
	}
	for w := range events {
		events[w].finish(&c, w)
	}
	slices.Sort(c.ports)
	return c
}

// listenEvent is the worker's last event on its listen fd.
type listenEvent struct {
	open bool
	got  int
	ends int64
}

func (e *listenEvent) finish(c *Counts, worker int) {
	if e.open && e.got == 0 {
		c.Wasted[worker]++
	}
}

func (c *Counts) noteSet(m *moment.Moment) {
	if number, is := strings.CutPrefix(m.Call.Label, "ep:worker_"); is {
		if n, err := strconv.Atoi(number); err == nil {
			c.setOf[int(m.Call.Ret)] = n
		}
	}
}

var peerPort = regexp.MustCompile(`:(\d+), SOCK_`)

// portOf is the peer's port in what the span says accept4 was called with.
func portOf(args string) int {
	if m := peerPort.FindStringSubmatch(args); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}
