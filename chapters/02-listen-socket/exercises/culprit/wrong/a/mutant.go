//go:build ignore

package listensocket

import (
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

func (s *ListenSocket) setPrebindSocketOptions(lane *trace.Lane) {
	defer lane.Enter(step.SetPrebindSocketOptions).Exit()
	kernel.SetsockoptInt(lane, s.Handle.FD, kernel.SOL_SOCKET, kernel.SO_REUSEPORT, 1)
}
