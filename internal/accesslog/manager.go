// Package accesslog writes Envoy's access logs: a line for each connection or request, in a format
// of the operator's making, to files and the standard streams. Any thread may write a line, event
// loops among them: the line is put together at once and handed over; a goroutine for each file
// writes it to the disk.
package accesslog

import (
	"fmt"
	"os"
	"sync"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"

	"envoywalk/internal/config"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
)

// Manager owns the files of all access logs. Logs of one path share a file.
//
// Envoy: AccessLog::AccessLogManagerImpl
type Manager struct {
	log        *log.Component
	stats      fileStats
	flushAfter time.Duration // how long a first line may wait for others
	quiet      time.Duration // how long after the last loss an incident is over
	patience   time.Duration // how long Close waits for readers that do not read

	mu     sync.Mutex
	files  map[any]*file // by path, or by standard stream
	closed bool
}

// fileStats are Envoy's, but for the unit: a line counts once in write_buffered when it is handed
// over, and once in write_completed or write_failed. Envoy counts its buffer's pieces there.
type fileStats struct {
	flushedByTimer, reopenFailed, writeBuffered, writeCompleted, writeFailed *stats.Counter

	writeTotalBuffered *stats.Gauge // bytes
}

// NewManager makes a manager without files. What cannot be written is told to l and counted in
// filesystem.* of s.
func NewManager(l *log.Component, s *stats.Store) *Manager {
	scope := s.Scope("filesystem.")
	return &Manager{log: l, flushAfter: 5 * time.Millisecond, quiet: time.Second,
		patience: time.Second, files: map[any]*file{},
		stats: fileStats{
			flushedByTimer:     scope.Counter("flushed_by_timer"),
			reopenFailed:       scope.Counter("reopen_failed"),
			writeBuffered:      scope.Counter("write_buffered"),
			writeCompleted:     scope.Counter("write_completed"),
			writeFailed:        scope.Counter("write_failed"),
			writeTotalBuffered: scope.Gauge("write_total_buffered"),
		}}
}

// Create makes the log that c describes and opens its file. Envoy's sentences come back for a
// format that cannot be read and a file that cannot be opened; the caller knows the place.
//
// Envoy: AccessLog::AccessLogFactory::fromProto
func (m *Manager) Create(c *accesslogv3.AccessLog) (*Log, error) {
	d, err := describe(c)
	if err != nil {
		return nil, err
	}
	if d.out != nil {
		return m.toStream(d.out, d.path, d.format)
	}
	return m.toFile(d.path, d.format)
}

// Check finds what Create would refuse for the configuration's own sake, with Create's errors. It
// opens no log: whether a path can be opened is the machine's affair, and only Create tells.
func Check(c *accesslogv3.AccessLog) error {
	_, err := describe(c)
	return err
}

// description is a log that is not open.
type description struct {
	format formatter
	path   string
	out    *os.File // a standard stream, which path only names; nil for a file
}

// Envoy: FileAccessLogFactory::createAccessLogInstance and those of the standard streams
func describe(c *accesslogv3.AccessLog) (d description, err error) {
	typed, err := config.UnpackAny(c.GetTypedConfig())
	if err != nil {
		return d, err
	}
	switch l := typed.(type) {
	case *filev3.FileAccessLog:
		d.path = l.GetPath()
		d.format, err = fileFormat(l)
	case *streamv3.StdoutAccessLog:
		d.path, d.out = "stdout", os.Stdout
		d.format, err = formatOf(l.GetLogFormat())
	case *streamv3.StderrAccessLog:
		d.path, d.out = "stderr", os.Stderr
		d.format, err = formatOf(l.GetLogFormat())
	default:
		err = fmt.Errorf("Didn't find a registered implementation for name: '%s'", c.GetName())
	}
	return d, err
}

// CreateFile makes a log of the default format: admin's access_log_path.
//
// Envoy: AdminImpl::startHttpListener
func (m *Manager) CreateFile(path string) (*Log, error) { return m.toFile(path, defaultFormat()) }

// toFile knows three paths that are no files: what is opened a second time under one of them has a
// place of its own in a file that somebody else writes, too.
func (m *Manager) toFile(path string, f formatter) (*Log, error) {
	switch path {
	case os.DevNull:
		return &Log{}, nil
	case "/dev/stdout":
		return m.toStream(os.Stdout, path, f)
	case "/dev/stderr":
		return m.toStream(os.Stderr, path, f)
	}
	file, err := m.file(path, func() (*file, error) { return openFile(path) })
	if err != nil {
		return nil, err
	}
	return &Log{format: f, file: file}, nil
}

func (m *Manager) toStream(out *os.File, name string, f formatter) (*Log, error) {
	file, err := m.file(out, func() (*file, error) { return &file{name: name, out: out}, nil })
	if err != nil {
		return nil, err
	}
	return &Log{format: f, file: file}, nil
}

// file finds a file, or makes it and starts its goroutine.
//
// Envoy: AccessLogManagerImpl::createAccessLog
func (m *Manager) file(key any, open func() (*file, error)) (*file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.files[key]; f != nil {
		return f, nil
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	f.manager, f.reopenAt, f.closing = m, noReopen, m.closed
	f.soon, f.now, f.ended = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	if m.closed {
		f.release()
		return f, nil
	}
	m.files[key] = f
	go f.run()
	return f, nil
}

// Reopen has every file opened again by its path (SIGUSR1), after it was moved away. It does not
// wait: lines written before this go to the old file, later ones to the new.
//
// Envoy: AccessLogManagerImpl::reopen
func (m *Manager) Reopen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.files {
		f.reopenSoon()
	}
}

// Close writes what is waiting and closes the files. It waits, a second at most, for a pipe that
// nobody reads; what is lost then is counted and told. Lines that still come are lost. A second
// Close does nothing.
func (m *Manager) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.closed = true
	for _, f := range m.files {
		f.closeSoon()
	}
	late := make(chan struct{})
	timer := time.AfterFunc(m.patience, func() { close(late) })
	defer timer.Stop()
	for _, f := range m.files {
		select {
		case <-f.ended:
		case <-late:
			f.abandon()
		}
	}
}
