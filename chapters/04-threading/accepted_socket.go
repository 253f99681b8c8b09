package threading

import (
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// AcceptedSocket is a connection that has a socket and nothing else yet. It belongs to one thread
// at a time.
//
// Envoy: Network::AcceptedSocketImpl, a Network::ConnectionSocketImpl
// (step: connection-socket-impl) behind the interface Network::ConnectionSocket
// (step: connection-socket-interface)
type AcceptedSocket struct {
	FD            int
	Connection    uint64 // its number in this process
	Local, Remote *network.Address

	lane    *trace.Lane
	process *process
	story   trace.Story
	counted *ActiveTcpListener // where it counts as open; nil before that is chosen
}

// newAcceptedSocket learns both addresses and begins the connection's story.
//
// Envoy: Network::AcceptedSocketImpl::AcceptedSocketImpl
func newAcceptedSocket(l *TcpListener, a accepted) *AcceptedSocket {
	defer l.dispatcher.Lane().Enter(step.AcceptedSocketCtor).On(a.fd).Exit()
	lane := l.dispatcher.Lane()
	s := &AcceptedSocket{FD: a.fd, Connection: a.connection, Local: l.local, lane: lane,
		process: l.callbacks.handler.seams.process, story: lane.BeginStory(a.connection, a.cause)}
	s.process.accepted.Add(1)
	if s.Local == nil {
		s.Local, _ = kernel.Getsockname(lane, a.fd)
	}
	s.Local, s.Remote = unmapped(s.Local), unmapped(a.peer.Address())
	if l.socket.Address.IsPipe() {
		s.Remote = remoteOfPipe(lane, a.fd, s.Local)
	}
	lane.Endpoints(s.story, s.Remote, s.Local)
	return s
}

// unmapped: what a dual-stack socket calls ::ffff:1.2.3.4 is an IPv4 client.
func unmapped(a *network.Address) *network.Address {
	if a == nil {
		return nil
	}
	return a.Unmapped()
}

// remoteOfPipe: most clients of a unix socket have no name; ours then stands for both ends.
func remoteOfPipe(lane *trace.Lane, fd int, own *network.Address) *network.Address {
	peer, errno := kernel.Getpeername(lane, fd)
	if errno != 0 || peer == nil || peer.String() == "" {
		return own
	}
	return peer
}

// Story is the trace of this connection.
func (s *AcceptedSocket) Story() trace.Story { return s.story }

// Lane is that of the thread which has the socket now.
func (s *AcceptedSocket) Lane() *trace.Lane { return s.lane }

// Close closes the fd and ends the connection's story.
func (s *AcceptedSocket) Close() { s.end(false) }

// Fail is Close for a connection that could not be served.
func (s *AcceptedSocket) Fail() { s.end(true) }

func (s *AcceptedSocket) end(failed bool) {
	kernel.Close(s.lane, s.FD)
	s.FD = -1
	s.Uncount()
	s.EndStory(failed)
}

// Release gives the fd away: the caller owns it.
func (s *AcceptedSocket) Release() (fd int) {
	s.Uncount()
	s.EndStory(false)
	return s.FD
}

// Uncount takes the connection out of every limit and number. Whoever takes the fd into a connection
// of its own calls it at that connection's end, once.
func (s *AcceptedSocket) Uncount() {
	s.process.accepted.Add(-1)
	if s.counted != nil {
		s.counted.count(-1)
	}
}

// EndStory ends the connection's trace, when the last fd that belongs to it is closed.
func (s *AcceptedSocket) EndStory(failed bool) { s.lane.EndStory(s.story, failed) }

// MoveTo counts the connection for another listener of the same thread.
func (s *AcceptedSocket) MoveTo(a *ActiveTcpListener) {
	s.counted.count(-1)
	s.counted = a
	a.count(1)
}
