package connection

import (
	"errors"
	"net/netip"

	eventloop "envoywalk/chapters/00-event-loop"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/chapters/05-connection/proxyproto"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
	"envoywalk/internal/stats"
)

// proxyProtocolConfig is what all PROXY protocol filters of a listener share.
//
// Envoy: ListenerFilters::ProxyProtocol::Config
type proxyProtocolConfig struct {
	log    *log.Component
	errors *stats.Counter
}

// Envoy: ListenerFilters::ProxyProtocol::ProxyProtocolConfigFactory
func proxyProtocolFactory(l *listensocket.Listener) ListenerFilterFactory {
	config := &proxyProtocolConfig{filterLog(l), l.Scope.Counter("downstream_cx_proxy_proto_error")}
	return func(s *ActiveTcpSocket) ListenerFilter { return &proxyProtocol{config: config, socket: s} }
}

// proxyProtocol takes the PROXY header off a connection and gives the socket the addresses in it.
// Not a byte behind the header is read: those are the connection's.
//
// Envoy: ListenerFilters::ProxyProtocol::Filter
type proxyProtocol struct {
	waiting
	config *proxyProtocolConfig
	socket *ActiveTcpSocket
	header proxyproto.Header // Length is 0 until it is known; Extensions are those still to be read
	read   int               // bytes of the header taken out of the socket so far
	buf    [proxyproto.MaxHeader]byte
}

var (
	errTryAgain = errors.New("the socket has no more for now")
	errNoBytes  = errors.New("failed to read proxy protocol (no bytes read)")
	errRemote   = errors.New("failed to read proxy protocol (remote closed)")
	errWatch    = errors.New("failed to read proxy protocol (the kernel cannot watch the socket)")
)

// OnAccept always waits: a header is required.
//
// Envoy: ListenerFilters::ProxyProtocol::Filter::onAccept
func (f *proxyProtocol) OnAccept(s *ActiveTcpSocket) FilterStatus {
	f.config.log.Debug("proxy_protocol: New connection accepted")
	if f.watch(s, eventloop.Read, f.onRead) != 0 {
		f.failed(errWatch)
		s.Close()
	}
	return StopIteration
}

// onRead ends the watch once there is no more to wait for: a filter behind, or the connection, will
// watch the same fd.
//
// Envoy: ListenerFilters::ProxyProtocol::Filter::onRead
func (f *proxyProtocol) onRead(eventloop.FileReady) {
	err := f.onReadWorker()
	if err == errTryAgain {
		return
	}
	if err != nil {
		f.failed(err)
	}
	f.OnDestroy()
	f.socket.ContinueFilterChain(err == nil)
}

func (f *proxyProtocol) failed(err error) {
	f.config.errors.Inc()
	f.config.log.Debug("%v", err)
}

// onReadWorker goes on where it left off when the socket had no more: in the header, or in its
// extensions.
//
// Envoy: ListenerFilters::ProxyProtocol::Filter::onReadWorker
func (f *proxyProtocol) onReadWorker() error {
	if err := f.readProxyHeader(); err != nil {
		return err
	}
	if err := f.readExtensions(); err != nil {
		return err
	}
	if f.header.Local {
		return nil
	}
	if local := addressOf(f.header.Destination); local.String() != f.socket.Local().String() {
		f.socket.SetLocalAddress(local, true)
	}
	f.socket.SetRemoteAddress(addressOf(f.header.Source))
	return nil
}

// readProxyHeader peeks, and takes out only what is known to be header. It reads on until the
// socket has no more, because an edge is told once and the end of the stream may have come with it.
//
// Envoy: ListenerFilters::ProxyProtocol::Filter::readProxyHeader
func (f *proxyProtocol) readProxyHeader() error {
	for f.header.Length == 0 {
		n, errno := again(kernel.RecvPeek, f.socket, f.buf[f.read:])
		switch {
		case errno == kernel.EAGAIN:
			return errTryAgain
		case errno != 0 || n == 0:
			return errNoBytes
		}
		header, err := proxyproto.Parse(f.buf[:f.read+n])
		switch err {
		case nil:
			n = header.Length - f.read
		case proxyproto.ErrNeedMore:
		default:
			return err
		}
		got, errno := again(kernel.Recv, f.socket, f.buf[f.read:f.read+n])
		if errno != 0 || got == 0 {
			return errRemote
		}
		if f.read += got; err == nil && got == n {
			f.header = header
		}
	}
	return nil
}

// readExtensions takes out what follows the addresses and still belongs to the header. The end of
// the stream in there is an error; Envoy 1.17 asks again for ever.
//
// Envoy: ListenerFilters::ProxyProtocol::Filter::readExtensions, parseExtensions
func (f *proxyProtocol) readExtensions() error {
	for f.header.Extensions > 0 {
		room := f.buf[:min(len(f.buf), f.header.Extensions)] // nobody needs the header any more
		n, errno := again(kernel.Recv, f.socket, room)
		switch {
		case errno == kernel.EAGAIN:
			return errTryAgain
		case errno != 0 || n == 0:
			return errRemote
		}
		f.header.Extensions -= n
	}
	return nil
}

// addressOf: what the header could say is an address, so that it parses.
func addressOf(a netip.AddrPort) *network.Address {
	address, _ := network.ParseInternetAddress(a.Addr().String(), a.Port(), true)
	return address
}
