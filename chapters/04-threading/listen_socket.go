package threading

import (
	"fmt"
	"strings"

	eventloop "envoywalk/chapters/00-event-loop"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// getListenSocket is what a worker really gets: a copy of the fd that main bound, or with
// reuse_port a socket of its own; the first worker then takes the one that held port 0's port.
//
// Envoy: Server::ListenSocketFactoryImpl::getListenSocket
func getListenSocket(lane *trace.Lane, f *listensocket.ListenSocketFactory,
	thread string) (*listensocket.ListenSocket, error) {
	defer lane.Enter(step.GetListenSocket).Of(f.Listener.Name).Exit()
	if f.Single {
		f.Taken.Store(true)
		return f.Socket, nil
	}
	label := f.Listener.Name + "/" + strings.Replace(thread, "worker_", "w", 1)
	if f.Listener.ReusePort && f.Address.IsIP() {
		return ownSocket(lane, f, label)
	}
	fd, errno := ioHandleDuplicate(lane, f.Socket.Handle, label)
	if errno != 0 {
		return nil, fmt.Errorf("cannot duplicate the socket of '%s': %s", f.Address, kernel.Describe(errno))
	}
	// As in Envoy the copy has no options: LISTENING ones never reach a shared socket in 1.17.
	return &listensocket.ListenSocket{Socket: listensocket.Socket{
		Handle: &listensocket.IoSocketHandle{FD: fd}, Address: f.Address}}, nil
}

// ownSocket is this worker's alone: the one that held the port, or a new one.
func ownSocket(lane *trace.Lane, f *listensocket.ListenSocketFactory,
	label string) (s *listensocket.ListenSocket, err error) {
	if s = f.Socket; s == nil || !f.Taken.CompareAndSwap(false, true) {
		s, err = f.CreateListenSocketAndApplyOptions(lane)
	}
	if err == nil {
		lane.Label(s.Handle.FD, label)
	}
	return s, err
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
	ready eventloop.FileReady, callback func(eventloop.FileReady)) (*eventloop.FileEvent, kernel.Errno) {
	defer d.Lane().Enter(step.IoHandleInitializeFileEvent).On(h.FD).Exit()
	return d.CreateFileEvent(h.FD, t, ready, callback)
}

// applyListeningOptions is the last of the three moments at which options are set.
//
// Envoy: Network::Socket::applyOptions, STATE_LISTENING
func applyListeningOptions(lane *trace.Lane, s *listensocket.ListenSocket) error {
	defer lane.Enter(step.ApplyListeningOptions).On(s.Handle.FD).Exit()
	if o, errno := s.Set(lane, listensocket.Listening); errno != 0 {
		return o.Refused("cannot set post-listen socket option on socket: "+s.Address.String(), errno)
	}
	return nil
}

// listenError is a listen, or a watch on the listening socket, that the kernel refused. Envoy 1.17
// does not notice a listen that fails: the fd then reports a hang-up for ever and its loop spins. It
// unwraps to the errno.
type listenError struct {
	what    string
	address *network.Address
	errno   kernel.Errno
}

func (e *listenError) Error() string {
	return fmt.Sprintf("cannot %s '%s': %s", e.what, e.address, kernel.Describe(e.errno))
}

func (e *listenError) Unwrap() error { return e.errno }
