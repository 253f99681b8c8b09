package upstream

import (
	"sync/atomic"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/kernel"
	"envoywalk/internal/network"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
)

// Host is one address of a cluster. Main makes it, all threads share it; what changes is atomic.
//
// Envoy: Upstream::HostImpl, a HostDescriptionImpl
type Host struct {
	Cluster  *ClusterInfo
	Hostname string // what was resolved, or what the configuration calls it; may be empty
	Locality *corev3.Locality
	Metadata *corev3.Metadata
	Stats    HostStats

	address atomic.Pointer[network.Address] // changes for the one host of a LOGICAL_DNS cluster
	weight  atomic.Uint32
	used    atomic.Bool // since the last cleanup of an ORIGINAL_DST cluster
}

// HostStats are a host's own numbers: the load balancers look at them, and /clusters shows them.
//
// Envoy: Upstream::HostStats, ALL_HOST_STATS
type HostStats struct {
	CxConnectFail, CxTotal, RqError, RqSuccess, RqTimeout, RqTotal stats.Counter
	CxActive, RqActive                                             stats.Gauge
}

// newHost makes a host of at least weight 1.
//
// Envoy: Upstream::HostImpl::HostImpl
func newHost(c *ClusterInfo, hostname string, a *network.Address, weight uint32) *Host {
	h := &Host{Cluster: c, Hostname: hostname}
	h.address.Store(a)
	h.weight.Store(max(1, weight))
	h.used.Store(true)
	return h
}

// Address is where the host is now.
func (h *Host) Address() *network.Address { return h.address.Load() }

// Weight is the host's share, among those of its cluster.
func (h *Host) Weight() uint32 { return h.weight.Load() }

// CreateConnection makes a connection to the host, which is not connecting yet, with the cluster's
// options and buffer limit. Called on the thread that will own the connection. life is the story it
// belongs to, nil if none. An errno means that there is no socket for it.
//
// Envoy: Upstream::HostImpl::createConnection
func (h *Host) CreateConnection(t *connection.Thread,
	life *connection.Life) (*ClientConnection, kernel.Errno) {
	defer t.Lane().Enter(step.HostCreateConnection).Of(h.Cluster.Name).Exit()
	c, errno := createClientConnection(t, life, h.Cluster, h.Address())
	if errno != 0 {
		return nil, errno
	}
	c.SetBufferLimits(h.Cluster.BufferLimit)
	return c, 0
}
