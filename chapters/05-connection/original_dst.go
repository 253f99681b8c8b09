package connection

import (
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
)

// originalDst finds out where the client wanted to go before a firewall rule sent it here.
//
// Envoy: ListenerFilters::OriginalDst::OriginalDstFilter
type originalDst struct{ log *log.Component }

// originalDstFactory: the filter has no state, so that one serves all.
//
// Envoy: ListenerFilters::OriginalDst::OriginalDstConfigFactory
func originalDstFactory(l *listensocket.Listener) ListenerFilterFactory {
	f := originalDst{filterLog(l)}
	return func(*ActiveTcpSocket) ListenerFilter { return f }
}

// OnAccept asks the kernel's connection tracking. A connection that it does not track has no answer
// (ENOENT, ENOPROTOOPT), and keeps its address. One that it tracks and no rule redirected has the
// address that the socket has anyway; it counts as restored all the same, as in Envoy.
//
// Envoy: ListenerFilters::OriginalDst::OriginalDstFilter::onAccept
func (f originalDst) OnAccept(s *ActiveTcpSocket) FilterStatus {
	f.log.Debug("original_dst: New connection accepted")
	if !s.Local().IsIP() {
		return Continue
	}
	if original, errno := kernel.OriginalDst(s.Lane(), s.FD(), s.Local().Family()); errno == 0 {
		s.SetLocalAddress(original, true)
	}
	return Continue
}

// OnDestroy implements ListenerFilter.
func (originalDst) OnDestroy() {}
