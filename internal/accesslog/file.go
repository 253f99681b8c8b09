package accesslog

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"envoywalk/internal/kernel"
)

const (
	minFlush   = 64 << 10 // bytes that are written without waiting for more
	maxWaiting = 1 << 20  // bytes that may wait for the disk, a file
	noReopen   = -1
)

// file takes lines from any thread and writes them on a goroutine of its own, so that a disk that
// stalls, or a pipe that nobody reads, holds up no event loop and no other log.
//
// Envoy: AccessLog::AccessLogFileImpl
type file struct {
	manager *Manager
	path    string // "" for a standard stream
	name    string // for messages
	soon    chan struct{}
	now     chan struct{}
	ended   chan struct{}

	mu       sync.Mutex
	out      *os.File
	pending  batch
	inFlight int // bytes that the goroutine took and has not written yet
	reopenAt int // how many of the pending lines are still the old file's
	closing  bool
	incident incident

	writing batch // the goroutine's
}

// batch is some lines, one after the other.
type batch struct {
	text []byte
	ends []int // where each line ends
}

func (b *batch) add(line []byte) {
	b.text = append(b.text, line...)
	b.ends = append(b.ends, len(b.text))
}

// start is where line n begins.
func (b *batch) start(n int) int {
	if n == 0 {
		return 0
	}
	return b.ends[n-1]
}

// reset empties the batch. It gives memory back that only a burst needed.
func (b *batch) reset() {
	b.text, b.ends = b.text[:0], b.ends[:0]
	if cap(b.text) > 4*minFlush {
		*b = batch{}
	}
}

// openFile opens a path for appending. A FIFO that nobody reads is an error, not a wait.
//
// Envoy: AccessLogFileImpl::open
func openFile(path string) (*file, error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|kernel.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, fmt.Errorf("unable to open file '%s': %s", path, details(err))
	}
	return &file{path: path, name: path, out: out}, nil
}

// details is the errno's text as the C library has it, if there is an errno.
func details(err error) string {
	var errno kernel.Errno
	if errors.As(err, &errno) {
		return kernel.Describe(errno)
	}
	return err.Error()
}

// write hands one line over. Any thread; the lock is held for the copy.
//
// Envoy: AccessLogFileImpl::write
func (f *file) write(line []byte) {
	if len(line) == 0 {
		return
	}
	stats := &f.manager.stats
	stats.writeBuffered.Inc()
	f.mu.Lock()
	before := len(f.pending.text)
	if f.closing || f.inFlight+before+len(line) > maxWaiting {
		first := f.incident.lose(1) && !f.closing
		f.mu.Unlock()
		stats.writeFailed.Inc()
		if first {
			go f.tellLoss("more waits to be written than there is room for")
		}
		return
	}
	f.pending.add(line)
	stats.writeTotalBuffered.Add(uint64(len(line))) // before the goroutine can take it off again
	f.mu.Unlock()
	if before == 0 {
		notify(f.soon)
	}
	if before < minFlush && before+len(line) >= minFlush {
		notify(f.now)
	}
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run is the goroutine. It ends after a flush that found the file closing.
//
// Envoy: AccessLogFileImpl::flushThreadFunc
func (f *file) run() {
	defer close(f.ended)
	for f.await(); f.flush(); f.await() {
	}
	f.release()
}

// await returns when there is something to do. A first line waits a moment for others, so that a
// busy log costs few wake-ups; nobody who follows the file sees the difference.
func (f *file) await() {
	select {
	case <-f.now:
	case <-f.soon:
		select {
		case <-f.now:
		case <-time.After(f.manager.flushAfter):
			f.manager.stats.flushedByTimer.Inc()
		}
	}
}

// flush writes what is pending, to the old file and to the new if it is to be reopened in between.
// It reports whether more may come.
func (f *file) flush() (more bool) {
	f.mu.Lock()
	f.pending, f.writing = f.writing, f.pending
	f.inFlight = len(f.writing.text)
	reopenAt := f.reopenAt
	f.reopenAt = noReopen
	more = !f.closing
	f.mu.Unlock()

	rest := 0
	if reopenAt != noReopen {
		f.put(0, reopenAt)
		f.reopen()
		rest = reopenAt
	}
	f.put(rest, len(f.writing.ends))
	f.manager.stats.writeTotalBuffered.Sub(uint64(len(f.writing.text)))
	f.writing.reset()
	f.mu.Lock()
	f.inFlight = 0
	f.mu.Unlock()
	return more
}

// put writes lines from (included) to to (excluded) of what is being written. Where the kernel
// takes only some of it, the whole lines stay, the broken one is taken back, the rest is lost.
//
// Envoy: AccessLogFileImpl::doWrite
func (f *file) put(from, to int) {
	if from == to {
		return
	}
	b := &f.writing
	start := b.start(from)
	before := f.size()
	n, err := f.out.Write(b.text[start:b.ends[to-1]])
	whole := from
	for whole < to && b.ends[whole] <= start+n {
		whole++
	}
	f.manager.stats.writeCompleted.Add(uint64(whole - from))
	if err == nil {
		f.tellRecovery()
		return
	}
	f.takeBack(before, int64(n), int64(b.start(whole)-start))
	f.manager.stats.writeFailed.Add(uint64(to - whole))
	f.mu.Lock()
	first := f.incident.lose(to - whole)
	f.mu.Unlock()
	if first {
		f.tellLoss(details(err))
	}
}

// size is the length of a regular file; -1 for what has none.
func (f *file) size() int64 {
	if info, err := f.out.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
}

// takeBack cuts off what was written of a broken line: all of n bytes but the first whole ones. It
// keeps its hands off a file that has no length, and one that another process has appended to.
func (f *file) takeBack(before, n, whole int64) {
	if before >= 0 && n > whole && f.size() == before+n {
		f.out.Truncate(before + whole)
	}
}

// reopenSoon has what comes from now on go to the file that then has the path.
//
// Envoy: AccessLogFileImpl::reopen
func (f *file) reopenSoon() {
	if f.path == "" {
		return
	}
	f.mu.Lock()
	f.reopenAt = len(f.pending.ends)
	f.mu.Unlock()
	notify(f.now)
}

// reopen opens the path anew. If it cannot be opened the log goes on in the old file; Envoy's
// would be closed by now.
func (f *file) reopen() {
	next, err := openFile(f.path)
	if err != nil {
		f.manager.stats.reopenFailed.Inc()
		f.manager.log.Error("cannot reopen the access log: %v", err)
		return
	}
	f.release()
	f.mu.Lock()
	f.out = next.out
	f.mu.Unlock()
}

// release closes the file; a standard stream is not this package's to close.
func (f *file) release() {
	if f.path != "" {
		f.out.Close()
	}
}

func (f *file) closeSoon() {
	f.mu.Lock()
	f.closing = true
	f.mu.Unlock()
	notify(f.now)
}

// abandon gives up on a write that does not end. That of a pipe can be ended; that of a standard
// stream cannot, and is left behind.
func (f *file) abandon() {
	f.mu.Lock()
	out, waiting := f.out, len(f.pending.text)+f.inFlight
	f.incident.lose(0) // what is lost from here on is told now
	f.mu.Unlock()
	if waiting == 0 {
		return // it is only closing
	}
	f.manager.log.Warn("access log '%s': nobody takes the last %d bytes", f.name, waiting)
	if f.path == "" || out.SetWriteDeadline(time.Now()) != nil {
		return
	}
	select {
	case <-f.ended:
	case <-time.After(f.manager.patience):
	}
}
