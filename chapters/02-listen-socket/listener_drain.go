package listensocket

import (
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"envoywalk/internal/network"
)

// stopped is which listeners were stopped by the operator: those that come later are not added.
//
// Envoy: Server::ListenerManager::StopListenersType
type stopped int

const (
	noneStopped stopped = iota
	inboundStopped
	allStopped
)

// includes: a listener of this direction is among them.
//
// Envoy: Server::ListenerManagerImpl::listenersStopped
func (s stopped) includes(d corev3.TrafficDirection) bool {
	return s == allStopped || s == inboundStopped && d == corev3.TrafficDirection_INBOUND
}

// StopListeners stops all listeners, or only the inbound ones. Their connections live on; who comes now
// is refused by the kernel.
//
// Envoy: Server::ListenerManagerImpl::stopListeners
func (m *ListenerManager) StopListeners(inboundOnly bool) {
	kind := allStopped
	if inboundOnly {
		kind = max(inboundStopped, m.stopped) // what was stopped stays so
	}
	m.stopListeners(kind, func() {})
}

// stopListeners runs done when every worker has stopped each of them, those too whose stop was asked for
// before.
func (m *ListenerManager) stopListeners(kind stopped, done func()) {
	m.stopped = kind
	all := &waiting{left: 1, done: done}
	for _, l := range slices.Concat(m.Active, m.draining) {
		if !kind.includes(l.Config.GetTrafficDirection()) {
			continue
		}
		all.left++
		if l.stopped {
			m.stopListener(l, all.one)
			continue
		}
		m.beginStop(l)
		m.stopListener(l, func() {
			m.Stats.Stopped.Inc()
			m.closeUnlessShared(l)
			all.one()
		})
	}
	all.one()
}

// beginStop closes main's copy of the shared fd, if every worker has its own: the last copy is then closed
// by a worker, which takes who is in the kernel's queue. Envoy closes main's last, and who is queued by
// then is reset.
func (m *ListenerManager) beginStop(l *Listener) {
	m.log.Debug("begin stop listener: name=%s", l.Name)
	l.stopped = true
	if l.heard == len(m.Workers) {
		m.closeUnlessShared(l)
	}
}

// stopListener has every worker close its listen fd; done runs on main after the last.
//
// Envoy: Server::ListenerManagerImpl::stopListener
func (m *ListenerManager) stopListener(l *Listener, done func()) {
	m.onWorkers(func(w Worker, one func()) { w.StopListener(l, one) }, done)
}

// onWorkers has f begin something on each worker that runs, and runs done when the last has called one.
func (m *ListenerManager) onWorkers(f func(w Worker, one func()), done func()) {
	all := &waiting{left: 1, done: done}
	if m.workersStarted {
		for _, w := range m.Workers {
			all.left++
			f(w, all.one)
		}
	}
	all.one()
}

// waiting runs done when as many have said so as were waited for. Only main touches it.
type waiting struct {
	left int
	done func()
}

func (w *waiting) one() {
	if w.left--; w.left == 0 {
		w.done()
	}
}

// Drain stops all listeners for good, and waits for the end of the last connection.
//
// A worker may still be sending another one a connection when that one stops. So nobody is asked
// whether he is empty before all have stopped: by then whatever was sent has arrived.
func (m *ListenerManager) Drain(stopped, empty func()) {
	m.stopListeners(allStopped, func() {
		stopped()
		m.onWorkers(Worker.WhenEmpty, empty)
	})
}

// Flush asks every connection to close as soon as what was read for it is written.
func (m *ListenerManager) Flush() {
	m.onWorkers(func(w Worker, one func()) { w.Flush(); one() }, func() {})
}

// drainListener takes a listener that has left the active ones out of service: nobody is accepted any
// more, and its connections have --drain-time-s to end.
//
// Envoy: Server::ListenerManagerImpl::drainListener
func (m *ListenerManager) drainListener(l *Listener) {
	l.stopped = true
	m.draining = append(m.draining, l)
	m.Stats.TotalDraining.Set(uint64(len(m.draining)))
	m.log.Debug("draining listener: name=%s", l.Name)
	m.stopListener(l, func() { m.closeUnlessShared(l) })
	l.Drain.StartDrainSequence(func() {
		m.log.Debug("removing draining listener: name=%s", l.Name)
		m.onWorkers(func(w Worker, one func()) { w.RemoveListener(l, one) }, func() { m.drained(l) })
	})
}

func (m *ListenerManager) drained(l *Listener) {
	m.log.Debug("draining listener removal complete: name=%s", l.Name)
	m.draining = slices.DeleteFunc(m.draining, func(other *Listener) bool { return other == l })
	m.Stats.TotalDraining.Set(uint64(len(m.draining)))
}

// closeUnlessShared closes main's socket, unless a listener that took l's place goes on with it.
//
// Envoy: Server::ListenerManagerImpl::shareSocketWithOtherListener
func (m *ListenerManager) closeUnlessShared(l *Listener) {
	for _, other := range m.Active {
		if other != l && other.SocketFactory == l.SocketFactory {
			return
		}
	}
	l.Close(m.lane())
}

// drainingTwin is the socket of a listener that drains at the address, while main still has it open:
// to bind the address again would fail. nil where there is none.
func (m *ListenerManager) drainingTwin(a *network.Address) *ListenSocketFactory {
	for _, l := range m.draining {
		f := l.SocketFactory
		if f.Socket != nil && !f.Taken.Load() && f.Address.String() == a.String() {
			return f
		}
	}
	return nil
}

// replace puts l in existing's place: first every worker adds l, then existing stops. For a moment both
// accept, on copies of one socket, and nobody is refused.
//
// Envoy: Server::ListenerManagerImpl::onListenerWarmed
func (m *ListenerManager) replace(existing, l *Listener) {
	m.addToWorkers(l)
	m.Active[slices.Index(m.Active, existing)] = l
	m.drainListener(existing)
}

// inPlaceFilterChainUpdate lets the workers' listeners go on with other filter chains. No socket is
// touched, and connections keep the chain that they have.
//
// Envoy: Server::ListenerManagerImpl::inPlaceFilterChainUpdate
func (m *ListenerManager) inPlaceFilterChainUpdate(existing, l *Listener) {
	m.Stats.InPlace.Inc()
	m.Active[slices.Index(m.Active, existing)] = l
	for _, w := range m.Workers {
		w.UpdateListener(l)
	}
}
