package upstream

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/network"
	"envoywalk/internal/stats"
)

const (
	defaultConnectTimeout = 5 * time.Second // 1.17 wants it written; later Envoys have this default
	defaultBufferLimit    = 1 << 20
)

// ClusterInfo is what all threads know of a cluster. It does not change once made; the numbers in
// it are atomic.
//
// Envoy: Upstream::ClusterInfoImpl
type ClusterInfo struct {
	Name           string
	Type           clusterv3.Cluster_DiscoveryType
	Policy         clusterv3.Cluster_LbPolicy
	Metadata       *corev3.Metadata
	ConnectTimeout time.Duration
	BufferLimit    uint32 // of each buffer of a connection, in bytes; 0 is no limit
	Scope          *stats.Scope
	Stats          *ClusterStats

	choices   uint32           // that LEAST_REQUEST compares
	source    *network.Address // to bind to before connecting; nil: the kernel chooses
	options   []*listensocket.SocketOption
	resources [2]*ResourceManager
}

// Resources is the circuit breaker of a priority.
//
// Envoy: ClusterInfoImpl::resourceManager
func (c *ClusterInfo) Resources(p Priority) *ResourceManager { return c.resources[p] }

// newClusterInfo reads the part of the configuration that is not about hosts.
//
// Envoy: Upstream::ClusterInfoImpl::ClusterInfoImpl
func newClusterInfo(i *startup.Instance, c *clusterv3.Cluster) (*ClusterInfo, error) {
	name := c.GetAltStatName()
	if name == "" {
		name = c.GetName()
	}
	scope := i.Stats.Scope("cluster." + name + ".")
	info := &ClusterInfo{Name: c.GetName(), Type: c.GetType(), Policy: c.GetLbPolicy(),
		Metadata: c.GetMetadata(), Scope: scope, Stats: newClusterStats(scope), choices: 2,
		ConnectTimeout: orDefault(c.GetConnectTimeout(), defaultConnectTimeout),
		BufferLimit:    defaultBufferLimit, options: clusterSocketOptions(c)}
	if limit := c.GetPerConnectionBufferLimitBytes(); limit != nil {
		info.BufferLimit = limit.GetValue()
	}
	if choices := c.GetLeastRequestLbConfig().GetChoiceCount(); choices != nil {
		info.choices = choices.GetValue()
	}
	if bind := c.GetUpstreamBindConfig().GetSourceAddress(); bind != nil {
		address, err := network.Resolve(&corev3.Address{
			Address: &corev3.Address_SocketAddress{SocketAddress: bind}})
		if err != nil {
			return nil, err
		}
		info.source = address
	}
	info.resources = [2]*ResourceManager{
		Default: newResourceManager(i, c, scope, corev3.RoutingPriority_DEFAULT),
		High:    newResourceManager(i, c, scope, corev3.RoutingPriority_HIGH)}
	return info, nil
}

func orDefault(d *durationpb.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.AsDuration()
}
