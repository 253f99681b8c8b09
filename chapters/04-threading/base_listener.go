package threading

import (
	eventloop "envoywalk/chapters/00-event-loop"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
)

// baseListener is a dispatcher and a socket, and the address that accepted connections have on
// our side.
//
// Envoy: Network::BaseListenerImpl
type baseListener struct {
	dispatcher *eventloop.Dispatcher
	socket     *listensocket.ListenSocket
	local      *network.Address // nil when each connection must be asked: bound to the any-address
}

// Envoy: Network::BaseListenerImpl::BaseListenerImpl
func newBaseListener(d *eventloop.Dispatcher, s *listensocket.ListenSocket) baseListener {
	defer d.Lane().Enter(step.BaseListenerImplCtor).On(s.Handle.FD).Exit()
	b := baseListener{dispatcher: d, socket: s}
	if !s.Address.IsAnyAddress() {
		b.local = s.Address
	}
	return b
}

// accepted is one accepted fd, and who is at the other end.
type accepted struct {
	fd         int
	connection uint64 // its number in this process, from 1
	cause      uint64 // the span of its accept4
	peer       kernel.Peer
}

// ioHandleAccept is the system call. The new fd gets its label at once: numbers are reused.
//
// Envoy: Network::IoSocketHandleImpl::accept
func (l *TcpListener) ioHandleAccept() (a accepted, errno kernel.Errno) {
	defer l.dispatcher.Lane().Enter(step.IoHandleAccept).On(l.socket.Handle.FD).Exit()
	lane := l.dispatcher.Lane()
	if a.fd, errno = kernel.Accept(lane, l.socket.Handle.FD, &a.peer); errno == 0 {
		a.cause = lane.LastID()
		a.connection = l.callbacks.handler.seams.process.connection.Add(1)
		lane.LabelConnection(a.fd, a.connection)
	}
	return a, errno
}

// fate is what an accept's errno means for the loop around it.
type fate int

const (
	got       fate = iota // a connection
	drained               // nobody is left: the ordinary end
	skipped               // this peer is gone or forbidden, the next may be fine
	exhausted             // no fd or memory for another
	broken                // this socket will never accept
)

func fateOf(errno kernel.Errno) fate {
	switch errno {
	case 0:
		return got
	case kernel.EAGAIN:
		return drained
	case kernel.EINTR, kernel.ECONNABORTED, kernel.EPROTO, kernel.EPERM, kernel.EOPNOTSUPP, kernel.ENETDOWN,
		kernel.ENETUNREACH, kernel.EHOSTDOWN, kernel.EHOSTUNREACH, kernel.ENOPROTOOPT, kernel.ENONET:
		return skipped
	case kernel.EBADF, kernel.EINVAL, kernel.ENOTSOCK, kernel.EFAULT:
		return broken
	}
	return exhausted // EMFILE, ENOMEM ... and what accept(2) leaves open: ETIMEDOUT, ENOSR, EACCES
}
