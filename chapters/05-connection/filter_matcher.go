package connection

import (
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

// listenerFilterMatcher says for which sockets a listener filter is disabled. It never changes, and
// any worker may ask.
//
// Envoy: Network::ListenerFilterMatcher
type listenerFilterMatcher func(*ActiveTcpSocket) bool

// newListenerFilterMatcher builds what filter_disabled says; nil, for no socket, if it says nothing.
//
// Envoy: Network::ListenerFilterMatcherBuilder::buildListenerFilterMatcher
func newListenerFilterMatcher(c *listenerv3.ListenerFilterChainMatchPredicate) listenerFilterMatcher {
	switch rule := c.GetRule().(type) {
	case *listenerv3.ListenerFilterChainMatchPredicate_AnyMatch:
		return func(*ActiveTcpSocket) bool { return true }
	case *listenerv3.ListenerFilterChainMatchPredicate_NotMatch:
		inner := newListenerFilterMatcher(rule.NotMatch)
		return func(s *ActiveTcpSocket) bool { return !inner(s) }
	case *listenerv3.ListenerFilterChainMatchPredicate_AndMatch:
		return combined(rule.AndMatch.GetRules(), false)
	case *listenerv3.ListenerFilterChainMatchPredicate_OrMatch:
		return combined(rule.OrMatch.GetRules(), true)
	case *listenerv3.ListenerFilterChainMatchPredicate_DestinationPortRange:
		return destinationPortMatcher(rule.DestinationPortRange)
	}
	return nil
}

// combined asks one rule after the other until one answers `decides`, which then is the answer.
//
// Envoy: Network::ListenerFilterAndMatcher, ListenerFilterOrMatcher
func combined(rules []*listenerv3.ListenerFilterChainMatchPredicate, decides bool) listenerFilterMatcher {
	var all []listenerFilterMatcher
	for _, r := range rules {
		all = append(all, newListenerFilterMatcher(r))
	}
	return func(s *ActiveTcpSocket) bool {
		decided := slices.ContainsFunc(all, func(m listenerFilterMatcher) bool { return m(s) == decides })
		return decided == decides
	}
}

// destinationPortMatcher: from start to before end. A Unix socket has no port, and matches.
//
// Envoy: Network::ListenerFilterDstPortMatcher
func destinationPortMatcher(r *typev3.Int32Range) listenerFilterMatcher {
	return func(s *ActiveTcpSocket) bool {
		port := int32(s.Local().Port())
		return !s.Local().IsIP() || r.GetStart() <= port && port < r.GetEnd()
	}
}

// genericListenerFilter is a filter that some sockets are passed by.
//
// Envoy: Server::ConnectionHandlerImpl::ActiveTcpSocket::GenericListenerFilter
type genericListenerFilter struct {
	ListenerFilter
	disabled listenerFilterMatcher
}

// OnAccept asks when the filter's turn has come: a filter before it may have changed the address.
//
// Envoy: GenericListenerFilter::onAccept, isDisabled
func (f *genericListenerFilter) OnAccept(s *ActiveTcpSocket) FilterStatus {
	if f.disabled(s) {
		return Continue
	}
	return f.ListenerFilter.OnAccept(s)
}

// unlessDisabled wraps a factory if filter_disabled says anything.
func unlessDisabled(c *listenerv3.ListenerFilter, factory ListenerFilterFactory) ListenerFilterFactory {
	disabled := newListenerFilterMatcher(c.GetFilterDisabled())
	if disabled == nil {
		return factory
	}
	return func(s *ActiveTcpSocket) ListenerFilter { return &genericListenerFilter{factory(s), disabled} }
}
