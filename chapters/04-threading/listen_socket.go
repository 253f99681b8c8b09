package threading

import (
	"fmt"
	"strings"

	eventloop "envoywalk/chapters/00-event-loop"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// getListenSocket is what a worker really gets: a copy of the fd that main bound, or with reuse_port a socket
// of its own; the first worker then takes the one that held port 0's port.
//
// Envoy: Server::ListenSocketFactoryImpl::getListenSocket
func getListenSocket(lane *trace.Lane, f *listensocket.ListenSocketFactory, thread string) (*listensocket.ListenSocket, error) {
	defer lane.Enter(step.GetListenSocket).Of(f.Listener.Name).Exit()
	if f.Single || f.Listener.ReusePort && f.Address.IsIP() {
		if f.Socket != nil && f.Taken.CompareAndSwap(false, true) {
			return f.Socket, nil
		}
		return f.CreateListenSocketAndApplyOptions(lane)
	}
	label := f.Listener.Name + "/" + strings.Replace(thread, "worker_", "w", 1)
	fd, errno := ioHandleDuplicate(lane, f.Socket.Handle, label)
	if errno != 0 {
		return nil, fmt.Errorf("cannot duplicate the socket of '%s': %s", f.Address, kernel.Describe(errno))
	}
	// As in Envoy the copy has no options: LISTENING ones never reach a shared socket in 1.17.
	return &listensocket.ListenSocket{Socket: listensocket.Socket{
		Handle: &listensocket.IoSocketHandle{FD: fd}, Address: f.Address}}, nil
}

// ioHandleDuplicate makes a second fd for the same open socket: one queue in the kernel, many fds.
//
// Envoy: Network::IoSocketHandleImpl::duplicate
func ioHandleDuplicate(lane *trace.Lane, h *listensocket.IoSocketHandle, label string) (int, kernel.Errno) {
	defer lane.Enter(step.IoHandleDuplicate).On(h.FD).Exit()
	fd, errno := kernel.Dup(lane, h.FD)
	if errno == 0 {
		lane.Label(fd, label)
	}
	return fd, errno
}

// ioHandleListen forwards.
//
// Envoy: Network::IoSocketHandleImpl::listen
func ioHandleListen(lane *trace.Lane, h *listensocket.IoSocketHandle, backlog int) kernel.Errno {
	defer lane.Enter(step.IoHandleListen).On(h.FD).Exit()
	return osListen(lane, h.FD, backlog)
}

// osListen is the system call. Every worker repeats it on its own copy, which is harmless.
//
// Envoy: Api::OsSysCallsImpl::listen
func osListen(lane *trace.Lane, fd, backlog int) kernel.Errno {
	defer lane.Enter(step.OsListen).On(fd).Exit()
	return kernel.Listen(lane, fd, backlog)
}

// initializeFileEvent watches the handle's fd on d.
//
// Envoy: Network::IoSocketHandleImpl::initializeFileEvent
func initializeFileEvent(d *eventloop.Dispatcher, h *listensocket.IoSocketHandle, t eventloop.Trigger,
	ready eventloop.FileReady, callback func(eventloop.FileReady)) *eventloop.FileEvent {
	defer d.Lane().Enter(step.IoHandleInitializeFileEvent).On(h.FD).Exit()
	return d.CreateFileEvent(h.FD, t, ready, callback)
}

// applyListeningOptions is the last of the three moments at which options are set.
//
// Envoy: Network::Socket::applyOptions, STATE_LISTENING
func applyListeningOptions(lane *trace.Lane, s *listensocket.ListenSocket) error {
	defer lane.Enter(step.ApplyListeningOptions).On(s.Handle.FD).Exit()
	if o, errno := s.Set(lane, listensocket.Listening); errno != 0 {
		return fmt.Errorf("cannot set post-listen socket option on socket: %s: option %d/%d: %w",
			s.Address, o.Level, o.Name, errno)
	}
	return nil
}

// listenError is a listen that the kernel refused, which Envoy 1.17 does not notice: the fd then reports a
// hang-up for ever and its loop spins.
func listenError(s *listensocket.ListenSocket, errno kernel.Errno) error {
	return fmt.Errorf("cannot listen on '%s': %s", s.Address, kernel.Describe(errno))
}
