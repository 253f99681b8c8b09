package connection

import (
	"strings"

	eventloop "envoywalk/chapters/00-event-loop"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/chapters/05-connection/clienthello"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
)

// maxClientHello is how far the inspector looks, in bytes.
//
// Envoy: TlsInspector::Config::TLS_MAX_CLIENT_HELLO
const maxClientHello = 64 << 10

// tlsInspectorConfig is what all TLS inspectors of a listener share.
//
// Envoy: ListenerFilters::TlsInspector::Config
type tlsInspectorConfig struct {
	log   *log.Component
	stats tlsInspectorStats
}

// Envoy: ALL_TLS_INSPECTOR_STATS
type tlsInspectorStats struct {
	connectionClosed, clientHelloTooLarge, readError *stats.Counter
	tlsFound, tlsNotFound                            *stats.Counter
	alpnFound, alpnNotFound, sniFound, sniNotFound   *stats.Counter
}

// Envoy: ListenerFilters::TlsInspector::TlsInspectorConfigFactory
func tlsInspectorFactory(l *listensocket.Listener) ListenerFilterFactory {
	scope := l.Scope.Scope("tls_inspector.")
	config := &tlsInspectorConfig{log: filterLog(l), stats: tlsInspectorStats{
		connectionClosed:    scope.Counter("connection_closed"),
		clientHelloTooLarge: scope.Counter("client_hello_too_large"),
		readError:           scope.Counter("read_error"),
		tlsFound:            scope.Counter("tls_found"),
		tlsNotFound:         scope.Counter("tls_not_found"),
		alpnFound:           scope.Counter("alpn_found"),
		alpnNotFound:        scope.Counter("alpn_not_found"),
		sniFound:            scope.Counter("sni_found"),
		sniNotFound:         scope.Counter("sni_not_found")}}
	return func(s *ActiveTcpSocket) ListenerFilter { return &tlsInspector{config: config, socket: s} }
}

// tlsInspector looks whether a connection begins with a TLS ClientHello, and what that asks for, and
// leaves every byte in the socket: whoever gets the connection reads them again.
//
// Envoy: ListenerFilters::TlsInspector::Filter
type tlsInspector struct {
	waiting
	config *tlsInspectorConfig
	socket *ActiveTcpSocket
	read   int // bytes seen so far
}

// parseState is what a look at the socket came to.
//
// Envoy: ListenerFilters::TlsInspector::ParseState
type parseState int

const (
	parseDone     parseState = iota // TLS or not, it is known
	parseContinue                   // more must come
	parseError                      // it will never be known
)

// OnAccept looks at what is there already, and waits only if that is not enough.
//
// Envoy: ListenerFilters::TlsInspector::Filter::onAccept
func (f *tlsInspector) OnAccept(s *ActiveTcpSocket) FilterStatus {
	f.config.log.Debug("tls inspector: new connection accepted")
	state := f.onRead()
	if state == parseContinue && f.watch(s, eventloop.Read|eventloop.Closed, f.onFileEvent) != 0 {
		state = parseError
	}
	switch state {
	case parseDone:
		return Continue
	case parseError:
		s.Close()
	}
	return StopIteration
}

// onFileEvent: more came, or the client gave up.
//
// Envoy: the callback in ListenerFilters::TlsInspector::Filter::onAccept
func (f *tlsInspector) onFileEvent(ready eventloop.FileReady) {
	if ready&eventloop.Closed != 0 {
		f.config.stats.connectionClosed.Inc()
		f.done(false)
		return
	}
	if state := f.onRead(); state != parseContinue {
		f.done(state == parseDone)
	}
}

// done ends the watch first: a filter behind, or the connection, will watch the same fd.
//
// Envoy: ListenerFilters::TlsInspector::Filter::done
func (f *tlsInspector) done(success bool) {
	f.config.log.Trace("tls inspector: done: %v", success)
	f.OnDestroy()
	f.socket.ContinueFilterChain(success)
}

// onRead peeks: all that arrived is there each time, so that only more of it is worth a look. Every
// arrival is an edge of its own, though nothing is ever read here.
//
// Envoy: ListenerFilters::TlsInspector::Filter::onRead
func (f *tlsInspector) onRead() parseState {
	buf := f.socket.listener.thread.room()[:maxClientHello]
	n, errno := again(kernel.RecvPeek, f.socket, buf)
	f.config.log.Trace("tls inspector: recv: %d", n)
	switch {
	case errno == kernel.EAGAIN:
		return parseContinue
	case errno != 0:
		f.config.stats.readError.Inc()
		return parseError
	case n <= f.read:
		return parseContinue // the end of the stream: the next event says Closed
	}
	f.read = n
	return f.parseClientHello(buf[:n])
}

// room is memory for what is looked at and not kept.
func (t *Thread) room() []byte {
	if t.scratch == nil {
		t.scratch = make([]byte, scratchSize)
	}
	return t.scratch
}

// parseClientHello counts what was found and tells the socket.
//
// Envoy: ListenerFilters::TlsInspector::Filter::parseClientHello, onALPN, onServername
func (f *tlsInspector) parseClientHello(b []byte) parseState {
	hello, verdict := clienthello.Parse(b)
	stats := &f.config.stats
	switch {
	case verdict == clienthello.NotTLS:
		stats.tlsNotFound.Inc()
		return parseDone
	case verdict == clienthello.Found:
	case len(b) < maxClientHello:
		return parseContinue
	default:
		stats.clientHelloTooLarge.Inc()
		return parseError
	}
	stats.tlsFound.Inc()
	count(hello.ServerName != "", stats.sniFound, stats.sniNotFound)
	count(len(hello.Protocols) > 0, stats.alpnFound, stats.alpnNotFound)
	f.config.log.Debug("tls:onServerName(), requestedServerName: %s", hello.ServerName)
	f.socket.TransportProtocol = "tls"
	f.socket.ServerName = strings.ToLower(hello.ServerName)
	f.socket.ApplicationProtocols = hello.Protocols
	return parseDone
}

func count(found bool, yes, no *stats.Counter) {
	if found {
		yes.Inc()
	} else {
		no.Inc()
	}
}
