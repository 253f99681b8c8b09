package listensocket

import (
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	startup "envoywalk/chapters/01-startup"
)

// injectionDisabled is the runtime key that keeps the TLS inspector from being added unasked.
const injectionDisabled = "envoy.reloadable_features.disable_tls_inspector_injection"

// UsesProxyProto: the first filter chain asks for the PROXY header, and thereby all do.
//
// Envoy: usesProxyProto of source/server/listener_impl.cc
func UsesProxyProto(c *listenerv3.Listener) bool {
	if chains := c.GetFilterChains(); len(chains) > 0 {
		return chains[0].GetUseProxyProto().GetValue()
	}
	return c.GetDefaultFilterChain().GetUseProxyProto().GetValue()
}

// NeedsTLSInspector: some filter chain matches what only the TLS inspector finds out, the listener
// has none, and the runtime lets it be added, which it does not by default. Main thread.
//
// Envoy: needTlsInspector of source/server/listener_impl.cc
func NeedsTLSInspector(i *startup.Instance, c *listenerv3.Listener) bool {
	chains := append(slices.Clone(c.GetFilterChains()), c.GetDefaultFilterChain())
	return slices.ContainsFunc(chains, matchesTLS) &&
		!slices.ContainsFunc(c.GetListenerFilters(), isTLSInspector) &&
		!i.Runtime.FeatureEnabled(i.Dispatcher, injectionDisabled, true)
}

func matchesTLS(f *listenerv3.FilterChain) bool {
	m := f.GetFilterChainMatch()
	asksNames := len(m.GetServerNames()) > 0 || len(m.GetApplicationProtocols()) > 0
	return m.GetTransportProtocol() == "tls" || m.GetTransportProtocol() == "" && asksNames
}

func isTLSInspector(f *listenerv3.ListenerFilter) bool {
	return f.GetName() == "envoy.filters.listener.tls_inspector" ||
		f.GetName() == "envoy.listener.tls_inspector"
}
