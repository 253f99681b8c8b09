//go:build ignore

package listensocket

import "envoywalk/trace"

func setup(lane *trace.Lane, s *Seams, socket *ListenSocket, bindToPort bool) (*ListenSocket, error) {
	defer socket.Handle.Close(lane)
	if err := s.SetupSocket(lane, socket, bindToPort); err != nil {
		return nil, err
	}
	return socket, nil
}
