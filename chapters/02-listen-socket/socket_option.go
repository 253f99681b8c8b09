package listensocket

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// OptionState is the moment of a socket's life at which an option is set.
type OptionState = corev3.SocketOption_SocketState

const (
	Prebind   = corev3.SocketOption_STATE_PREBIND   // before bind
	Bound     = corev3.SocketOption_STATE_BOUND     // right after bind, on the same thread
	Listening = corev3.SocketOption_STATE_LISTENING // after listen, on the thread that listens
)

// SocketOption is one socket option, and when to set it.
//
// Envoy: Network::SocketOptionImpl
type SocketOption struct {
	Field       string // of the listener, that asks for it
	State       OptionState
	Level, Name int
	V6          [2]int // level and name on an IPv6 socket, where they differ
	Value       int
	Bytes       []byte // instead of Value
}

// buildListenSocketOptions collects what the configuration asks of the listen socket, in Envoy's
// order.
//
// Envoy: Server::ListenerImpl::buildListenSocketOptions
func (l *Listener) buildListenSocketOptions() {
	c := l.Config
	if c.GetTransparent().GetValue() {
		l.Options = append(l.Options, transparent(Prebind), transparent(Bound))
	}
	if c.GetFreebind().GetValue() {
		l.Options = append(l.Options, &SocketOption{Field: "freebind", State: Prebind, Value: 1,
			Level: kernel.IPPROTO_IP, Name: kernel.IP_FREEBIND,
			V6: [2]int{kernel.IPPROTO_IPV6, kernel.IPV6_FREEBIND}})
	}
	if l.ReusePort {
		l.Options = append(l.Options, &SocketOption{Field: "reuse_port", State: Prebind,
			Level: kernel.SOL_SOCKET, Name: kernel.SO_REUSEPORT, Value: 1})
	}
	for n, o := range c.GetSocketOptions() {
		literal := &SocketOption{Field: fmt.Sprintf("socket_options[%d]", n), State: o.GetState(),
			Level: int(o.GetLevel()), Name: int(o.GetName())}
		switch v := o.GetValue().(type) {
		case *corev3.SocketOption_IntValue:
			literal.Value = int(v.IntValue)
		case *corev3.SocketOption_BufValue:
			literal.Bytes = v.BufValue
		}
		l.Options = append(l.Options, literal)
	}
}

// transparent is set twice, before bind and after, as Envoy does.
func transparent(s OptionState) *SocketOption {
	return &SocketOption{Field: "transparent", State: s, Value: 1,
		Level: kernel.IPPROTO_IP, Name: kernel.IP_TRANSPARENT,
		V6: [2]int{kernel.IPPROTO_IPV6, kernel.IPV6_TRANSPARENT}}
}

// buildTCPFastOpen adds the option that only a listening socket takes.
//
// Envoy: Network::SocketOptionFactory::buildTcpFastOpenOptions
func (l *Listener) buildTCPFastOpen() {
	if size := l.Config.GetTcpFastOpenQueueLength(); size != nil {
		l.Options = append(l.Options, &SocketOption{Field: "tcp_fast_open_queue_length", State: Listening,
			Level: kernel.IPPROTO_TCP, Name: kernel.TCP_FASTOPEN, Value: int(size.GetValue())})
	}
}

// warnOfLostOptions says what 1.17 keeps to itself: a worker's copy of a shared socket has no options, so
// those for after listen are never set.
func (l *Listener) warnOfLostOptions() {
	for _, o := range l.Options {
		if o.State == Listening && !l.ReusePort {
			l.Log().Warn("listener '%s': %s is set after listen, and as in Envoy 1.17 never on a "+
				"socket that workers share: it needs reuse_port", l.Name, o.Field)
		}
	}
}

// set sets the option on fd, on the thread of lane.
//
// Envoy: Network::SocketOptionImpl::setSocketOption
func (o *SocketOption) set(lane *trace.Lane, s *Socket) kernel.Errno {
	level, name := o.Level, o.Name
	if o.V6[0] != 0 && s.Address.Version() == 6 {
		level, name = o.V6[0], o.V6[1]
	}
	if o.Bytes != nil {
		return kernel.SetsockoptBytes(lane, s.Handle.FD, level, name, o.Bytes)
	}
	return kernel.SetsockoptInt(lane, s.Handle.FD, level, name, o.Value)
}

// Set sets every option of the given state and returns the first that the kernel refused.
func (s *Socket) Set(lane *trace.Lane, state OptionState) (refused *SocketOption, errno kernel.Errno) {
	for _, o := range s.Options {
		if o.State != state {
			continue
		}
		if errno := o.set(lane, s); errno != 0 {
			return o, errno
		}
	}
	return nil, 0
}

// Refused is the error for an option that the kernel would not set: Envoy's sentence, then which
// and why.
func (o *SocketOption) Refused(sentence string, errno kernel.Errno) error {
	return Elsewhere("."+o.Field, fmt.Errorf("%s: option %d/%d: %w", sentence, o.Level, o.Name, errno))
}

// applyBoundOptions is the second of the three moments: right after bind.
//
// Envoy: Network::Socket::applyOptions, STATE_BOUND
func applyBoundOptions(lane *trace.Lane, s *ListenSocket, listener string) error {
	defer lane.Enter(step.ApplyBoundOptions).Exit()
	if o, errno := s.Set(lane, Bound); errno != 0 {
		return o.Refused(listener+": Setting socket options failed", errno)
	}
	return nil
}
