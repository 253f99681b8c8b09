package eventloop

import (
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// task is one post: what to run, what the trace calls it, and the span that asked for it.
type task struct {
	run     func()
	step    step.Step
	subject string
	link    uint64
}

// Post runs f on the dispatcher's thread, later. Any thread may call it; it never blocks. from is
// the dispatcher of the calling thread; s is the step that f is, or None. Posts run in the order
// they came. After the last Run they are kept and dropped by Close.
//
// The loop is woken only if nobody else did it already (the list was empty), if there is a loop to
// wake, and if the poster is not the loop itself: a burst costs one write.
//
// Envoy: Event::DispatcherImpl::post
func (d *Dispatcher) Post(from *Dispatcher, s step.Step, f func()) {
	d.post(from.laneOrNil(), from == d, task{run: f, step: s})
}

// PostAbout is Post for what is no step: the trace tells its subject, such as "cluster echo".
func (d *Dispatcher) PostAbout(from *Dispatcher, subject string, f func()) {
	d.post(from.laneOrNil(), from == d, task{run: f, subject: subject})
}

// PostOutside is PostAbout for a goroutine that runs no dispatcher. lane may be nil; nobody else
// may use it meanwhile. An empty subject is none.
func (d *Dispatcher) PostOutside(lane *trace.Lane, subject string, f func()) {
	d.post(lane, false, task{run: f, subject: subject})
}

func (d *Dispatcher) post(lane *trace.Lane, own bool, t task) {
	id, at := lane.Posting()
	t.link = id
	d.posts.mu.Lock()
	o := trace.PostOutcome{Queued: len(d.posts.tasks) + 1, Running: d.posts.running}
	o.Woke = o.Running && o.Queued == 1 && !own
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

// wake makes the eventfd readable. A full counter (EAGAIN) is readable already.
func (d *Dispatcher) wake(lane *trace.Lane) {
	kernel.EventfdWrite(lane, d.scheduler.eventfd)
}

// runPostCallbacks runs what was posted so far, in order.
//
// Deferred deletes go first, so that a stale reference in a post fails here, always, and not
// sometimes. The list is taken under the lock and run without it, because a post may post. Each
// task is released before the next runs, because what it holds may matter to the next.
//
// Envoy: Event::DispatcherImpl::runPostCallbacks
func (d *Dispatcher) runPostCallbacks() {
	defer d.lane.Enter(step.RunPostCallbacks).Exit()
	d.ClearDeferredDeletes()
	batch := d.posts.take()
	for i := range batch {
		d.touch()
		d.runTask(&batch[i])
		batch[i] = task{}
	}
	d.posts.giveBack(batch)
}

func (d *Dispatcher) runTask(t *task) {
	defer d.lane.EnterRun(t.step, d.Name, t.subject, t.link).Exit()
	t.run()
}

// start and stop frame Run. Posts before start wake nobody: Run flushes them first.
func (q *postQueue) start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = true
}

func (q *postQueue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = false
	q.exiting.Store(false)
}

// exit asks the loop to stop and reports whether it must be woken to see that. The flag is never
// cleared as a loop starts: a stop that was asked for before the start must still stop.
func (q *postQueue) exit(lane *trace.Lane, own bool) (wake bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.exiting.Store(true)
	if wake = q.running && !own; wake {
		q.wakeID = lane.NextID() // the write that follows
	}
	return wake
}

// waker is the span of the write that made the eventfd readable; 0 if its thread has no lane.
func (q *postQueue) waker() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wakeID
}

func (q *postQueue) isEmpty() bool { return q.waiting() == 0 }

// take empties the queue. The two backing arrays alternate, so that steady posting allocates
// nothing.
func (q *postQueue) take() []task {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := q.tasks
	q.tasks, q.spare = q.spare[:0], nil
	return batch
}

func (q *postQueue) giveBack(batch []task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare = batch[:0]
}
