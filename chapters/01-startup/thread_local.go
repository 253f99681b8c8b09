package startup

import (
	"slices"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// ThreadLocal gives every registered thread its own copy of a slot. main sets; each worker gets
// the news by post, and so always sees one whole version. Nobody locks.
//
// Envoy: ThreadLocal::InstanceImpl
type ThreadLocal struct {
	main     *eventloop.Dispatcher
	workers  []*eventloop.Dispatcher
	slots    int
	shutdown bool
	data     map[*eventloop.Dispatcher]*threadData
}

// threadData is one thread's copies. Only that thread touches it.
type threadData struct{ slots []any }

// Slot is one value that every thread has a copy of.
//
// Envoy: ThreadLocal::Slot
type Slot struct {
	owner *ThreadLocal
	index int
	name  string // the subject of the posts that carry it
}

// NewThreadLocal makes the storage, for the main thread's dispatcher.
func NewThreadLocal(main *eventloop.Dispatcher) *ThreadLocal {
	return &ThreadLocal{main: main, data: map[*eventloop.Dispatcher]*threadData{main: {}}}
}

// RegisterThread adds a thread, before any runs. A worker is greeted by post: the first thing it
// will do.
//
// Envoy: ThreadLocal::InstanceImpl::registerThread
func (t *ThreadLocal) RegisterThread(lane *trace.Lane, d *eventloop.Dispatcher) {
	if d == t.main {
		return
	}
	t.workers = append(t.workers, d)
	data := &threadData{}
	t.data[d] = data
	d.Post(t.main, step.None, func() { data.slots = append(data.slots, make([]any, 8)...) })
}

// AllocateSlot makes a slot. The trace tells its updates by its name. Main thread.
func (t *ThreadLocal) AllocateSlot(name string) *Slot {
	t.slots++
	return &Slot{t, t.slots - 1, name}
}

// Set gives every thread what make returns for it: main at once, workers by post. make must be
// fit to run on several threads at a time.
//
// Envoy: ThreadLocal::InstanceImpl::SlotImpl::set
func (s *Slot) Set(make func(d *eventloop.Dispatcher) any) {
	t := s.owner
	for _, d := range t.workers {
		data := t.data[d]
		d.PostAbout(t.main, s.name, func() { data.put(s.index, make(d)) })
	}
	t.data[t.main].put(s.index, make(t.main))
}

// Get returns the calling thread's copy; d is its dispatcher.
func (s *Slot) Get(d *eventloop.Dispatcher) any {
	data := s.owner.data[d]
	if s.index >= len(data.slots) {
		return nil
	}
	return data.slots[s.index]
}

func (d *threadData) put(index int, value any) {
	for len(d.slots) <= index {
		d.slots = append(d.slots, nil)
	}
	d.slots[index] = value
}

// RunOnAllThreads runs f on main at once and on every worker by post; done, which may be nil, runs on
// main after the last. subject is what the trace says of the posts.
//
// Envoy: ThreadLocal::InstanceImpl::runOnAllThreads
func (t *ThreadLocal) RunOnAllThreads(subject string, f func(d *eventloop.Dispatcher), done func()) {
	waiting := len(t.workers)
	f(t.main)
	if waiting == 0 || t.shutdown {
		if done != nil {
			done()
		}
		return
	}
	for _, d := range t.workers {
		d.PostAbout(t.main, subject, func() {
			f(d)
			if done == nil {
				return
			}
			t.main.PostAbout(d, subject, func() {
				if waiting--; waiting == 0 {
					done()
				}
			})
		})
	}
}

// ShutdownGlobalThreading ends updates: the workers are about to go.
func (t *ThreadLocal) ShutdownGlobalThreading() { t.shutdown = true }

// ShutdownThread lets go of a thread's copies, the youngest first, when nothing on it can want them any
// more: one that has a Close method is closed. d is the calling thread's dispatcher.
//
// Envoy: ThreadLocal::InstanceImpl::shutdownThread
func (t *ThreadLocal) ShutdownThread(d *eventloop.Dispatcher) {
	for _, value := range slices.Backward(t.data[d].slots) {
		if c, ok := value.(interface{ Close() }); ok {
			c.Close()
		}
	}
	t.data[d].slots = nil
}
