package bind

import (
	"fmt"

	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// setupSocket makes an open socket ready to listen. On an error the caller closes it.
//
// Envoy: Network::ListenSocketImpl::setupSocket
func setupSocket(lane *trace.Lane, s *listensocket.ListenSocket, bindToPort bool) error {
	defer lane.Enter(step.SetupSocket).Of(s.Address.String()).Exit()
	if err := setListenSocketOptions(lane, s); err != nil {
		return err
	}
	if !bindToPort {
		return nil
	}
	return listenSocketBind(lane, s)
}

// setListenSocketOptions is the first of the three moments at which options are set.
//
// Envoy: Network::ListenSocketImpl::setListenSocketOptions
func setListenSocketOptions(lane *trace.Lane, s *listensocket.ListenSocket) error {
	defer lane.Enter(step.SetListenSocketOptions).Exit()
	if o, errno := s.Set(lane, listensocket.Prebind); errno != 0 {
		return o.Refused("ListenSocket: Setting socket options failed", errno)
	}
	return nil
}

// SocketBindError is a bind that the kernel refused. It unwraps to the errno.
//
// Envoy: Network::SocketBindException
type SocketBindError struct {
	Address *network.Address
	Errno   kernel.Errno
}

func (e *SocketBindError) Error() string {
	return fmt.Sprintf("cannot bind '%s': %s", e.Address, kernel.Describe(e.Errno))
}

// Unwrap returns the errno.
func (e *SocketBindError) Unwrap() error { return e.Errno }

// listenSocketBind binds and says what was wrong in Envoy's words.
//
// Envoy: Network::ListenSocketImpl::bind
func listenSocketBind(lane *trace.Lane, s *listensocket.ListenSocket) error {
	defer lane.Enter(step.ListenSocketBind).Of(s.Address.String()).Exit()
	errno, err := socketImplBind(lane, s)
	if errno != 0 {
		return &SocketBindError{s.Address, errno}
	}
	return err
}
