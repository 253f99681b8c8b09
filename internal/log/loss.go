package log

import (
	"fmt"
	"io"
	"os"
	"time"
)

// quiet is how long after the last loss it is over. Without it, a disk that is now full, now not
// would be told of at every line.
const quiet = time.Second

// loss is what the log's file did not take: told when it begins and when it is over, not for each
// line. The logger's lock guards it.
type loss struct {
	to    io.Writer // nil is stderr
	going bool
	lines int
	last  time.Time
}

// writeFile writes one line whole or not at all. The lock is held.
func (l *Logger) writeFile(text []byte) {
	before := sizeOf(l.file)
	n, err := l.file.Write(text)
	if err == nil {
		l.loss.over(l.path)
		return
	}
	if before >= 0 && n > 0 && sizeOf(l.file) == before+int64(n) { // nobody else appends to it
		l.file.Truncate(before)
	}
	l.loss.begin(l.path, err)
}

// sizeOf is the length of a regular file; -1 for what has none.
func sizeOf(f *os.File) int64 {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
}

func (l *loss) begin(path string, err error) {
	l.lines, l.last = l.lines+1, time.Now()
	if !l.going {
		l.going = true
		l.tell("cannot write log-file '%s': %v: lines are lost", path, err)
	}
}

func (l *loss) over(path string) {
	if !l.going || time.Since(l.last) < quiet {
		return
	}
	l.tell("log-file '%s' is written again; lines lost: %d", path, l.lines)
	l.going, l.lines = false, 0
}

func (l *loss) tell(format string, args ...any) {
	to := l.to
	if to == nil {
		to = os.Stderr
	}
	fmt.Fprintf(to, format+"\n", args...)
}
