package threading

import (
	"sync/atomic"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// ConnectionHandler owns one thread's active listeners, and through them its connections.
// Everything on that thread, but NumConnections.
//
// Envoy: Server::ConnectionHandlerImpl (step: worker-connection-handler), which implements
// Network::ConnectionHandler (step: connection-handler-interface). Its listeners_ are
// ActiveListenerDetails (step: active-listener-details); one kind of listener needs no such
// wrapper.
type ConnectionHandler struct {
	instance       *startup.Instance
	seams          *Seams
	dispatcher     *eventloop.Dispatcher
	listeners      []*ActiveTcpListener
	disabled       bool    // an overload action stopped accepting
	rejectFraction float64 // 0 to 1: how many of the accepted to close at once
	connections    atomic.Int64

	// Thread is a slot for chapter 05: what the connections of this thread share.
	Thread any
}

func newConnectionHandler(i *startup.Instance, s *Seams, d *eventloop.Dispatcher) *ConnectionHandler {
	return &ConnectionHandler{instance: i, seams: s, dispatcher: d}
}

// newMainConnectionHandler makes the main thread's: it only ever serves the admin's listener.
//
// Envoy: Server::ConnectionHandlerImpl::ConnectionHandlerImpl, without an index
func newMainConnectionHandler(i *startup.Instance, s *Seams) *ConnectionHandler {
	defer i.Lane().Enter(step.MainConnectionHandler).Exit()
	return newConnectionHandler(i, s, i.Dispatcher)
}

// Instance is the server.
func (h *ConnectionHandler) Instance() *startup.Instance { return h.instance }

// Dispatcher is the thread's.
func (h *ConnectionHandler) Dispatcher() *eventloop.Dispatcher { return h.dispatcher }

// Listeners are all that the thread has, stopped ones too. The slice is the handler's own.
func (h *ConnectionHandler) Listeners() []*ActiveTcpListener { return h.listeners }

// NextConnection is the next number of the process's connections, upstream ones too, as in Envoy.
func (h *ConnectionHandler) NextConnection() uint64 { return h.seams.process.connection.Add(1) }

func (h *ConnectionHandler) lane() *trace.Lane { return h.dispatcher.Lane() }

// NumConnections is how many connections the thread has. Any thread may ask.
func (h *ConnectionHandler) NumConnections() int64 { return h.connections.Load() }

// AddListener starts to listen and accept. On an error nothing stays open.
//
// Envoy: Server::ConnectionHandlerImpl::addListener
func (h *ConnectionHandler) AddListener(l *listensocket.Listener) error {
	return h.add(l, h.seams.Connections)
}

// step: create-active-udp-listener would be the other branch of add; UDP is refused by name long before.
func (h *ConnectionHandler) add(l *listensocket.Listener, c func(*ActiveTcpListener) Connections) error {
	defer h.lane().Enter(step.ConnectionHandlerAddListener).Of(l.Name).From(l, "").Exit()
	a, err := newActiveTcpListener(h, l, c)
	if err != nil {
		return err
	}
	if h.disabled {
		a.pauseListening()
	}
	a.setRejectFraction(h.rejectFraction)
	h.listeners = append(h.listeners, a)
	return nil
}

// UpdateListener lets the listener that has the tag go on with another configuration: its socket
// and its connections stay.
func (h *ConnectionHandler) UpdateListener(tag uint64, l *listensocket.Listener) {
	if a := h.byTag(tag); a != nil {
		a.updateListenerConfig(l)
	}
}

// StopListener takes who is in the kernel's queue, and closes the thread's listen fd.
//
// Envoy: Server::ConnectionHandlerImpl::stopListeners
func (h *ConnectionHandler) StopListener(tag uint64) {
	if a := h.byTag(tag); a != nil {
		a.acceptQueued()
		a.shutdownListener()
	}
}

// RemoveListener forgets a listener with all it has.
//
// Envoy: Server::ConnectionHandlerImpl::removeListeners
func (h *ConnectionHandler) RemoveListener(tag uint64) {
	for n, a := range h.listeners {
		if a.config.Tag == tag {
			h.listeners = append(h.listeners[:n], h.listeners[n+1:]...)
			a.close()
			return
		}
	}
}

// DisableListeners stops or resumes accepting on all of them; new ones follow.
//
// Envoy: Server::ConnectionHandlerImpl::disableListeners, enableListeners
func (h *ConnectionHandler) DisableListeners(stop bool) {
	h.disabled = stop
	for _, a := range h.listeners {
		if stop {
			a.pauseListening()
			continue
		}
		a.resumeListening()
	}
}

// SetRejectFraction closes that part of what is accepted from now on.
//
// Envoy: Server::ConnectionHandlerImpl::setListenerRejectFraction
func (h *ConnectionHandler) SetRejectFraction(f float64) {
	h.rejectFraction = f
	for _, a := range h.listeners {
		a.setRejectFraction(f)
	}
}

// Flush has every connection close as soon as all that was read is written.
func (h *ConnectionHandler) Flush() {
	for _, a := range h.listeners {
		a.connections.Flush()
	}
}

// Open is how many connections the thread has, with those that are on their way to it, and those that are
// over but for the last of an fd.
func (h *ConnectionHandler) Open() int {
	open := 0
	for _, a := range h.listeners {
		open += a.connections.Open()
	}
	return max(open, int(h.connections.Load()))
}

// Close ends everything the thread has.
func (h *ConnectionHandler) Close() {
	for _, a := range h.listeners {
		a.close()
	}
	h.listeners = nil
}

func (h *ConnectionHandler) byTag(tag uint64) *ActiveTcpListener {
	for _, a := range h.listeners {
		if a.config.Tag == tag {
			return a
		}
	}
	return nil
}

// AddAdminListener binds, listens and accepts on main; from the accepted fd on, serve has it.
//
// Envoy: Server::AdminImpl::startHttpListener, addListenerToHandler
func (h *ConnectionHandler) AddAdminListener(address *network.Address,
	serve func(fd int)) (*network.Address, error) {
	l, err := listensocket.NewAdminListener(h.instance, h.seams.Seams.Seams, address)
	if err != nil {
		return nil, err
	}
	share(l)
	err = h.add(l, func(*ActiveTcpListener) Connections { return handOver{serve} })
	if err != nil {
		l.Close(h.lane())
		return nil, err
	}
	return l.SocketFactory.Address, nil
}

// handOver gives the admin's sockets away.
type handOver struct{ serve func(fd int) }

func (h handOver) OnAcceptedSocket(s *AcceptedSocket) { h.serve(s.Release()) }
func (handOver) Flush()                               {}
func (handOver) Open() int                            { return 0 }
func (handOver) Close()                               {}
