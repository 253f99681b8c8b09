package connection

import (
	threading "envoywalk/chapters/04-threading"
	"envoywalk/trace"
)

// Life is a downstream connection from accept to the close of the last socket that belongs to it:
// its own, or that of the upstream connection made for it. So long its story is open, and a server
// that stops waits for it. One thread's.
type Life struct {
	accepted *threading.AcceptedSocket
	listener *activeListener
	holds    int32
	failed   bool
}

func newLife(l *activeListener, s *threading.AcceptedSocket) Life {
	l.open++
	return Life{accepted: s, listener: l}
}

// Story is the trace that everything done for this connection belongs to; 0 for a nil Life.
func (l *Life) Story() trace.Story {
	if l == nil {
		return 0
	}
	return l.accepted.Story()
}

// Hold keeps the story open until Release.
func (l *Life) Hold() {
	if l != nil {
		l.holds++
	}
}

// Fail marks the story as one that sampling must keep.
func (l *Life) Fail() {
	if l != nil {
		l.failed = true
	}
}

// Release takes one Hold back; the last ends the story.
func (l *Life) Release() {
	if l == nil {
		return
	}
	if l.holds--; l.holds == 0 {
		l.listener.open--
		l.accepted.EndStory(l.failed)
	}
}
