// Package log writes Envoy's log lines:
//
//	[2026-11-22 15:10:51.123][1234][info][main] [chapters/01-startup/instance.go:42] message
//
// Every component has its own level. A message below it costs one atomic load; one that is shown
// is written whole, with one Write, and never in colour.
package log

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"envoywalk/internal/kernel"
)

// Logger owns the components and the place their lines go to. Any thread may use it; a line blocks
// for as long as its Write does.
//
// Envoy: Logger::Registry and its sink
type Logger struct {
	tid    func() int
	now    func() time.Time
	format atomic.Pointer[lineFormat]
	all    [components]Component

	mu   sync.Mutex // one line at a time
	out  io.Writer
	path string   // "" unless this log is a file
	file *os.File // the file of path; else nil
	loss loss     // of the file
}

// New makes a logger that writes to w: all components at info, the format Envoy's. tid tells the
// OS thread id of its caller; only the kernel door may ask for it, so it is handed in. Errors of w
// are ignored, for it is where they would be told; those of a file are told on stderr.
func New(w io.Writer, tid func() int) *Logger {
	l := &Logger{tid: tid, now: time.Now, out: w}
	f, err := parseFormat(DefaultFormat, false)
	if err != nil {
		panic(err) // DefaultFormat is ours
	}
	l.format.Store(f)
	for i := range l.all {
		l.all[i].id, l.all[i].logger = ID(i), l
	}
	l.SetLevel(Info)
	return l
}

// Open makes a logger that appends to the file at path, which it makes if need be (--log-path). A
// FIFO that nobody reads is an error, not a wait.
//
// It fails with Envoy's `Failed to open log-file '{}'`.
func Open(path string, tid func() int) (*Logger, error) {
	l := New(nil, tid)
	l.path = path
	if err := l.Reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// Reopen opens the log's file again by its path, so that a file moved away is let go (SIGUSR1). On
// error the log goes on in the old file. A log that is not a file does nothing.
//
// Envoy: AccessLogManager::reopen, which the file sink goes through
func (l *Logger) Reopen() error {
	if l.path == "" {
		return nil
	}
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|kernel.O_NONBLOCK, 0o644)
	if err != nil {
		return fmt.Errorf("Failed to open log-file '%s'. %w", l.path, err)
	}
	l.mu.Lock()
	old := l.file
	l.file, l.out = file, file
	l.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return nil
}

// Close closes the log's file. Lines that still come are lost. A log that is not a file stays open.
func (l *Logger) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
		l.file, l.out = nil, io.Discard
	}
}

// SetFormat sets the pattern of the lines that follow (--log-format): spdlog's %Y %m %d %T %e %t %l
// %L %n %g %# %v %% and Envoy's %_. escaped writes each line as a C string
// (--log-format-escaped). On error, a flag that is not among these, the old format stays.
func (l *Logger) SetFormat(pattern string, escaped bool) error {
	f, err := parseFormat(pattern, escaped)
	if err != nil {
		return err
	}
	l.format.Store(f)
	return nil
}

// SetLevel sets all components to one level.
func (l *Logger) SetLevel(level Level) {
	for i := range l.all {
		l.all[i].SetLevel(level)
	}
}

// SetComponentLevel sets single components' levels from a list such as "main:debug,config:trace";
// "" sets none. If any part of the list is wrong none is set.
//
// It fails with Envoy's sentences: the part is not name:level, or there is no such component or
// level.
//
// Envoy: OptionsImpl::parseComponentLogLevels
func (l *Logger) SetComponentLevel(list string) error {
	if list == "" {
		return nil
	}
	levels := map[*Component]Level{}
	for part := range strings.SplitSeq(list, ",") {
		name, levelName, found := strings.Cut(part, ":")
		if !found || strings.Contains(levelName, ":") {
			return fmt.Errorf("error: component log level not correctly specified '%s'", part)
		}
		level, err := ParseLevel(levelName)
		if err != nil {
			return err
		}
		c := l.find(name)
		if c == nil {
			return fmt.Errorf("error: invalid component specified '%s'", name)
		}
		levels[c] = level
	}
	for c, level := range levels {
		c.SetLevel(level)
	}
	return nil
}

// Component returns one component's log, the same one every time.
func (l *Logger) Component(id ID) *Component { return &l.all[id] }

// Components returns all components in Envoy's order, for the admin's /logging.
func (l *Logger) Components() []*Component {
	all := make([]*Component, len(l.all))
	for i := range l.all {
		all[i] = &l.all[i]
	}
	return all
}

// find is the component of that name; nil if there is none.
func (l *Logger) find(name string) *Component {
	for i := range l.all {
		if l.all[i].id.String() == name {
			return &l.all[i]
		}
	}
	return nil
}

// write hands one finished line over, whole.
func (l *Logger) write(text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		l.out.Write(text) // an error has nowhere to go
		return
	}
	l.writeFile(text)
}
