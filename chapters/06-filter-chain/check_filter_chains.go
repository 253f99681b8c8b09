package filterchain

import (
	"fmt"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/config"
	"envoywalk/internal/network"
)

// checkFilterChains finds what could not be built of a listener's chains, without a server, so that
// --mode validate does not call OK what serving would refuse. Chains without filters go into the
// same tree of rules.
//
// Envoy: Server::ValidationInstance, which builds the chains themselves
func (s *Seams) checkFilterChains(c *config.Result, l *listenerv3.Listener, path string) error {
	address, err := network.Resolve(l.GetAddress())
	if err != nil {
		return err
	}
	m := newFilterChainManager(address, nil)
	if err := m.addFilterChains(nil, l, s.checkFilterChain); err != nil {
		return listensocket.ErrorAt(c, err, l, path)
	}
	return nil
}

// checkFilterChain makes a chain that is good for nothing, if a good one could be made.
func (s *Seams) checkFilterChain(c *listenerv3.FilterChain, place string) (*FilterChain, error) {
	for n, f := range c.GetFilters() {
		here := fmt.Sprintf("%s.filters[%d]", place, n)
		factory, message, err := s.findFactory(f, here, n == len(c.GetFilters())-1)
		if err != nil {
			return nil, err
		}
		if factory.Check == nil {
			continue
		}
		if err := factory.Check(message, here+".typed_config"); err != nil {
			return nil, listensocket.Elsewhere(here+".typed_config", err)
		}
	}
	if _, err := connectTimeout(c, place); err != nil {
		return nil, err
	}
	return &FilterChain{}, nil
}
