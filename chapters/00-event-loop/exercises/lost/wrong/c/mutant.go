//go:build ignore

package eventloop

func (q *postQueue) take() []task {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := q.tasks
	q.tasks, q.spare = q.spare[:0], nil
	return batch[:min(len(batch), 1)]
}
