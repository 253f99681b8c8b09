package listensocket

import (
	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/later"
	"envoywalk/trace"
)

// Seams is what this chapter leaves open, over chapter 01's.
type Seams struct {
	*startup.Seams

	// SetupSocket applies the PREBIND options and binds. Filled by 03; until then nothing is bound.
	SetupSocket func(lane *trace.Lane, s *ListenSocket, bindToPort bool) error
	// NewWorker makes a worker without a thread; nil makes none. Filled by 04.
	NewWorker func(m *ListenerManager, index int) Worker
	// StartWorkers is the double loop over workers and listeners. Filled by 04.
	StartWorkers func(m *ListenerManager, done func())
	// ListenerFilters builds a listener's own filters. Filled by 05.
	ListenerFilters func(*Listener) error
	// BuildFilterChains builds the network filter chains, kept in Listener.FilterChains. Filled
	// by 06.
	BuildFilterChains func(*Listener) error
}

// Worker is one worker thread as its manager sees it. Every method is called on main; what must
// happen on the worker is posted to it.
type Worker interface {
	// AddListener adds l there. done runs on main with what went wrong, or nil.
	AddListener(l *Listener, done func(error))
	// UpdateListener lets the listener with l's tag go on with another configuration.
	UpdateListener(l *Listener)
	// StopListener accepts who is in the kernel's queue, and closes the worker's listen fd. done runs
	// on main.
	StopListener(l *Listener, done func())
	// RemoveListener forgets l and closes what connections it has; done runs on main.
	RemoveListener(l *Listener, done func())
	// NumConnections is how many connections the worker has.
	NumConnections() uint64
	// WhenEmpty: done runs on main, once, as soon as the worker has no connection.
	WhenEmpty(done func())
	// Flush asks its connections to close as soon as what was read for them is written.
	Flush()
	// Info is for any thread.
	Info() startup.WorkerInfo
	// Start gives the worker its thread.
	Start()
	// InitializeStats asks the worker to measure its loop: enable_dispatcher_stats.
	InitializeStats()
	// Stop ends the thread, if there is one, and waits for it. It says how many connections were
	// still open.
	Stop() (cut int)
}

// Wire returns chapter 02's seams: chapter 01's with listeners that have sockets.
func Wire() *Seams {
	s := &Seams{Seams: startup.Wire()}
	s.Chapter.Number, s.Chapter.Name = 2, "02-listen-socket"
	s.Chapter.Try = "Next: -c envoy.yaml with a listener of your own, or chapter 03, which binds the socket."
	s.ListenerManager = func(i *startup.Instance) startup.ListenerManager { return NewListenerManager(i, s) }
	s.SetupSocket = func(lane *trace.Lane, socket *ListenSocket, bindToPort bool) error {
		later.Chapter(lane, 3, "the socket would be bound to "+socket.Address.String()+" here")
		return nil
	}
	s.NewWorker = func(*ListenerManager, int) Worker { return nil }
	s.StartWorkers = func(m *ListenerManager, done func()) {
		later.Chapter(m.lane(), 4, "the worker threads would start here")
		done()
	}
	s.ListenerFilters = func(l *Listener) error {
		if len(l.Config.GetListenerFilters()) > 0 {
			later.Chapter(l.lane(), 5, "the listener filters of "+l.Name+" would be built here")
		}
		return nil
	}
	s.BuildFilterChains = func(l *Listener) error {
		later.Chapter(l.lane(), 6, "the filter chains of "+l.Name+" would be built here")
		return nil
	}
	s.Demo = func(d *startup.Demo) {
		d.Say("Each listener has its socket; none has a port yet: nobody called bind. That is chapter 03.")
	}
	return s
}
