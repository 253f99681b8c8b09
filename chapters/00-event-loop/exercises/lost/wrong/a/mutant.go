//go:build ignore

package eventloop

func (q *postQueue) start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.exiting.Store(false)
}
