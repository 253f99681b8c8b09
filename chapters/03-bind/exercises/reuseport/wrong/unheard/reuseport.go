// Package reuseport is the exercise 03/reuseport: see task.md.
package reuseport

import (
	listensocket "envoywalk/chapters/02-listen-socket"
	bind "envoywalk/chapters/03-bind"
	"envoywalk/internal/kernel"
	"envoywalk/trace"
)

// Fill changes chapter 03's wiring: every listen socket may then share its port with another process.
func Fill(s *bind.Seams) {
	setup := s.SetupSocket
	s.SetupSocket = func(lane *trace.Lane, socket *listensocket.ListenSocket, bindToPort bool) error {
		errno := kernel.SetsockoptInt(lane, socket.Handle.FD, kernel.SOL_SOCKET, kernel.SO_REUSEPORT, 1)
		if errno != 0 {
			return errno
		}
		return setup(nil, socket, bindToPort)
	}
}
