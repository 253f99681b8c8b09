package listensocket

import (
	"fmt"

	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// ioHandleForAddr opens a socket fit for the address. label is what the trace calls the fd.
//
// Envoy: Network::ioHandleForAddr
func ioHandleForAddr(lane *trace.Lane, a *network.Address, label string) (*IoSocketHandle, error) {
	defer lane.Enter(step.IoHandleForAddr).Of(a.String()).Exit()
	return socketForAddress(lane, a, label)
}

// socketForAddress opens the socket and, for IPv6, always says whether it is for IPv6 only: the
// system's default is not to be relied on.
//
// Envoy: Network::SocketInterfaceImpl::socket, for an address
func socketForAddress(lane *trace.Lane, a *network.Address, label string) (*IoSocketHandle, error) {
	defer lane.Enter(step.SocketInterfaceSocketForAddress).Exit()
	handle, errno := openSocket(lane, a.Family(), label)
	switch {
	case errno == kernel.EAFNOSUPPORT && a.Version() == 6:
		return nil, fmt.Errorf("IPv6 addresses are not supported on this machine: %s", a)
	case errno != 0:
		return nil, fmt.Errorf("cannot create a socket for '%s': %w", a, errno)
	}
	if a.Version() == 6 {
		only := 0
		if a.V6only() {
			only = 1
		}
		kernel.SetsockoptInt(lane, handle.FD, kernel.IPPROTO_IPV6, kernel.IPV6_V6ONLY, only)
	}
	return handle, nil
}

// openSocket opens a non-blocking stream socket. Envoy aborts the process when the kernel
// refuses; we say so.
//
// Envoy: Network::SocketInterfaceImpl::socket
func openSocket(lane *trace.Lane, domain int, label string) (*IoSocketHandle, kernel.Errno) {
	defer lane.Enter(step.SocketInterfaceSocket).Exit()
	fd, errno := osSocket(lane, domain, label)
	if errno != 0 {
		return nil, errno
	}
	return makeSocket(lane, fd), 0
}

// osSocket is the system call. Unlike Envoy it asks for close-on-exec as well.
//
// Envoy: Api::OsSysCallsImpl::socket
func osSocket(lane *trace.Lane, domain int, label string) (int, kernel.Errno) {
	defer lane.Enter(step.OsSocket).Exit()
	fd, errno := kernel.Socket(lane, domain)
	if errno == 0 {
		lane.Label(fd, label)
	}
	return fd, errno
}

// makeSocket gives the fd its owner.
//
// Envoy: Network::SocketInterfaceImpl::makeSocket
func makeSocket(lane *trace.Lane, fd int) *IoSocketHandle {
	defer lane.Enter(step.MakeSocket).On(fd).Exit()
	return &IoSocketHandle{FD: fd}
}

// IoSocketHandle owns one fd. Later chapters add what can be done with it.
//
// Envoy: Network::IoSocketHandleImpl (step: io-socket-handle)
type IoSocketHandle struct{ FD int }

// IsOpen reports whether the handle still owns an fd.
func (h *IoSocketHandle) IsOpen() bool { return h.FD >= 0 }

// Close closes the fd, once.
//
// Envoy: Network::IoSocketHandleImpl::close
func (h *IoSocketHandle) Close(lane *trace.Lane) {
	if h.FD >= 0 {
		kernel.Close(lane, h.FD)
		h.FD = -1
	}
}
