package threading

import (
	"sync/atomic"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	bind "envoywalk/chapters/03-bind"
	"envoywalk/internal/later"
)

// Seams is what this chapter leaves open, over chapter 03's.
type Seams struct {
	*bind.Seams

	// Connections makes what an active listener gives its sockets to. Filled by 05; until then a
	// connection is closed as soon as it is accepted. The admin brings its own.
	Connections func(*ActiveTcpListener) Connections

	// ListenTrigger is how a worker watches its listen fd. It is Level, as in Envoy, and no
	// configuration changes it: the accept lab fills it, to compare.
	ListenTrigger eventloop.Trigger

	process *process
}

// Connections takes over accepted sockets, on the thread of its listener.
type Connections interface {
	OnAcceptedSocket(*AcceptedSocket) // owns the socket from here
	// Flush has each connection close as soon as all that was read is written to where it goes. New
	// sockets are closed from then on.
	Flush()
	Open() int // connections, and sockets that are none yet or none any more, whose fd is not closed
	Close()    // ends what it still has, at once
}

// process is what all threads share, by atomics.
type process struct {
	accepted   atomic.Int64  // sockets accepted and not closed: the global limit counts these
	connection atomic.Uint64 // the last connection's number
}

// Wire returns chapter 04's seams: chapter 03's with workers that listen and accept.
func Wire() *Seams {
	s := &Seams{Seams: bind.Wire(), process: &process{},
		ListenTrigger: eventloop.Level}
	s.Chapter.Number, s.Chapter.Name = 4, "04-threading"
	s.Chapter.Try = tryNext
	s.MainHandler = func(i *startup.Instance) startup.ConnectionHandler {
		return newMainConnectionHandler(i, s)
	}
	s.NewWorker = func(m *listensocket.ListenerManager, n int) listensocket.Worker {
		return createWorker(m, s, n)
	}
	s.Seams.Seams.StartWorkers = startWorkers
	s.Connections = func(l *ActiveTcpListener) Connections { return closing{l} }
	s.Demo = demo
	return s
}

// closing stands in for chapter 05.
type closing struct{ listener *ActiveTcpListener }

func (c closing) OnAcceptedSocket(s *AcceptedSocket) {
	later.Chapter(c.listener.handler.lane(), 5, "the connection would be served here; it is closed instead")
	s.Close()
}

func (closing) Flush()    {}
func (closing) Open() int { return 0 }
func (closing) Close()    {}
