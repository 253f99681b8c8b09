package bind

import (
	"fmt"
	"os"

	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// socketImplBind binds, and learns the port that the kernel chose for port 0.
//
// Envoy: Network::SocketImpl::bind
func socketImplBind(lane *trace.Lane, s *listensocket.ListenSocket) (kernel.Errno, error) {
	defer lane.Enter(step.SocketImplBind).Exit()
	if s.Address.IsPipe() {
		return bindPipe(lane, s)
	}
	if errno := ioHandleBind(lane, s.Handle, s.Address); errno != 0 {
		return errno, nil
	}
	if s.Address.Port() != 0 {
		return 0, nil
	}
	bound, errno := kernel.Getsockname(lane, s.Handle.FD)
	if errno == 0 {
		s.Address = s.Address.WithPort(bound.Port())
	}
	return errno, nil
}

// bindPipe binds to a path, over what a dead process left there, and sets the path's mode before
// anybody can connect: nothing listens yet. A path that somebody still listens on is in use,
// though bind could not know: Envoy 1.17 unlinks it, and that process goes on listening where
// nobody finds it. A file that is no socket is not ours to remove.
func bindPipe(lane *trace.Lane, s *listensocket.ListenSocket) (kernel.Errno, error) {
	a := s.Address
	if a.IsAbstract() {
		return ioHandleBind(lane, s.Handle, a), nil
	}
	switch probe(lane, a) {
	case kernel.ECONNREFUSED:
		if info, err := os.Lstat(a.Path()); err == nil && info.Mode()&os.ModeSocket != 0 {
			kernel.Unlink(lane, a.Path())
		}
	case 0, kernel.EAGAIN:
		return kernel.EADDRINUSE, nil
	}
	if errno := ioHandleBind(lane, s.Handle, a); errno != 0 {
		return errno, nil
	}
	s.Path = a.Path()
	if a.Mode() == 0 {
		return 0, nil
	}
	err := osChmod(lane, a)
	if err != nil {
		kernel.Unlink(lane, a.Path())
	}
	return 0, err
}

// probe asks who is at a path: ECONNREFUSED is a socket that nobody listens on, 0 or EAGAIN (its
// queue is full) a live one.
func probe(lane *trace.Lane, a *network.Address) kernel.Errno {
	fd, errno := kernel.Socket(lane, a.Family())
	if errno != 0 {
		return errno
	}
	lane.Label(fd, "probe")
	defer kernel.Close(lane, fd)
	return kernel.Connect(lane, fd, a)
}

// ioHandleBind is the system call.
//
// Envoy: Network::IoSocketHandleImpl::bind
func ioHandleBind(lane *trace.Lane, h *listensocket.IoSocketHandle, a *network.Address) kernel.Errno {
	defer lane.Enter(step.IoHandleBind).On(h.FD).Exit()
	return kernel.Bind(lane, h.FD, a)
}

// osChmod sets the mode of a socket's path.
//
// Envoy: Api::OsSysCallsImpl::chmod
func osChmod(lane *trace.Lane, a *network.Address) error {
	defer lane.Enter(step.OsChmod).Of(a.Path()).Exit()
	if errno := kernel.Chmod(lane, a.Path(), a.Mode()); errno != 0 {
		return fmt.Errorf("Failed to create socket with mode %d: %s", a.Mode(), kernel.Describe(errno))
	}
	return nil
}
