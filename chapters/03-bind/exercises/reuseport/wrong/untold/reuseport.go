// Package reuseport is the exercise 03/reuseport: see task.md.
package reuseport

import (
	"syscall"

	listensocket "envoywalk/chapters/02-listen-socket"
	bind "envoywalk/chapters/03-bind"
	"envoywalk/trace"
)

// Fill changes chapter 03's wiring: every listen socket may then share its port with another process.
func Fill(s *bind.Seams) {
	setup := s.SetupSocket
	s.SetupSocket = func(lane *trace.Lane, socket *listensocket.ListenSocket, bindToPort bool) error {
		if err := syscall.SetsockoptInt(socket.Handle.FD, syscall.SOL_SOCKET, 15, 1); err != nil {
			return err
		}
		return setup(lane, socket, bindToPort)
	}
}
