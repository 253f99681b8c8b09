package startup

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/step"
)

// DrainStrategy is how soon connections are asked to leave once a drain has begun.
//
// Envoy: Server::DrainStrategy
type DrainStrategy int

const (
	DrainGradually   DrainStrategy = iota // ever more of those that ask, all when the drain time is over
	DrainImmediately                      // every one that asks
)

// drainManager says to whom asks whether its connection should end: the server has one, and every
// listener one of its own.
//
// Envoy: Server::DrainManagerImpl
type drainManager struct {
	instance   *Instance
	modifyOnly bool         // a server that fails health checks is no reason
	deadline   atomic.Int64 // of the drain sequence, in ns after the server's start; 0 before one began
	tick       *eventloop.Timer
	parent     *eventloop.Timer
}

// newDrainManager makes the server's own.
//
// Envoy: ProdComponentFactory::createDrainManager
func newDrainManager(i *Instance) DrainManager {
	defer i.Lane().Enter(step.CreateGlobalDrainManager).Exit()
	return &drainManager{instance: i}
}

// NewListenerDrainManager makes that of one listener. modifyOnly: only a change of the listener, or
// its removal, drains it.
func NewListenerDrainManager(i *Instance, modifyOnly bool) DrainManager {
	return &drainManager{instance: i, modifyOnly: modifyOnly}
}

// Draining reports whether a drain sequence has begun. Any thread may ask.
//
// Envoy: Server::DrainManagerImpl::draining
func (d *drainManager) Draining() bool { return d.deadline.Load() != 0 }

// DrainClose reports whether a connection that could end now should. Under the gradual strategy the
// chance grows with the time since the drain began, second by second, so that the clients do not
// all come back at once. Any thread may ask.
//
// Envoy: Server::DrainManagerImpl::drainClose
func (d *drainManager) DrainClose() bool {
	deadline := d.deadline.Load()
	switch {
	case !d.modifyOnly && d.instance.server.failing():
		return true
	case deadline == 0:
		return false
	case d.instance.Options.DrainStrategy == DrainImmediately:
		return true
	}
	left := time.Duration(deadline) - time.Since(d.instance.started)
	if left <= 0 {
		return true
	}
	elapsed := d.instance.Options.DrainTime - int(left/time.Second)
	return elapsed > rand.IntN(d.instance.Options.DrainTime)
}

// StartDrainSequence begins to drain; done runs when --drain-time-s is over. Main thread, once.
//
// Envoy: Server::DrainManagerImpl::startDrainSequence
func (d *drainManager) StartDrainSequence(done func()) {
	after := time.Duration(d.instance.Options.DrainTime) * time.Second
	d.deadline.Store(int64(time.Since(d.instance.started) + after))
	d.tick = d.instance.Dispatcher.CreateTimer("drain", done)
	d.tick.Enable(after)
}

// StartParentShutdownSequence arms the timer after which a hot-restart parent is told to go.
//
// Envoy: Server::DrainManagerImpl::startParentShutdownSequence
func (d *drainManager) StartParentShutdownSequence() {
	defer d.instance.Lane().Enter(step.StartParentShutdownSequence).Exit()
	d.parent = d.instance.Dispatcher.CreateTimer("parent shutdown", func() {
		d.instance.HotRestart.SendParentTerminateRequest()
	})
	d.parent.Enable(time.Duration(d.instance.Options.ParentShutdownTime) * time.Second)
}
