//go:build ignore

package listensocket

import (
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

func newNetworkListenSocket(lane *trace.Lane, s *Seams, a *network.Address,
	l *Listener) (*ListenSocket, error) {
	defer lane.Enter(step.NetworkListenSocketCtor).Of(a.String()).From(l, "").Exit()
	if _, err := ioHandleForAddr(lane, a, l.Name); err != nil {
		return nil, err
	}
	handle, err := ioHandleForAddr(lane, a, l.Name)
	if err != nil {
		return nil, err
	}
	socket := &ListenSocket{Socket{Handle: handle, Address: a, Options: l.Options}}
	socket.setPrebindSocketOptions(lane)
	return setup(lane, s, socket, l.BindToPort)
}
