//go:build ignore

package threading

func (a *ActiveTcpListener) post(from *ActiveTcpListener, s *AcceptedSocket) {
	defer from.handler.lane().Enter(step.ActiveTcpListenerPost).Exit()
	h, tag := a.handler, a.tag
	h.dispatcher.Post(from.handler.dispatcher, step.ActiveTcpListenerPost, func() {
		s.lane = h.lane()
		if there := h.byTag(tag); there == from {
			there.onAcceptWorker(s, true)
			return
		}
		s.Fail()
	})
}
