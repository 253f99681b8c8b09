//go:build !linux

package witness

import "errors"

var errNotLinux = cannot("this system", errors.New("the chapters are for Linux"))

// Process is a child that is looked at.
type Process struct{ PID int }

// Open says that nothing can be looked at here.
func Open(int) (*Process, error)                { return nil, errNotLinux }
func (*Process) Close() error                   { return nil }
func (*Process) Sockets() ([]Socket, error)     { return nil, errNotLinux }
func (*Process) EpollSets() ([]EpollSet, error) { return nil, errNotLinux }
func (*Process) Fds() ([]Fd, error)             { return nil, errNotLinux }
func (*Process) Threads() ([]Thread, error)     { return nil, errNotLinux }
func (*Process) Switches(int) (uint64, error)   { return 0, errNotLinux }
func (s *Socket) Option(string) (int, error)    { return 0, errNotLinux }
func Backlog(*Socket) (int, error)              { return 0, errNotLinux }
func KnowsOption(string) bool                   { return true }
