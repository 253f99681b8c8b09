package filterchain

import (
	snicv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/sni_cluster/v3"
	"google.golang.org/protobuf/proto"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
)

// SniClusterFilter makes the name that the client asked for by SNI the cluster's name, so that
// tcp_proxy behind it goes there. tls_inspector must have found the name.
//
// Envoy: Extensions::NetworkFilters::SniCluster::SniClusterFilter
type SniClusterFilter struct{ callbacks *ReadFilterCallbacks }

// sniClusterFactory is the factory of sni_cluster.
//
// Envoy: Extensions::NetworkFilters::SniCluster::SniClusterNetworkFilterConfigFactory
func sniClusterFactory() NetworkFilterFactory {
	return NetworkFilterFactory{Name: "envoy.filters.network.sni_cluster", Config: &snicv3.SniCluster{},
		Create: func(*FactoryContext, proto.Message) (FilterFactoryCb, error) {
			return func(c *connection.Connection) { AddReadFilter(c, &SniClusterFilter{}) }, nil
		}}
}

// InitializeReadFilterCallbacks implements ReadFilter.
func (f *SniClusterFilter) InitializeReadFilterCallbacks(r *ReadFilterCallbacks) { f.callbacks = r }

// OnNewConnection leaves the name. A client that asked for none changes nothing.
//
// Envoy: Extensions::NetworkFilters::SniCluster::SniClusterFilter::onNewConnection
func (f *SniClusterFilter) OnNewConnection() FilterStatus {
	c := f.callbacks.Connection()
	sni := c.Info.RequestedServerName
	c.Thread.Log.Trace("[C%d] sni_cluster: new connection with server name %s", c.ID, sni)
	if sni == "" {
		return Continue
	}
	if c.Info.FilterState == nil {
		c.Info.FilterState = map[string]string{}
	}
	c.Info.FilterState[perConnectionCluster] = sni
	return Continue
}

// OnData lets everything pass.
func (f *SniClusterFilter) OnData(*buffer.Buffer, bool) FilterStatus { return Continue }
