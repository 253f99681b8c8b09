package accesslog

import (
	"sync"

	"envoywalk/internal/streaminfo"
)

// Log is one configured access log: a format and a file.
//
// Envoy: Extensions::AccessLoggers::File::FileAccessLog
type Log struct {
	format formatter
	file   *file // nil for /dev/null
}

// formatter appends one line.
type formatter interface {
	appendLine(dst []byte, s *streaminfo.StreamInfo) []byte
}

// lines holds the memory in which lines are put together.
var lines = sync.Pool{New: func() any { return new([]byte) }}

const longLine = 64 << 10 // bytes; the memory of a longer one is not kept

// Discards says whether the log keeps nothing: it is /dev/null, and costs nothing.
func (l *Log) Discards() bool { return l.file == nil }

// Write writes one line about s. It may be called on any thread, by the one that may read s; it
// never waits for the disk. A line that cannot be kept is counted in filesystem.write_failed.
//
// Envoy: FileAccessLog::emitLog
func (l *Log) Write(s *streaminfo.StreamInfo) {
	if l.file == nil {
		return
	}
	line := lines.Get().(*[]byte)
	*line = l.format.appendLine((*line)[:0], s)
	l.file.write(*line)
	if cap(*line) <= longLine {
		lines.Put(line)
	}
}
