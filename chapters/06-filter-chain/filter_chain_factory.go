package filterchain

import (
	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// FilterChainFactory puts filters on connections. In Envoy it is an interface, and the listener
// is one itself; here it is the listener, seen so.
//
// Envoy: Network::FilterChainFactory (step: filter-chain-factory-interface)
type FilterChainFactory struct{ listener *listensocket.Listener }

// filterChainFactory is the listener's: itself.
//
// Envoy: Server::ListenerImpl::filterChainFactory
func filterChainFactory(lane *trace.Lane, l *listensocket.Listener) FilterChainFactory {
	defer lane.Enter(step.FilterChainFactory).Exit()
	return FilterChainFactory{l}
}

// createNetworkFilterChain gives a new connection its filters. False: it got none that reads. It
// may have closed the connection.
//
// Envoy: Server::ListenerImpl::createNetworkFilterChain
func (f FilterChainFactory) createNetworkFilterChain(c *connection.Connection,
	factories []FilterFactoryCb) bool {
	defer c.Lane().Enter(step.CreateNetworkFilterChain).Of(f.listener.Name).Exit()
	return buildFilterChain(c, factories)
}

// buildFilterChain has every factory add its filters, then lets these know of the connection.
//
// Envoy: Server::Configuration::FilterChainUtility::buildFilterChain
func buildFilterChain(c *connection.Connection, factories []FilterFactoryCb) bool {
	defer c.Lane().Enter(step.BuildFilterChain).Exit()
	for _, add := range factories {
		add(c)
	}
	return initializeReadFilters(c)
}
