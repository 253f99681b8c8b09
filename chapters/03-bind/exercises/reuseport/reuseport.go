// Package reuseport is the exercise 03/reuseport: see task.md.
package reuseport

import (
	listensocket "envoywalk/chapters/02-listen-socket"
	bind "envoywalk/chapters/03-bind"
	"envoywalk/trace"
)

// Fill changes chapter 03's wiring: every listen socket may then share its port with another process.
//
// s.SetupSocket is what chapter 03 does with a socket that is open and has no address yet: it sets the
// options of the configuration and binds. Yours stands in its place; it may call the old one.
func Fill(s *bind.Seams) {
	setup := s.SetupSocket
	s.SetupSocket = func(lane *trace.Lane, socket *listensocket.ListenSocket, bindToPort bool) error {
		// Your code: SO_REUSEPORT on socket.Handle.FD, through the kernel door.
		// 你的代码：经过内核门，给 socket.Handle.FD 设上 SO_REUSEPORT。
		return setup(lane, socket, bindToPort)
	}
}
