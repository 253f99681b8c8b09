package connection

import (
	"fmt"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	origdstv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/original_dst/v3"
	proxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	tlsinspv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"

	eventloop "envoywalk/chapters/00-event-loop"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/config"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/trace"
)

// defaultFiltersTimeout is listener_filters_timeout's.
const defaultFiltersTimeout = 15 * time.Second

// ListenerFilterFactory makes a filter for one socket; on any worker.
//
// Envoy: Network::ListenerFilterFactoryCb
type ListenerFilterFactory func(*ActiveTcpSocket) ListenerFilter

// buildListenerFilters builds a listener's factories in the order in which their filters will run:
// those configured, original_dst if use_original_dst asks for it, proxy_protocol if the first filter
// chain's use_proxy_proto does. Main thread.
//
// A chain that matches server names or protocols needs the TLS inspector. Envoy 1.17 adds it unasked
// only where the runtime sets envoy.reloadable_features.disable_tls_inspector_injection to false,
// and so is it here.
//
// Envoy: Server::ListenerImpl::createListenerFilterFactories, buildOriginalDstListenerFilter,
// buildProxyProtocolListenerFilter, buildTlsInspectorListenerFilter
func buildListenerFilters(l *listensocket.Listener) error {
	var all []ListenerFilterFactory
	for n, c := range l.Config.GetListenerFilters() {
		l.Log().Debug("  filter #%d:", n)
		l.Log().Debug("    name: %s", c.GetName())
		l.Log().Debug("  config: %v", c.GetTypedConfig())
		factory, err := createListenerFilterFactory(l, c)
		if err != nil {
			return listensocket.Elsewhere(fmt.Sprintf(".listener_filters[%d]", n), err)
		}
		all = append(all, unlessDisabled(c, factory))
	}
	if l.Config.GetUseOriginalDst().GetValue() {
		all = append(all, originalDstFactory(l))
	}
	if listensocket.UsesProxyProto(l.Config) {
		all = append(all, proxyProtocolFactory(l))
	}
	if listensocket.NeedsTLSInspector(l.Manager.Instance, l.Config) {
		l.Log().Warn("adding listener '%s': filter chain match rules require TLS Inspector listener "+
			"filter, but it isn't configured, trying to inject it (this might fail if Envoy is "+
			"compiled without it)", l.Address)
		all = append(all, tlsInspectorFactory(l))
	}
	l.ListenerFilters = all
	return setFiltersTimeout(l)
}

// setFiltersTimeout keeps whole milliseconds, as Envoy does; so one below 1 ms is none.
func setFiltersTimeout(l *listensocket.Listener) (err error) {
	l.FiltersTimeout = defaultFiltersTimeout
	if d := l.Config.GetListenerFiltersTimeout(); d != nil {
		if l.FiltersTimeout, err = config.Milliseconds(d); err != nil {
			return listensocket.Elsewhere(".listener_filters_timeout", err)
		}
	}
	return nil
}

// createListenerFilterFactory: the configuration's type says which filter it is.
//
// Envoy: Server::ProdListenerComponentFactory::createListenerFilterFactoryList_
func createListenerFilterFactory(l *listensocket.Listener,
	c *listenerv3.ListenerFilter) (ListenerFilterFactory, error) {
	message, err := config.UnpackAny(c.GetTypedConfig())
	if err != nil {
		return nil, err
	}
	switch message.(type) {
	case *origdstv3.OriginalDst:
		return originalDstFactory(l), nil
	case *tlsinspv3.TlsInspector:
		return tlsInspectorFactory(l), nil
	case *proxyv3.ProxyProtocol:
		return proxyProtocolFactory(l), nil
	}
	return nil, fmt.Errorf("Didn't find a registered implementation for name: '%s'", c.GetName())
}

func filterLog(l *listensocket.Listener) *log.Component {
	return l.Manager.Instance.Log.Component(log.Filter)
}

// waiting is a listener filter's watch over its socket. It must end before another filter, or the
// connection, watches the same fd.
type waiting struct{ event *eventloop.FileEvent }

// watch calls back for each edge, the first at once if the socket is ready now. An errno: the kernel
// would not watch it.
func (w *waiting) watch(s *ActiveTcpSocket, enabled eventloop.FileReady,
	callback func(eventloop.FileReady)) (errno kernel.Errno) {
	w.event, errno = s.Dispatcher().CreateFileEvent(s.FD(), eventloop.Edge, enabled, callback)
	return errno
}

// OnDestroy implements ListenerFilter. The filter calls it too, when it is done.
func (w *waiting) OnDestroy() {
	if w.event != nil {
		w.event.Close()
		w.event = nil
	}
}

// again repeats a receive that a signal interrupted. It cannot block, so that nobody waits for it.
func again(receive func(*trace.Lane, int, []byte) (int, kernel.Errno), s *ActiveTcpSocket,
	into []byte) (n int, errno kernel.Errno) {
	for errno = kernel.EINTR; errno == kernel.EINTR; {
		n, errno = receive(s.Lane(), s.FD(), into)
	}
	return n, errno
}
