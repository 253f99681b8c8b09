package upstream

import "container/heap"

// edfScheduler picks the entry with the earliest deadline first. A host of weight w is due every
// 1/w, so that among hosts with different weights each gets its share, and none in one go.
//
// Envoy: Upstream::EdfScheduler
type edfScheduler struct {
	now   float64
	order uint64
	queue edfQueue
}

// edfEntry is a host and when it is due. Of two that are due together the first added comes first.
type edfEntry struct {
	deadline float64
	order    uint64
	host     *Host
}

// add queues a host.
//
// Envoy: EdfScheduler::add
func (s *edfScheduler) add(weight float64, h *Host) {
	heap.Push(&s.queue, edfEntry{s.now + 1/weight, s.order, h})
	s.order++
}

// pickAndAdd takes the host that is due, and queues it again by the weight that it has now. It must
// not be called while there is none.
//
// Envoy: EdfScheduler::pickAndAdd
func (s *edfScheduler) pickAndAdd(weight func(*Host) float64) *Host {
	e := &s.queue[0]
	s.now = e.deadline
	host := e.host
	e.deadline, e.order = s.now+1/weight(host), s.order
	s.order++
	heap.Fix(&s.queue, 0)
	return host
}

// edfQueue is container/heap's view of the entries.
type edfQueue []edfEntry

func (q edfQueue) Len() int { return len(q) }
func (q edfQueue) Less(i, j int) bool {
	a, b := &q[i], &q[j]
	return a.deadline < b.deadline || a.deadline == b.deadline && a.order < b.order
}
func (q edfQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *edfQueue) Push(e any)   { *q = append(*q, e.(edfEntry)) }

// Pop is there for the interface: a host never leaves the queue, the whole queue is made anew.
func (q *edfQueue) Pop() any { panic("edfQueue only grows") }
