// Package witness asks the kernel about a running child, without asking the child: which sockets it
// has and what is set on them, what its epoll sets watch, which threads it has.
//
// It needs no privilege over a child of the same user. Where the kernel refuses, the error is
// ErrCannotLook: never a no.
package witness

import (
	"errors"
	"fmt"
)

// ErrCannotLook: the kernel would not tell, or this is not Linux.
var ErrCannotLook = errors.New("could not look")

func cannot(what string, err error) error { return fmt.Errorf("%w: %s: %w", ErrCannotLook, what, err) }

// Socket is one socket of the child. Two fds on one socket (dup) have one Inode.
type Socket struct {
	FD        int
	Inode     uint64
	Family    string // inet, inet6, unix
	Listening bool
	Local     string // its address, "" where it has none
	Peer      string
	options   func(level, name int) (int, error)
}

// EpollSet is one epoll set of the child: the fds it watches, with their masks.
type EpollSet struct {
	FD      int
	Watched map[int]uint32
}

// Fd is an fd of the child that is an eventfd or an epoll set.
type Fd struct {
	FD      int
	Kind    string // eventfd, eventpoll
	Counter uint64 // of an eventfd: what was written to it and nobody has read
}

// Thread is one thread of the child.
type Thread struct {
	TID  int
	Name string
}
