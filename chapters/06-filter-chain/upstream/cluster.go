package upstream

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/network"
)

// Cluster is a set of hosts that do the same thing, as main has it.
//
// Envoy: Upstream::ClusterImplBase
type Cluster struct {
	Info    *ClusterInfo
	Config  *clusterv3.Cluster
	Updated time.Time // when it was loaded

	manager     *ClusterManager
	source      hostSource
	hosts       []*Host // a list is never changed, only replaced
	started     bool
	initialized bool // the threads have it
	onInit      func()
}

// hostSource is the way in which a type of cluster finds its hosts. Main thread, but for what
// balancer returns.
type hostSource interface {
	startPreInit() // finds the first hosts; leads, sooner or later, to onPreInitComplete
	stop()
	// balancer makes that of one thread, on that thread.
	balancer(*eventloop.Dispatcher, *threadLocalClusterManager) LoadBalancer
}

// newCluster makes a cluster of the type that its configuration names.
//
// Envoy: ClusterFactoryImplBase::create
func newCluster(m *ClusterManager, config *clusterv3.Cluster) (*Cluster, error) {
	if _, _, err := startup.CheckCluster(config); err != nil {
		return nil, err
	}
	info, err := newClusterInfo(m.instance, config)
	if err != nil {
		return nil, err
	}
	warnOfLostOptions(m.log, info)
	c := &Cluster{Info: info, Config: config, Updated: time.Now(), manager: m}
	switch config.GetType() {
	case clusterv3.Cluster_STRICT_DNS:
		c.source = newStrictDNSCluster(c)
	case clusterv3.Cluster_LOGICAL_DNS:
		c.source = newLogicalDNSCluster(c)
	case clusterv3.Cluster_ORIGINAL_DST:
		c.source = newOriginalDstCluster(c)
	default:
		c.source, err = newStaticCluster(c)
	}
	return c, err
}

// balancer is what every type has that does not provide its own.
func (c *Cluster) balancer(_ *eventloop.Dispatcher, m *threadLocalClusterManager) LoadBalancer {
	return newLoadBalancer(c.Info, m.random)
}

// Hosts are the cluster's now. The slice is not the caller's to change.
func (c *Cluster) Hosts() []*Host { return c.hosts }

// Envoy: ClusterImplBase::initialize
func (c *Cluster) initialize(done func()) {
	c.onInit = done
	c.source.startPreInit()
}

// onPreInitComplete: the first hosts are known, or could not be found. Only the first call counts.
//
// Envoy: ClusterImplBase::onPreInitComplete, onInitDone, finishInitialization
func (c *Cluster) onPreInitComplete() {
	if c.started {
		return
	}
	c.started = true
	c.manager.log.Debug("initializing Primary cluster %s completed", c.Info.Name)
	c.onInit()
}

// updateHosts replaces the hosts, and tells the threads if they have the cluster already.
//
// Envoy: PrioritySetImpl::updateHosts, and the callbacks that a cluster and its manager registered
func (c *Cluster) updateHosts(hosts []*Host, changed bool) {
	c.hosts = hosts
	s := c.Info.Stats
	if changed {
		s.MembershipChange.Inc()
	}
	s.MembershipTotal.Set(uint64(len(hosts)))
	s.MembershipHealthy.Set(uint64(len(hosts)))
	if c.initialized {
		c.manager.stats.updated.Inc()
		c.manager.postThreadLocalClusterUpdate(c, "hosts of "+c.Info.Name)
	}
}

// endpoint is one configured host.
type endpoint struct {
	locality *endpointv3.LocalityLbEndpoints
	*endpointv3.LbEndpoint
}

// endpoints are all that the cluster's configuration names.
func (c *Cluster) endpoints() (all []endpoint) {
	for _, locality := range c.Config.GetLoadAssignment().GetEndpoints() {
		for _, e := range locality.GetLbEndpoints() {
			all = append(all, endpoint{locality, e})
		}
	}
	return all
}

// host makes a host of a configured one, at an address.
func (c *Cluster) host(e endpoint, hostname string, a *network.Address) *Host {
	h := newHost(c.Info, hostname, a, e.GetLoadBalancingWeight().GetValue())
	h.Locality, h.Metadata = e.locality.GetLocality(), e.GetMetadata()
	return h
}
