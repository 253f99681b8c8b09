//go:build ignore

package threading

func (a *ActiveTcpListener) onAcceptWorker(s *AcceptedSocket, rebalanced bool) {
	defer a.handler.lane().EnterStory(s.story, step.OnAcceptWorker).Exit()
	if !rebalanced {
		s.counted = a.pickTargetHandler()
	}
	a.connections.OnAcceptedSocket(s)
}
