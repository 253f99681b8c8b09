package listensocket

import (
	"fmt"

	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// ListenerComponentFactory makes what listeners are made of.
//
// Envoy: Server::ProdListenerComponentFactory (step: prod-listener-component-factory)
type ListenerComponentFactory struct {
	instance *startup.Instance
	seams    *Seams
}

// createListenSocket asks a hot-restart parent for the socket first, and opens one otherwise:
// always for a pipe, for IP only where main owns the socket.
//
// Envoy: Server::ProdListenerComponentFactory::createListenSocket
func (f *ListenerComponentFactory) createListenSocket(lane *trace.Lane, a *network.Address, t network.Type,
	l *Listener) (*ListenSocket, error) {
	defer lane.Enter(step.CreateListenSocket).Of(a.String()).Exit()
	if t != network.Stream {
		// step: udp-listen-socket would come in here, and UDP is not part of the walk.
		return nil, fmt.Errorf("socket type %s not supported: UDP listeners are not rebuilt", t)
	}
	if a.IsPipe() || l.BindToPort && !l.ReusePort {
		if fd := f.instance.HotRestart.DuplicateParentListenSocket(a.ListenURL()); fd >= 0 {
			return adopted(lane, fd, a, l)
		}
	}
	if a.IsPipe() {
		return newUdsListenSocket(lane, f.seams, a, l)
	}
	return newNetworkListenSocket(lane, f.seams, a, l)
}

// adopted takes over a parent's socket. It is bound already; an IP socket gets its options once
// more, because ours may not be the parent's.
func adopted(lane *trace.Lane, fd int, a *network.Address, l *Listener) (*ListenSocket, error) {
	lane.Label(fd, l.Name)
	s := &ListenSocket{Socket{Handle: &IoSocketHandle{FD: fd}, Address: a}}
	if a.IsPipe() {
		return s, nil
	}
	s.Options = l.Options
	if o, errno := s.Set(lane, Prebind); errno != 0 {
		s.Handle.Close(lane)
		return nil, o.Refused("ListenSocket: Setting socket options failed", errno)
	}
	return s, nil
}

// ListenSocket is a socket that will listen.
//
// Envoy: Network::ListenSocketImpl (step: listen-socket-impl); Network::TcpListenSocket
// (step: tcp-listen-socket)
type ListenSocket struct{ Socket }

// Socket is a handle, an address and options: what every kind of socket has.
//
// Envoy: Network::SocketImpl (step: socket-impl), behind the interface Network::Socket
// (step: network-socket)
type Socket struct {
	Handle  *IoSocketHandle
	Address *network.Address // local; the true one once bound
	Options []*SocketOption
	Path    string // the file that bind made, if it made one
}

// newNetworkListenSocket opens a TCP socket and sets it up: on the thread that will own it,
// mostly main.
//
// Envoy: Network::NetworkListenSocket::NetworkListenSocket
func newNetworkListenSocket(lane *trace.Lane, s *Seams, a *network.Address,
	l *Listener) (*ListenSocket, error) {
	defer lane.Enter(step.NetworkListenSocketCtor).Of(a.String()).From(l, "").Exit()
	handle, err := ioHandleForAddr(lane, a, l.Name)
	if err != nil {
		return nil, err
	}
	socket := &ListenSocket{Socket{Handle: handle, Address: a, Options: l.Options}}
	socket.setPrebindSocketOptions(lane)
	return setup(lane, s, socket, l.BindToPort)
}

// newUdsListenSocket opens a unix socket. It gets no options before bind.
//
// Envoy: Network::UdsListenSocket::UdsListenSocket
func newUdsListenSocket(lane *trace.Lane, s *Seams, a *network.Address,
	l *Listener) (*ListenSocket, error) {
	defer lane.Enter(step.UdsListenSocketCtor).Of(a.String()).From(l, "").Exit()
	handle, err := ioHandleForAddr(lane, a, l.Name)
	if err != nil {
		return nil, err
	}
	socket, err := setup(lane, s, &ListenSocket{Socket{Handle: handle, Address: a}}, true)
	if err == nil && socket.Path != "" {
		l.Manager.Instance.OnRefusal(func() { kernel.Unlink(lane, socket.Path) })
	}
	return socket, err
}

func setup(lane *trace.Lane, s *Seams, socket *ListenSocket, bindToPort bool) (*ListenSocket, error) {
	if err := s.SetupSocket(lane, socket, bindToPort); err != nil {
		socket.Handle.Close(lane)
		return nil, err
	}
	return socket, nil
}

// setPrebindSocketOptions: a restart must not wait for the connections of the last run to be
// forgotten.
//
// Envoy: Network::NetworkListenSocket<Stream>::setPrebindSocketOptions
func (s *ListenSocket) setPrebindSocketOptions(lane *trace.Lane) {
	defer lane.Enter(step.SetPrebindSocketOptions).Exit()
	kernel.SetsockoptInt(lane, s.Handle.FD, kernel.SOL_SOCKET, kernel.SO_REUSEADDR, 1)
}
