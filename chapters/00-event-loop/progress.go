package eventloop

// Progress is how far a loop is. It needs no help from the loop's thread, which may be stuck.
type Progress struct {
	TID     int    // of its thread, 0 before the first run
	Turns   uint64 // begun so far
	Waiting bool   // in epoll; otherwise a callback is at work
	Posts   int    // posted and not taken yet
}

// Progress asks. Any thread may.
func (d *Dispatcher) Progress() Progress {
	n := d.scheduler.progress.Load()
	return Progress{TID: int(d.tid.Load()), Turns: (n + 1) / 2, Waiting: n%2 == 1, Posts: d.posts.waiting()}
}

func (q *postQueue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.tasks)
}
