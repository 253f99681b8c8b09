//go:build ignore

package eventloop

import "envoywalk/trace"

func (d *Dispatcher) post(lane *trace.Lane, own bool, t task) {
	id, at := lane.Posting()
	t.link = id
	d.posts.mu.Lock()
	o := trace.PostOutcome{Queued: len(d.posts.tasks) + 1, Running: d.posts.running}
	o.Woke = o.Running && !own
	d.posts.tasks = append(d.posts.tasks, t)
	if o.Woke {
		d.posts.wakeID = lane.NextID() // the write below
	}
	d.posts.mu.Unlock()
	lane.Posted(id, at, t.step, d.Name, t.subject, o)
	switch {
	case o.Woke:
		d.wake(lane)
	case own && o.Running:
		d.scheduler.postsWaiting = true
	}
}
