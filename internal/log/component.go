package log

import (
	"fmt"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// Component is the log of one part of the program. Any thread may use it.
//
// Envoy: Logger::Loggable
type Component struct {
	level  atomic.Int32
	id     ID
	logger *Logger
}

// Name is the component's name.
func (c *Component) Name() string { return c.id.String() }

// Level is the least grave level that is shown.
func (c *Component) Level() Level { return Level(c.level.Load()) }

// SetLevel sets the least grave level that is shown.
func (c *Component) SetLevel(level Level) { c.level.Store(int32(level)) }

// Enabled says whether a message of that level would be shown. Ask before making arguments that
// are costly.
func (c *Component) Enabled(level Level) bool { return int32(level) >= c.level.Load() }

// Trace logs at trace.
func (c *Component) Trace(format string, args ...any) {
	if c.Enabled(Trace) {
		c.log(Trace, format, args...)
	}
}

// Debug logs at debug.
func (c *Component) Debug(format string, args ...any) {
	if c.Enabled(Debug) {
		c.log(Debug, format, args...)
	}
}

// Info logs at info.
func (c *Component) Info(format string, args ...any) {
	if c.Enabled(Info) {
		c.log(Info, format, args...)
	}
}

// Warn logs at warning.
func (c *Component) Warn(format string, args ...any) {
	if c.Enabled(Warning) {
		c.log(Warning, format, args...)
	}
}

// Error logs at error.
func (c *Component) Error(format string, args ...any) {
	if c.Enabled(Error) {
		c.log(Error, format, args...)
	}
}

// Critical logs at critical.
func (c *Component) Critical(format string, args ...any) {
	if c.Enabled(Critical) {
		c.log(Critical, format, args...)
	}
}

// buffers holds the memory in which lines are put together.
type buffers struct{ message, text []byte }

var pool = sync.Pool{New: func() any { return &buffers{} }}

// log puts the line together and writes it. It is called by the six functions above and by nobody
// else: the place it prints is that of their caller.
func (c *Component) log(level Level, format string, args ...any) {
	_, file, number, _ := runtime.Caller(2)
	b := pool.Get().(*buffers)
	b.message = fmt.Appendf(b.message[:0], format, args...)
	l := line{when: c.logger.now(), tid: c.logger.tid(), level: level, id: c.id,
		file: shortFile(file), number: number, message: b.message}
	b.text = c.logger.format.Load().appendLine(b.text[:0], &l)
	c.logger.write(b.text)
	pool.Put(b)
}

// moduleRoot is where the module's files lie, by the path the compiler noted for this one.
var moduleRoot = func() string {
	_, file, _, _ := runtime.Caller(0)
	return path.Dir(path.Dir(path.Dir(file))) + "/"
}()

// shortFile is a file's path from the module's root, as Envoy's lines have it from theirs.
func shortFile(file string) string { return strings.TrimPrefix(file, moduleRoot) }
