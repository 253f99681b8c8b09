package listensocket

import (
	"sync/atomic"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// ListenSocketFactory makes the sockets of one listener: one on main, of which every worker gets
// a copy, or with reuse_port one per worker.
//
// Envoy: Server::ListenSocketFactoryImpl
type ListenSocketFactory struct {
	Address  *network.Address // where it really listens: known once a socket is bound
	Listener *Listener
	// Socket is main's, nil when every worker makes its own. With reuse_port and port 0 it only
	// holds the port until the first worker takes it.
	Socket *ListenSocket
	Taken  atomic.Bool
	Single bool // the only user takes main's socket itself: the admin's

	components *ListenerComponentFactory
	kind       network.Type
}

// newListenSocketFactory decides who makes the socket. Main does without reuse_port; for port 0,
// so that there is one port to share; and for a pipe, which cannot be bound twice.
//
// Envoy: Server::ListenSocketFactoryImpl::ListenSocketFactoryImpl
func newListenSocketFactory(lane *trace.Lane, c *ListenerComponentFactory, l *Listener,
	t network.Type) (*ListenSocketFactory, error) {
	defer lane.Enter(step.ListenSocketFactoryCtor).Of(l.Name).Exit()
	f := &ListenSocketFactory{Address: l.Address, Listener: l, components: c, kind: t}
	if l.ReusePort && l.Address.IsIP() && l.Address.Port() != 0 {
		return f, nil
	}
	var err error
	if f.Socket, err = f.CreateListenSocketAndApplyOptions(lane); err != nil {
		return nil, err
	}
	f.Address = f.Socket.Address
	l.Log().Debug("Set listener %s socket factory local address to %s", l.Name, f.Address)
	return f, nil
}

// CreateListenSocketAndApplyOptions makes a bound socket, on main or, with reuse_port, on a
// worker. On an error nothing stays open.
//
// Envoy: Server::ListenSocketFactoryImpl::createListenSocketAndApplyOptions
func (f *ListenSocketFactory) CreateListenSocketAndApplyOptions(lane *trace.Lane) (*ListenSocket, error) {
	defer lane.Enter(step.CreateListenSocketAndApplyOptions).Of(f.Listener.Name).Exit()
	s, err := f.components.createListenSocket(lane, f.Address, f.kind, f.Listener)
	if err != nil {
		return nil, err
	}
	if err := applyBoundOptions(lane, s, f.Listener.Name); err != nil {
		s.Handle.Close(lane)
		return nil, err
	}
	return s, nil
}

// Close closes main's socket, if it still is main's.
func (f *ListenSocketFactory) Close(lane *trace.Lane) {
	if f.Socket != nil && !f.Taken.Load() {
		f.Socket.Handle.Close(lane)
		f.Socket = nil
	}
}

// protobufAddressSocketType: TCP makes a stream, a pipe always.
//
// Envoy: Network::Utility::protobufAddressSocketType
func protobufAddressSocketType(lane *trace.Lane, a *corev3.Address) network.Type {
	defer lane.Enter(step.ProtobufAddressSocketType).Exit()
	return network.SocketType(a)
}
