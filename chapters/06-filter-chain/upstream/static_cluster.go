package upstream

import "envoywalk/internal/network"

// staticCluster has the hosts that the configuration names, for ever.
//
// Envoy: Upstream::StaticClusterImpl
type staticCluster struct {
	*Cluster
	configured []*Host
}

// Envoy: StaticClusterImpl::StaticClusterImpl
func newStaticCluster(c *Cluster) (*staticCluster, error) {
	s := &staticCluster{Cluster: c}
	for _, e := range c.endpoints() {
		address, err := network.Resolve(e.GetEndpoint().GetAddress())
		if err != nil {
			return nil, err
		}
		s.configured = append(s.configured, c.host(e, e.GetEndpoint().GetHostname(), address))
	}
	return s, nil
}

// Envoy: StaticClusterImpl::startPreInit
func (s *staticCluster) startPreInit() {
	s.updateHosts(s.configured, len(s.configured) > 0)
	s.onPreInitComplete()
}

func (*staticCluster) stop() {}
