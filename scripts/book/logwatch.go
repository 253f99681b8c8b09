package main

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// logWatch reads the program's stderr as it comes: when it is ready, what it dropped, its last
// words.
type logWatch struct {
	mu      sync.Mutex
	partial []byte
	last    []string
	ready   bool
	dropped int
}

const lastLines = 12

var droppedLine = regexp.MustCompile(`dropped (\d+) records|(\d+) records were dropped`)

// Write implements io.Writer.
func (l *logWatch) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, whole := bytes.Cut(l.partial, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.line(string(line))
		l.partial = rest
	}
}

func (l *logWatch) line(line string) {
	l.last = append(l.last, line)
	l.last = l.last[max(0, len(l.last)-lastLines):]
	l.ready = l.ready || strings.Contains(line, "starting main dispatch loop")
	if m := droppedLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1] + m[2])
		l.dropped += n
	}
}

// waitReady waits until the log says that the main loop starts, and a moment more for the workers.
// Where the log goes elsewhere, patience decides.
func (l *logWatch) waitReady(ctx context.Context) error {
	for end := time.Now().Add(patience); !l.isReady() && time.Now().Before(end); {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return sleep(ctx, 300*time.Millisecond)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (l *logWatch) isReady() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready
}

func (l *logWatch) droppedRecords() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// lastLines are the program's last words, indented; "" if it said nothing.
func (l *logWatch) lastLines() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) == 0 {
		return ""
	}
	return "    " + strings.Join(l.last, "\n    ")
}
