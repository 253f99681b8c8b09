//go:build ignore

package bind

import (
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

func setupSocket(lane *trace.Lane, s *listensocket.ListenSocket, bindToPort bool) error {
	defer lane.Enter(step.SetupSocket).Of(s.Address.String()).Exit()
	if err := setListenSocketOptions(lane, s); err != nil {
		return err
	}
	if !bindToPort {
		return nil
	}
	err := listenSocketBind(lane, s)
	if err == nil {
		listenSocketBind(lane, s)
	}
	return err
}
