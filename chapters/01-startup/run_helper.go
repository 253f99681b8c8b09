package startup

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// runHelper hooks what must have happened before the workers may start, and what ends the server.
//
// Envoy: Server::RunHelper
type runHelper struct {
	instance *Instance
	signals  chan os.Signal
	done     chan struct{} // asks the goroutine to end
	ended    chan struct{} // it has, and so has its lane
}

// newRunHelper: with clusters that need no waiting for, all of this, starting the workers
// included, happens in here, before the main loop runs; otherwise later, from the loop.
//
// Envoy: Server::RunHelper::RunHelper
func newRunHelper(i *Instance) *runHelper {
	defer i.Lane().Enter(step.RunHelperCtor).Exit()
	r := &runHelper{instance: i, signals: make(chan os.Signal, 8),
		done: make(chan struct{}), ended: make(chan struct{})}
	r.listenToSignals()
	i.Overload.Start()
	if i.Runtime.Integer(i.Dispatcher, GlobalConnectionLimit, NoLimit) == NoLimit {
		i.main.Warn("there is no configured limit to the number of allowed active connections. Set a " +
			"limit via the runtime key " + GlobalConnectionLimit)
	}
	i.ClusterManager.SetInitializedCb(func() {
		if i.shuttingDown() {
			return
		}
		i.main.Info("all clusters initialized. initializing init manager")
		i.InitManager.Initialize(i.runPostInitCallback)
	})
	return r
}

// runPostInitCallback runs when the init manager is done.
//
// Envoy: post_init_cb in Server::InstanceImpl::run
func (i *Instance) runPostInitCallback() {
	defer i.Lane().Enter(step.RunPostInitCallback).Exit()
	if i.shuttingDown() {
		return
	}
	i.main.Info("all dependencies initialized. starting workers")
	i.notifyCallbacksForStage(StagePostInit, func() { i.startWorkers() })
}

// caught are the signals that mean something to a server.
var caught = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP,
	syscall.SIGQUIT, syscall.SIGABRT}

// listenToSignals posts to main what the operator says. The Go runtime delivers signals to a
// goroutine; this one holds a thread and a lane of its own, so that its posts can be seen.
func (r *runHelper) listenToSignals() {
	signal.Notify(r.signals, caught...)
	cause := r.instance.Lane().Current()
	go func() {
		defer close(r.ended)
		lane := eventloop.LockThread(r.instance.Recorder, "signals", cause)
		lane.StartupDone()
		defer lane.End()
		for {
			select {
			case s := <-r.signals:
				if s == syscall.SIGQUIT || s == syscall.SIGABRT {
					r.crash(s.(syscall.Signal))
				}
				lane.ReadClock()
				r.onSignal(lane, s)
				lane.Flush()
			case <-r.done:
				return
			}
		}
	}()
}

func (r *runHelper) onSignal(lane *trace.Lane, s os.Signal) {
	i, received := r.instance, time.Now() // main may be busy: what counts is when it came
	i.Dispatcher.PostOutside(lane, "", func() {
		switch s {
		case syscall.SIGTERM:
			i.main.Warn("caught ENVOY_SIGTERM")
			i.shutdownOrHasten(received)
		case syscall.SIGINT:
			i.main.Warn("caught SIGINT")
			i.shutdownOrHasten(received)
		case syscall.SIGUSR1:
			i.main.Info("caught SIGUSR1. Reopening access logs.")
			i.reopenLogs()
		case syscall.SIGHUP:
			i.main.Warn("caught and eating SIGHUP. See documentation for how to hot restart.")
		}
	})
}

// crash tells what every thread is doing and ends the process, without asking any other thread for
// anything: one of them may be stuck. The runtime's own answer to the signal follows: every
// goroutine's stack, and exit status 2.
//
// Envoy: SignalAction::sigHandler
func (r *runHelper) crash(s syscall.Signal) {
	r.instance.writeThreads(os.Stderr, s.String())
	signal.Reset(s)
	syscall.Kill(os.Getpid(), s)
	select {}
}

func (i *Instance) reopenLogs() {
	if err := i.Log.Reopen(); err != nil {
		i.main.Error("cannot reopen the log: %v", err)
	}
	i.AccessLogs.Reopen()
	i.sinks.Reopen()
}

// close ends the goroutine. The signals stay caught, and now have no effect: everything is being
// closed already. Only those of a crash are the Go runtime's again.
func (r *runHelper) close() {
	close(r.done)
	<-r.ended
	signal.Reset(syscall.SIGQUIT, syscall.SIGABRT)
}

// releaseSignals gives the signals back to whoever had them before. Last of all.
func releaseSignals() { signal.Reset(caught...) }
