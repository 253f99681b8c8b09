package connection

import (
	eventloop "envoywalk/chapters/00-event-loop"
	threading "envoywalk/chapters/04-threading"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/log"
	"envoywalk/trace"
)

// freeSlabs is how many slabs of 16 KiB a thread keeps for the next read: 4 MiB.
const freeSlabs = 256

// Thread is what all connections of one thread share. It belongs to that thread.
type Thread struct {
	Dispatcher *eventloop.Dispatcher
	Slabs      *buffer.Pool
	Log        *log.Component
	NextID     func() uint64 // the next number of the process's connections

	hasty   bool // the server stops: they wait no longer than for what was sent to arrive
	scratch []byte
}

// Lane is the thread's.
func (t *Thread) Lane() *trace.Lane { return t.Dispatcher.Lane() }

// threadOf is what the connections of a handler's thread share; the first who asks makes it.
func threadOf(h *threading.ConnectionHandler) *Thread {
	if h.Thread == nil {
		h.Thread = &Thread{Dispatcher: h.Dispatcher(), Slabs: buffer.NewPool(freeSlabs),
			Log: h.Instance().Log.Component(log.Connection), NextID: h.NextConnection}
	}
	return h.Thread.(*Thread)
}
