package eventloop

import (
	"runtime"
	"slices"
	"testing"
)

// A connection keeps a file event for all its life, and there may be very many.
func TestAFileEventIsOneSmallObject(t *testing.T) {
	const n = 200
	d := quiet(t)
	var fds [n]int
	for i := range fds {
		fds[i] = eventfd(t)
	}
	highest, _ := watch(d, slices.Max(fds[:]), Level, Read) // the table of fds grows now
	highest.Close()
	var events [n]*FileEvent
	callback := func(FileReady) {}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i, fd := range fds {
		events[i], _ = d.CreateFileEvent(fd, Edge, Read|Write, callback)
	}
	runtime.ReadMemStats(&after)
	bytes, objects := (after.TotalAlloc-before.TotalAlloc)/n, (after.Mallocs-before.Mallocs)/n
	t.Logf("%d bytes in %d objects", bytes, objects)
	if bytes > 200 || objects > 1 {
		t.Errorf("a file event is %d bytes in %d objects", bytes, objects)
	}
	for _, e := range events {
		e.Close()
	}
	same(t, "left", d.scheduler.files, 0)
}
