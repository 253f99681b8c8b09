package filterchain

import (
	_ "embed"

	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/06-filter-chain/upstream"
)

//go:embed envoy.yaml
var demoConfig string

// Seams is what this chapter leaves open, over chapter 05's.
type Seams struct {
	*connection.Seams

	// NetworkFilters are the filters that a chain may hold. 07 replaces the one that stands in for
	// its HTTP connection manager.
	NetworkFilters []NetworkFilterFactory
}

// Wire returns chapter 06's seams: chapter 05's with filters on the connections, and clusters.
func Wire() *Seams {
	s := &Seams{Seams: connection.Wire()}
	s.Chapter = startup.Chapter{Number: 6, Name: "06-filter-chain", Config: demoConfig,
		ConfigOf: "06-filter-chain", Try: tryNext}
	s.NetworkFilters = []NetworkFilterFactory{echoFactory(), directResponseFactory(), sniClusterFactory(),
		tcpProxyFactory(), httpLaterFactory()}
	s.ClusterManager = newClusterManager
	s.Chapter.CheckListener = s.checkFilterChains
	s.BuildFilterChains = func(l *listensocket.Listener) error { return buildFilterChains(s, l) }
	s.FindFilterChain = findFilterChain
	s.CreateNetworkFilterChain = createNetworkFilterChain
	demo := &demo{}
	s.Chapter.Prepare, s.Demo = demo.prepare, demo.run
	return s
}

// newClusterManager loads the clusters. An error must come without a manager.
func newClusterManager(i *startup.Instance) (startup.ClusterManager, error) {
	m, err := upstream.NewClusterManager(i, nil)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// findFilterChain asks the listener's manager. A nil chain must become a nil interface.
func findFilterChain(l *listensocket.Listener, s *connection.ActiveTcpSocket) connection.FilterChain {
	if chain := l.FilterChains.(*FilterChainManager).findFilterChain(s); chain != nil {
		return chain
	}
	return nil
}

func createNetworkFilterChain(l *listensocket.Listener, c *connection.Connection,
	chain connection.FilterChain) bool {
	return filterChainFactory(c.Lane(), l).createNetworkFilterChain(c, chain.(*FilterChain).factories)
}
