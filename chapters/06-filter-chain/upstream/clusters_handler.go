package upstream

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/network"
)

// addAdmin lets the admin tell of the clusters.
func (m *ClusterManager) addAdmin() {
	a := m.instance.Admin
	if a == nil {
		return
	}
	a.AddPage(startup.Page{Path: "/clusters", Help: "upstream cluster status (?format=json)",
		Answer: m.answerClusters})
	m.instance.ConfigTracker().Add("clusters", func() proto.Message {
		return m.dumpClusterConfigs()
	})
	m.instance.ConfigTracker().Add(startup.EndpointsKey, func() proto.Message {
		return m.dumpEndpointConfigs()
	})
}

// answerClusters lets main write the page, and sends it from here.
//
// Envoy: ClustersHandler::handlerClusters
func (m *ClusterManager) answerClusters(w http.ResponseWriter, r *http.Request) {
	a := m.instance.Admin
	if r.URL.Query().Get("format") == "json" {
		var status *adminv3.Clusters
		if !a.Failed(w, a.OnMain(func() { status = m.status() })) {
			a.WriteProto(w, status)
		}
		return
	}
	var text []byte
	if !a.Failed(w, a.OnMain(func() { text = m.text() })) {
		w.Write(text)
	}
}

// status is all that the page shows. Main thread.
//
// Envoy: ClustersHandler::writeClustersAsJson
func (m *ClusterManager) status() *adminv3.Clusters {
	all := &adminv3.Clusters{}
	for _, c := range m.clusters {
		s := &adminv3.ClusterStatus{Name: c.Info.Name, CircuitBreakers: &clusterv3.CircuitBreakers{
			Thresholds: []*clusterv3.CircuitBreakers_Thresholds{
				m.thresholds(c.Info, Default, corev3.RoutingPriority_DEFAULT),
				m.thresholds(c.Info, High, corev3.RoutingPriority_HIGH)}}}
		for _, h := range c.hosts {
			s.HostStatuses = append(s.HostStatuses, h.status())
		}
		all.ClusterStatuses = append(all.ClusterStatuses, s)
	}
	return all
}

// Envoy: addCircuitBreakerSettingsAsJson
func (m *ClusterManager) thresholds(c *ClusterInfo, p Priority,
	shown corev3.RoutingPriority) *clusterv3.CircuitBreakers_Thresholds {
	value := func(r *ResourceLimit) *wrapperspb.UInt32Value {
		return wrapperspb.UInt32(uint32(r.Max(m.instance.Dispatcher)))
	}
	r := c.Resources(p)
	return &clusterv3.CircuitBreakers_Thresholds{Priority: shown, MaxConnections: value(r.Connections),
		MaxPendingRequests: value(r.PendingRequests), MaxRequests: value(r.Requests),
		MaxRetries: value(r.Retries)}
}

func (h *Host) status() *adminv3.HostStatus {
	s := &adminv3.HostStatus{Address: protoAddress(h.Address()), Hostname: h.Hostname,
		Locality: &corev3.Locality{}, Weight: h.Weight(),
		HealthStatus: &adminv3.HostHealthStatus{
			EdsHealthStatus: corev3.HealthStatus_HEALTHY}}
	if h.Locality != nil {
		s.Locality = h.Locality
	}
	for _, one := range h.Stats.all() {
		m := &adminv3.SimpleMetric{Name: one.name, Value: one.value.Value()}
		if one.gauge {
			m.Type = adminv3.SimpleMetric_GAUGE
		}
		s.Stats = append(s.Stats, m)
	}
	return s
}

// namedStat is one of a host's numbers.
type namedStat struct {
	name  string
	value interface{ Value() uint64 }
	gauge bool
}

// all are the counters and then the gauges, each by name.
func (s *HostStats) all() []namedStat {
	return []namedStat{{"cx_connect_fail", &s.CxConnectFail, false}, {"cx_total", &s.CxTotal, false},
		{"rq_error", &s.RqError, false}, {"rq_success", &s.RqSuccess, false},
		{"rq_timeout", &s.RqTimeout, false}, {"rq_total", &s.RqTotal, false},
		{"cx_active", &s.CxActive, true}, {"rq_active", &s.RqActive, true}}
}

// Envoy: Network::Utility::addressToProtobufAddress
func protoAddress(a *network.Address) *corev3.Address {
	if a.IsPipe() {
		return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: a.Path()}}}
	}
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       a.AddrPort().Addr().String(),
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(a.Port())}}}}
}

// text is the same as lines, a fact each. Main thread.
//
// Envoy: ClustersHandler::writeClustersAsText, addCircuitBreakerSettingsAsText
func (m *ClusterManager) text() []byte {
	var b bytes.Buffer
	for _, c := range m.clusters {
		for p, name := range [...]string{Default: "default", High: "high"} {
			t := m.thresholds(c.Info, Priority(p), 0)
			line := func(what string, value *wrapperspb.UInt32Value) {
				fmt.Fprintf(&b, "%s::%s_priority::%s::%d\n", c.Info.Name, name, what, value.GetValue())
			}
			line("max_connections", t.GetMaxConnections())
			line("max_pending_requests", t.GetMaxPendingRequests())
			line("max_requests", t.GetMaxRequests())
			line("max_retries", t.GetMaxRetries())
		}
		fmt.Fprintf(&b, "%s::added_via_api::false\n", c.Info.Name)
		for _, h := range c.hosts {
			h.text(&b)
		}
	}
	return b.Bytes()
}

// text writes a host's numbers by name, then what it is.
func (h *Host) text(b *bytes.Buffer) {
	line := func(what string, value any) {
		fmt.Fprintf(b, "%s::%s::%s::%v\n", h.Cluster.Name, h.Address(), what, value)
	}
	all := h.Stats.all()
	slices.SortFunc(all, func(a, b namedStat) int { return cmp.Compare(a.name, b.name) })
	for _, one := range all {
		line(one.name, one.value.Value())
	}
	line("hostname", h.Hostname)
	line("health_flags", "healthy")
	line("weight", h.Weight())
	line("region", h.Locality.GetRegion())
	line("zone", h.Locality.GetZone())
	line("sub_zone", h.Locality.GetSubZone())
	line("canary", h.Metadata.GetFilterMetadata()["envoy.lb"].GetFields()["canary"].GetBoolValue())
	line("priority", 0)
	line("success_rate", "-1.0") // nobody detects outliers
	line("local_origin_success_rate", "-1.0")
}
