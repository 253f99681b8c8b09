package upstream

import (
	"cmp"
	"slices"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	startup "envoywalk/chapters/01-startup"
)

// overprovisioningFactor is Envoy's default, in percent. It only matters to unhealthy hosts.
const overprovisioningFactor = 140

// dumpClusterConfigs is the clusters' part of /config_dump. Main thread.
//
// Envoy: ClusterManagerImpl::dumpClusterConfigs
func (m *ClusterManager) dumpClusterConfigs() *adminv3.ClustersConfigDump {
	dump := &adminv3.ClustersConfigDump{}
	for _, c := range m.clusters {
		dump.StaticClusters = append(dump.StaticClusters, &adminv3.ClustersConfigDump_StaticCluster{
			Cluster: startup.Pack(c.Config), LastUpdated: startup.Timestamp(c.Updated)})
	}
	return dump
}

// dumpEndpointConfigs is the hosts' part, which ?include_eds asks for: those that there are now, by
// locality. Main thread.
//
// Envoy: ConfigDumpHandler::dumpEndpointConfigs
func (m *ClusterManager) dumpEndpointConfigs() *adminv3.EndpointsConfigDump {
	dump := &adminv3.EndpointsConfigDump{}
	for _, c := range m.clusters {
		a := &endpointv3.ClusterLoadAssignment{ClusterName: c.Info.Name, Endpoints: c.localities(),
			Policy: &endpointv3.ClusterLoadAssignment_Policy{
				OverprovisioningFactor: wrapperspb.UInt32(overprovisioningFactor)}}
		dump.StaticEndpointConfigs = append(dump.StaticEndpointConfigs,
			&adminv3.EndpointsConfigDump_StaticEndpointConfig{EndpointConfig: startup.Pack(a)})
	}
	return dump
}

// localities are the hosts, together with those of the same place.
func (c *Cluster) localities() (all []*endpointv3.LocalityLbEndpoints) {
	hosts := slices.Clone(c.hosts)
	slices.SortStableFunc(hosts, func(a, b *Host) int {
		return compareLocality(a.Locality, b.Locality)
	})
	for n, h := range hosts {
		if n == 0 || compareLocality(h.Locality, hosts[n-1].Locality) != 0 {
			locality := &corev3.Locality{Region: h.Locality.GetRegion(), Zone: h.Locality.GetZone(),
				SubZone: h.Locality.GetSubZone()}
			all = append(all, &endpointv3.LocalityLbEndpoints{Locality: locality})
		}
		last := all[len(all)-1]
		last.LbEndpoints = append(last.LbEndpoints, h.endpoint())
	}
	return all
}

// Envoy: LocalityLess
func compareLocality(a, b *corev3.Locality) int {
	return cmp.Or(cmp.Compare(a.GetRegion(), b.GetRegion()), cmp.Compare(a.GetZone(), b.GetZone()),
		cmp.Compare(a.GetSubZone(), b.GetSubZone()))
}

// Envoy: ConfigDumpHandler::addLbEndpoint
func (h *Host) endpoint() *endpointv3.LbEndpoint {
	return &endpointv3.LbEndpoint{Metadata: h.Metadata, HealthStatus: corev3.HealthStatus_HEALTHY,
		LoadBalancingWeight: wrapperspb.UInt32(h.Weight()),
		HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
			Hostname: h.Hostname, Address: protoAddress(h.Address()),
			HealthCheckConfig: &endpointv3.Endpoint_HealthCheckConfig{}}}}
}
