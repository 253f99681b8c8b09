package startup

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"

	"envoywalk/internal/config"
	"envoywalk/internal/kernel"
)

// accessLog appends a line for each admin request to a file or a standard stream. The admin's
// goroutines write, never the main thread; a line is one Write.
//
// Envoy: Extensions::AccessLoggers::File::FileAccessLog over AccessLog::AccessLogFileImpl
type accessLog struct {
	path   string // "" for a standard stream
	format accessLogFormat

	out atomic.Pointer[os.File] // main changes it, and never waits for who writes
	mu  sync.Mutex              // one line at a time
}

// openAccessLogs opens what admin.access_log_path and admin.access_log name.
func (a *Admin) openAccessLogs() error {
	i := a.instance
	admin := i.Bootstrap().GetAdmin()
	if path := admin.GetAccessLogPath(); path != "" {
		if err := a.openAccessLog(path, nil, nil); err != nil {
			return i.At(err, "admin.access_log_path", accessLogHint)
		}
	}
	for n, l := range admin.GetAccessLog() {
		if err := a.addAccessLog(l); err != nil {
			return i.At(err, fmt.Sprintf("admin.access_log[%d]", n), accessLogHint)
		}
	}
	return nil
}

const accessLogHint = "its folder must exist and be writable; /dev/null keeps no log"

func (a *Admin) addAccessLog(c *accesslogv3.AccessLog) error {
	typed, err := config.UnpackAny(c.GetTypedConfig())
	if err != nil {
		return err
	}
	switch l := typed.(type) {
	case *filev3.FileAccessLog:
		format := l.GetLogFormat()
		if text := l.GetFormat(); text != "" {
			format = &corev3.SubstitutionFormatString{
				Format: &corev3.SubstitutionFormatString_TextFormat{TextFormat: text}}
		}
		return a.openAccessLog(l.GetPath(), format, nil)
	case *streamv3.StdoutAccessLog:
		return a.openAccessLog("", l.GetLogFormat(), os.Stdout)
	case *streamv3.StderrAccessLog:
		return a.openAccessLog("", l.GetLogFormat(), os.Stderr)
	}
	return fmt.Errorf("Didn't find a registered implementation for name: '%s'", c.GetName())
}

// openAccessLog adds one log. What is written to /dev/null is not even put together.
func (a *Admin) openAccessLog(path string, f *corev3.SubstitutionFormatString, out *os.File) error {
	text, err := accessLogText(f)
	if err != nil {
		return err
	}
	l := &accessLog{path: path}
	l.out.Store(out)
	if l.format, err = parseAccessLogFormat(text); err != nil {
		return err
	}
	if path == os.DevNull {
		return nil
	}
	if err := l.reopen(); err != nil {
		return err
	}
	a.logs = append(a.logs, l)
	return nil
}

// accessLogText is the configured format string.
func accessLogText(f *corev3.SubstitutionFormatString) (string, error) {
	source := f.GetTextFormatSource()
	switch {
	case f.GetTextFormat() != "":
		return f.GetTextFormat(), nil
	case source.GetFilename() != "":
		text, err := os.ReadFile(source.GetFilename())
		if err != nil {
			return "", fmt.Errorf("unable to read file: %s", source.GetFilename())
		}
		return string(text), nil
	case source != nil:
		return source.GetInlineString() + string(source.GetInlineBytes()), nil
	}
	return defaultAccessLogFormat, nil
}

// reopen opens the file by its path: at the start, and after it was moved away. On an error the
// log goes on in the old file. A standard stream stays what it is.
//
// Envoy: AccessLog::AccessLogFileImpl::open, reopen
func (l *accessLog) reopen() error {
	if l.path == "" {
		return nil
	}
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|
		kernel.O_NONBLOCK, 0o644) // a FIFO that nobody reads is an error, not a wait
	if err != nil {
		var errno kernel.Errno
		if errors.As(err, &errno) {
			return fmt.Errorf("unable to open file '%s': %s", l.path, kernel.Describe(errno))
		}
		return fmt.Errorf("unable to open file '%s': %w", l.path, err)
	}
	if old := l.out.Swap(file); old != nil {
		old.Close()
	}
	return nil
}

func (l *accessLog) close() {
	if l.path != "" {
		l.out.Load().Close()
	}
}

func (l *accessLog) write(r *answeredRequest) {
	var line strings.Builder
	for _, piece := range l.format {
		line.WriteString(piece(r))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out.Load().WriteString(line.String()) // an error has nowhere to go
}

func (a *Admin) writeAccessLogs(r *answeredRequest) {
	r.took = time.Since(r.began)
	for _, l := range a.logs {
		l.write(r)
	}
}

func (a *Admin) reopenLogs() {
	for _, l := range a.logs {
		if err := l.reopen(); err != nil {
			a.log.Error("cannot reopen the access log: %v", err)
		}
	}
}
