//go:build ignore

package threading

func (a *ActiveTcpListener) onAccept(s *AcceptedSocket) {
	defer a.handler.lane().EnterStory(s.story, step.OnAccept).Exit()
	if !a.listenerConnectionLimitReached() {
		a.stats.overflow.Inc()
		s.Fail()
		return
	}
	a.onAcceptWorker(s, false)
}
