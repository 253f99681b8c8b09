package startup

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
)

// flushTimeout is how long a stop waits for peers to take what was already read for them. One that
// takes nothing cannot hold the exit longer.
const flushTimeout = 5 * time.Second

// hasteTimeout is how long a hastened stop waits for a worker to answer at all.
const hasteTimeout = time.Second

// sameSignal is how soon after the first a signal is still the same wish: timeout(1) and some
// supervisors signal a process and then its whole group.
const sameSignal = 100 * time.Millisecond

// shutdown is a stop that is going on. The main loop runs on meanwhile: the admin answers, and
// another signal hastens the end.
//
//	stopping   no worker accepts any more: each first takes who is in the kernel's queue
//	draining   with --shutdown-drain-time-s: connections go on, until none is left or time is up
//	flushing   each connection closes as soon as what was read for it is written
//
// Without a connection it is over as soon as every worker has said so.
type shutdown struct {
	instance *Instance
	began    time.Time
	timer    *eventloop.Timer // ends the phase that is going on
	stopped  bool             // no worker accepts any more
	hastened bool
	over     bool
}

// Shutdown stops the server, once: it stops accepting, lets connections finish for as long as
// --shutdown-drain-time-s says, lets every byte that was read be written, and ends the main loop.
// It returns at once.
//
// Envoy: Server::InstanceImpl::shutdown, which ends the main loop here and now
func (i *Instance) Shutdown() {
	if i.stop != nil {
		return
	}
	i.main.Info("shutting down server instance")
	i.stop = &shutdown{instance: i, began: time.Now()}
	i.HotRestart.SendParentTerminateRequest()
	i.server.fail(true)
	i.server.state.Set(uint64(i.State()))
	i.stop.after(flushTimeout, i.stop.unheard)
	i.ListenerManager.Drain(i.stop.drain, i.stop.end)
}

// shutdownOrHasten is what SIGTERM and SIGINT ask for.
func (i *Instance) shutdownOrHasten(received time.Time) {
	if i.stop != nil {
		i.stop.hasten(received)
		return
	}
	i.Shutdown()
}

// shuttingDown: whatever was about to start should not.
func (i *Instance) shuttingDown() bool { return i.stop != nil }

// drain begins when no worker accepts any more.
func (s *shutdown) drain() {
	s.stopped = true
	if s.hastened || s.over {
		s.end()
		return
	}
	n := s.instance.Options.ShutdownDrainTime
	if n == 0 {
		s.flush()
		return
	}
	s.instance.main.Info("draining connections for up to %d s", n)
	s.after(time.Duration(n)*time.Second, s.cutOff)
}

// cutOff: the drain time is over, and not every connection is.
func (s *shutdown) cutOff() {
	if n := s.instance.ListenerManager.NumConnections(); n > 0 {
		s.instance.main.Warn("%d connection(s) are still open after the drain time: closing them, with what "+
			"was read for them", n)
	}
	s.flush()
}

// flush comes after the drain time.
func (s *shutdown) flush() {
	s.after(flushTimeout, s.giveUp)
	s.instance.ListenerManager.Flush()
}

// after bounds the phase that begins.
func (s *shutdown) after(d time.Duration, next func()) {
	if s.timer != nil {
		s.timer.Disable()
	}
	s.timer = s.instance.Dispatcher.CreateTimer("shutdown", next)
	s.timer.Enable(d)
}

// unheard: a worker stands still, and does not even stop accepting.
func (s *shutdown) unheard() {
	s.instance.main.Error("not every worker has stopped accepting: shutting down without waiting for it")
	s.end()
}

func (s *shutdown) giveUp() {
	s.instance.main.Warn("%d connection(s) did not take what was read for them within %v: closing them",
		s.instance.ListenerManager.NumConnections(), flushTimeout)
	s.end()
}

// hasten is a second signal: what has not finished is cut off, and the exit status tells.
func (s *shutdown) hasten(received time.Time) {
	if s.over || s.hastened || received.Sub(s.began) < sameSignal {
		return
	}
	s.hastened = true
	s.instance.main.Warn("another signal hastens the shutdown: closing what is still open")
	if s.stopped {
		s.end()
		return
	}
	s.after(hasteTimeout, s.unheard)
}

// end ends the main loop, when whoever asked to be told of it is done.
func (s *shutdown) end() {
	if s.over {
		return
	}
	s.over = true
	s.timer.Disable()
	i := s.instance
	i.notifyCallbacksForStage(StageShutdownExit, func() { i.Dispatcher.Exit(i.Dispatcher) })
}

// wasCutShort: a second signal ended connections that were still at work. An exit status of 0 would
// say that all went well.
func (i *Instance) wasCutShort() bool { return i.stop != nil && i.stop.hastened && i.cut > 0 }
