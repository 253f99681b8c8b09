package threading

import (
	"runtime"

	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/step"
)

// startWorkers gives every listener to every worker, and every worker its thread. Main thread;
// returns at once. done runs on main, once, when each listener was added, or was not, on each
// worker.
//
// Inside the loop nothing is listened on yet: addListenerToWorker only posts.
//
// Envoy: Server::ListenerManagerImpl::startWorkers
func startWorkers(m *listensocket.ListenerManager, done func()) {
	defer m.Instance.Lane().Enter(step.ListenerManagerStartWorkers).Exit()
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), len(m.Workers)+1))
	pending := &countdown{m, len(m.Workers) * len(m.Active), done}
	for _, w := range m.Workers {
		for _, l := range m.Active {
			addListenerToWorker(m, w, l, pending.one)
		}
		w.Start()
		if m.Instance.Bootstrap().GetEnableDispatcherStats() {
			w.InitializeStats()
		}
	}
	pending.fireIfZero() // no listener: nobody else would
}

// addListenerToWorker asks the worker, and lets the manager know how it went. completion runs
// after that.
//
// Envoy: Server::ListenerManagerImpl::addListenerToWorker
func addListenerToWorker(m *listensocket.ListenerManager, w listensocket.Worker, l *listensocket.Listener,
	completion func()) {
	defer m.Instance.Lane().Enter(step.AddListenerToWorker).Of(l.Name).Exit()
	w.AddListener(l, func(err error) {
		m.AddedToWorker(l, err)
		completion()
	})
}

// countdown runs done at zero. Only main touches it.
type countdown struct {
	manager *listensocket.ListenerManager
	left    int
	done    func()
}

// one listener on one worker is settled, well or not.
//
// Envoy: the countdown in Server::ListenerManagerImpl::startWorkers
func (c *countdown) one() {
	defer c.manager.Instance.Lane().Enter(step.ListenersPendingInit).Exit()
	c.left--
	c.fireIfZero()
}

func (c *countdown) fireIfZero() {
	if c.left == 0 {
		c.done()
	}
}
