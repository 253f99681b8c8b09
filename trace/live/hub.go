// Package live serves a trace to browsers while it is being recorded: the page, and its lines as
// server-sent events. Who joins late, or was away, gets what there was before; who is too slow loses
// lines, is told how many, and holds up nobody.
package live

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxReaders = 64                     // each is a connection, a goroutine and up to batchBytes
	batchBytes = 256 << 10              // of lines in one event; a longer line is an event of its own
	gather     = 10 * time.Millisecond  // what lines wait for others, so that a burst is few events
	heartbeat  = 15 * time.Second       // between two signs of life while nothing happens
	patience   = 10 * time.Second       // that a reader may take for one event
	farewell   = 200 * time.Millisecond // that readers have for what is left when the server stops
)

// Hub keeps the page's lines and hands them to any number of readers. It is a bounded part of memory:
// see memory.
type Hub struct {
	arm       func(n int64)
	run       string        // names this process, so that nobody resumes another's lines
	heartbeat time.Duration // shorter in tests
	patience  time.Duration
	document  document

	dropped atomic.Pointer[func() uint64]
	off     atomic.Bool
	mu      sync.Mutex
	memory  memory
	more    chan struct{} // closed when a line comes; nil: nobody waits for one
	readers map[*http.ResponseController]bool
	until   time.Time // when the farewell is over, once closed is
	closed  chan struct{}
}

// New makes a hub for one recording.
func New() *Hub {
	var run [4]byte
	rand.Read(run[:])
	return &Hub{run: hex.EncodeToString(run[:]), heartbeat: heartbeat, patience: patience, arm: func(int64) {},
		readers: map[*http.ResponseController]bool{}, closed: make(chan struct{})}
}

// Arms tells the hub what arms the recorder: Recorder.Arm. Call it before the hub serves.
func (h *Hub) Arms(arm func(n int64)) { h.arm = arm }

// Losses tells the hub what knows how many records were lost so far: Recorder.Dropped. The pages hear of it
// as it grows.
func (h *Hub) Losses(dropped func() uint64) { h.dropped.Store(&dropped) }

func (h *Hub) losses() uint64 {
	if dropped := h.dropped.Load(); dropped != nil {
		return (*dropped)()
	}
	return 0
}

// Line takes the next line: one JSON object, without its newline. It takes the bytes over and waits for
// no reader. Called on the collector's goroutine.
func (h *Hub) Line(line []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.off.Load() {
		return
	}
	h.memory.add(line)
	if h.more != nil {
		close(h.more)
		h.more = nil
	}
}

// since returns the lines that follow the after first ones, as many as one event may hold, and the
// number of the last. If there are none, more is closed when there are.
func (h *Hub) since(after int) (lines [][]byte, last int, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	lines, last = h.memory.since(after, batchBytes)
	if len(lines) == 0 && h.more == nil {
		h.more = make(chan struct{})
	}
	return lines, last, h.more
}

// count is how many lines there have been.
func (h *Hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.memory.count()
}

// admit counts a reader in. It reports false if there are as many as may be.
func (h *Hub) admit(c *http.ResponseController) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.readers) >= maxReaders {
		return false
	}
	h.readers[c] = true
	return true
}

func (h *Hub) dismiss(c *http.ResponseController) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, c)
}

// allow gives a reader time for what is written to it next.
func (h *Hub) allow(c *http.ResponseController) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.until.IsZero() {
		return c.SetWriteDeadline(h.until)
	}
	return c.SetWriteDeadline(time.Now().Add(h.patience))
}

// Off forgets all lines and takes no more: nobody will ever watch. Any goroutine may call it.
func (h *Hub) Off() {
	h.off.Store(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.memory = memory{}
}

// Close ends all streams, now and for good: each gets what there is, if it takes that at once. It does
// not wait for them.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.until.IsZero() {
		return
	}
	h.until = time.Now().Add(farewell)
	for c := range h.readers {
		c.SetWriteDeadline(h.until) // one may stand still in the middle of an event
	}
	close(h.closed)
}
