// Package threading is chapter 04: workers, and how a listener comes to every one of them.
//
// It follows the article's third part: workers are made on main without a thread, listeners reach
// them by post, and listen, epoll and accept happen on the worker. It also holds the main
// thread's connection handler, which serves the admin's socket with the same code.
package threading

import (
	"fmt"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/log"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// Worker is one thread with one loop, and the handler of what it accepts. Main makes, starts and
// stops it; what is to happen on its thread is posted.
//
// Envoy: Server::WorkerImpl
type Worker struct {
	name       string
	instance   *startup.Instance
	dispatcher *eventloop.Dispatcher
	handler    *ConnectionHandler
	log        *log.Component
	ended      chan struct{} // closed when the thread is gone; nil before Start
	watchdog   *eventloop.WatchDog
	cut        int // connections that the end found still open; for main when the thread is gone
}

// createWorker makes a worker that has no thread yet.
//
// Envoy: Server::ProdWorkerFactory::createWorker (step: prod-worker-factory)
func createWorker(m *listensocket.ListenerManager, s *Seams, index int) *Worker {
	defer m.Instance.Lane().Enter(step.CreateWorker).Exit()
	i := m.Instance
	d := eventloop.New(i.Lane(), fmt.Sprintf("worker_%d", index))
	d.RawWaits = true
	return newWorker(i, d, newConnectionHandler(i, s, d))
}

// newWorker makes the worker known to who will have news for it: thread-local storage, which
// posts to it at once, and the overload actions.
//
// Envoy: Server::WorkerImpl::WorkerImpl
func newWorker(i *startup.Instance, d *eventloop.Dispatcher, h *ConnectionHandler) *Worker {
	defer i.Lane().Enter(step.WorkerCtor).Of(d.Name).Exit()
	w := &Worker{name: d.Name, instance: i, dispatcher: d, handler: h, log: i.Log.Component(log.Main)}
	i.ThreadLocal.RegisterThread(i.Lane(), d)
	i.Overload.OnStopAccepting(func(stop bool) {
		d.Post(i.Dispatcher, step.None, func() { h.DisableListeners(stop) })
	})
	i.Overload.OnRejectFraction(func(f float64) {
		d.Post(i.Dispatcher, step.None, func() { h.SetRejectFraction(f) })
	})
	return w
}

// AddListener adds l on the worker's thread, later. A worker that has not started will do so
// before its first wait.
//
// Envoy: Server::WorkerImpl::addListener
func (w *Worker) AddListener(l *listensocket.Listener, done func(error)) {
	defer w.instance.Lane().Enter(step.WorkerAddListener).Of(l.Name).Exit()
	share(l)
	w.dispatcher.Post(w.instance.Dispatcher, step.WorkerAddListener, func() {
		err := w.handler.AddListener(l)
		if err != nil {
			w.log.Error("failed to add listener on worker: %v", err)
		}
		w.addListenerCompletion(func() { done(err) })
	})
}

// addListenerCompletion brings the outcome back to main, which alone counts and decides.
//
// Envoy: the completion in Server::ListenerManagerImpl::addListenerToWorker
func (w *Worker) addListenerCompletion(done func()) {
	defer w.dispatcher.Lane().Enter(step.AddListenerCompletion).Exit()
	w.instance.Dispatcher.Post(w.dispatcher, step.AddListenerCompletion, done)
}

// UpdateListener lets the worker's listener go on with another configuration.
func (w *Worker) UpdateListener(l *listensocket.Listener) {
	w.dispatcher.Post(w.instance.Dispatcher, step.None, func() { w.handler.UpdateListener(l.Tag, l) })
}

// StopListener takes who is in the kernel's queue, and closes the worker's listen fd. Its connections
// live on.
//
// Envoy: Server::WorkerImpl::stopListener
func (w *Worker) StopListener(l *listensocket.Listener, done func()) {
	w.onThread(func() { w.handler.StopListener(l.Tag) }, done)
}

// RemoveListener forgets the listener and ends its connections.
//
// Envoy: Server::WorkerImpl::removeListener
func (w *Worker) RemoveListener(l *listensocket.Listener, done func()) {
	w.onThread(func() { w.handler.RemoveListener(l.Tag) }, done)
}

// onThread runs f on the worker and then done on main.
func (w *Worker) onThread(f, done func()) {
	w.dispatcher.Post(w.instance.Dispatcher, step.None, func() {
		f()
		w.instance.Dispatcher.Post(w.dispatcher, step.None, done)
	})
}

// NumConnections is how many connections the thread has.
//
// Envoy: Server::WorkerImpl::numConnections
func (w *Worker) NumConnections() uint64 { return uint64(w.handler.NumConnections()) }

// Info is what a crash shows of the worker. Any thread may ask.
func (w *Worker) Info() startup.WorkerInfo {
	return startup.WorkerInfo{Dispatcher: w.dispatcher, Connections: w.NumConnections()}
}

// Start gives the worker its thread.
//
// Envoy: Server::WorkerImpl::start
func (w *Worker) Start() {
	defer w.instance.Lane().Enter(step.WorkerStart).Of(w.name).Exit()
	w.ended = make(chan struct{})
	w.createThread("wrk:"+w.name, w.threadRoutine)
}

// createThread starts a goroutine that owns an OS thread. The clone itself is the Go runtime's,
// made by whichever thread it likes.
//
// Envoy: Thread::ThreadFactoryImplPosix::createThread
func (w *Worker) createThread(name string, routine func(*trace.Lane)) {
	defer w.instance.Lane().Enter(step.PthreadCreate).Of(name).Exit()
	cause := w.instance.Lane().Current()
	go func() {
		defer close(w.ended)
		own := eventloop.LockThread(w.instance.Recorder, name, cause)
		routine(own)
		own.End()
	}()
}

// InitializeStats asks the worker's loop to measure itself.
//
// Envoy: Server::WorkerImpl::initializeStats
func (w *Worker) InitializeStats() {
	defer w.instance.Lane().Enter(step.WorkerInitializeStats).Exit()
	scope := w.instance.Stats.Scope("listener_manager." + w.name + ".")
	w.dispatcher.Post(w.instance.Dispatcher, step.WorkerInitializeStats, func() {
		w.dispatcher.InitializeStats(scope)
	})
}

// threadRoutine is the thread's whole life: what was posted before it began runs first.
//
// Envoy: Server::WorkerImpl::threadRoutine
func (w *Worker) threadRoutine(lane *trace.Lane) {
	defer lane.Enter(step.WorkerThreadRoutine).Of(w.name).Exit()
	w.log.Debug("worker entering dispatch loop")
	w.dispatcher.Adopt(lane)
	w.dispatcher.Post(w.dispatcher, step.None, func() {
		w.watchdog = w.instance.WorkersGuardDog.CreateWatchDog(lane, w.dispatcher, w.name)
		lane.StartupDone()
	})
	w.dispatcher.Run(lane, eventloop.Block)
	w.log.Debug("worker exited dispatch loop")
	w.instance.WorkersGuardDog.StopWatching(lane, w.dispatcher, w.watchdog)
	w.closeConnections(lane)
	w.instance.ThreadLocal.ShutdownThread(w.dispatcher)
}

// stopPatience is how long main waits for a worker's thread to end. One that stands still in a callback
// goes with the process.
const stopPatience = 5 * time.Second

// Stop ends the loop, waits for the thread, and closes the loop's fds. A worker that never
// started has only those.
//
// Envoy: Server::WorkerImpl::stop
func (w *Worker) Stop() (cut int) {
	if w.ended != nil {
		w.dispatcher.Exit(w.instance.Dispatcher)
		select {
		case <-w.ended:
		case <-time.After(stopPatience):
			w.log.Critical("%s has not ended within %v: it is left behind", w.name, stopPatience)
			return int(w.NumConnections())
		}
	}
	w.dispatcher.Close(w.instance.Lane())
	return w.cut
}
