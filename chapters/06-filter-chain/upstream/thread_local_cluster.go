package upstream

import (
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	eventloop "envoywalk/chapters/00-event-loop"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/log"
)

// threadLocalClusterManager is one thread's copy of all clusters. That thread alone touches it; main
// sends it the news by post.
//
// Envoy: ClusterManagerImpl::ThreadLocalClusterManagerImpl
type threadLocalClusterManager struct {
	dispatcher *eventloop.Dispatcher
	clusters   map[string]*ThreadLocalCluster
	log, pool  *log.Component
	random     func() uint64
	open       map[*UpstreamConnection]struct{} // to be closed with the thread
}

// ThreadLocalCluster is one thread's copy of a cluster: its hosts, and where its load balancer
// stands.
//
// Envoy: ThreadLocalClusterManagerImpl::ClusterEntry
type ThreadLocalCluster struct {
	parent      *threadLocalClusterManager
	dispatcher  *eventloop.Dispatcher
	poolLog     *log.Component
	info        *ClusterInfo
	hosts       []*Host
	balancer    LoadBalancer
	connections map[*Host]int // hosts that this thread has connections to
}

// update is what main posts: the cluster the first time, and its hosts. Nobody changes the slice
// any more.
//
// Envoy: ThreadLocalClusterManagerImpl::updateClusterMembership
func (m *threadLocalClusterManager) update(info *ClusterInfo, balancer func() LoadBalancer,
	hosts []*Host) {
	c := m.clusters[info.Name]
	if c == nil {
		m.log.Debug("adding TLS cluster %s", info.Name)
		c = &ThreadLocalCluster{parent: m, dispatcher: m.dispatcher, poolLog: m.pool, info: info,
			balancer: balancer(), connections: map[*Host]int{}}
		m.clusters[info.Name] = c
	}
	if m.log.Enabled(log.Debug) {
		m.log.Debug("membership update for TLS cluster %s added %d removed %d", info.Name,
			missing(hosts, c.hosts), missing(c.hosts, hosts))
	}
	c.hosts = hosts
	c.balancer.refresh(hosts)
}

// missing is how many of the hosts are not among the others.
func missing(hosts, others []*Host) (n int) {
	known := make(map[*Host]bool, len(others))
	for _, h := range others {
		known[h] = true
	}
	for _, h := range hosts {
		if !known[h] {
			n++
		}
	}
	return n
}

// Close implements what a thread-local slot asks of its values: the thread ends, and what is still
// open ends with it.
//
// Envoy: ThreadLocalClusterManagerImpl::~ThreadLocalClusterManagerImpl
func (m *threadLocalClusterManager) Close() {
	m.log.Debug("shutting down thread local cluster manager")
	for u := range m.open {
		u.Connection.Close(connection.NoFlush)
	}
	m.dispatcher.ClearDeferredDeletes()
}

// Info is what all threads know of the cluster.
func (c *ThreadLocalCluster) Info() *ClusterInfo { return c.info }

// Hosts are those of this thread's copy. The slice is not the caller's to change.
func (c *ThreadLocalCluster) Hosts() []*Host { return c.hosts }

// CanConnect says whether the circuit breaker of ordinary connections lets another through.
func (c *ThreadLocalCluster) CanConnect() bool {
	return c.info.Resources(Default).Connections.CanCreate(c.dispatcher)
}

// TCPConnPool chooses a host and returns the way to a connection to it; nil, and counted, if there
// is no host. context must have a downstream connection: the upstream one will be on its thread.
//
// Envoy: ClusterEntry::tcpConnPool
func (c *ThreadLocalCluster) TCPConnPool(context LoadBalancerContext) *ConnPool {
	host := c.ChooseHost(context)
	if host == nil {
		c.parent.log.Debug("no healthy host for TCP connection pool")
		c.info.Stats.UpstreamCxNoneHealthy.Inc()
		return nil
	}
	return &ConnPool{Host: host, cluster: c, context: context}
}

// ChooseHost asks this thread's load balancer; nil: there is no host. A cluster without hosts is in
// panic, as Envoy calls it, though there is nobody to send to.
//
// Envoy: LoadBalancerBase::chooseHost
func (c *ThreadLocalCluster) ChooseHost(context LoadBalancerContext) *Host {
	host := c.balancer.ChooseHost(context)
	if host == nil && c.info.Type != clusterv3.Cluster_ORIGINAL_DST {
		c.info.Stats.HealthyPanic.Inc()
	}
	return host
}

func (c *ThreadLocalCluster) added(u *UpstreamConnection) {
	c.connections[u.Host]++
	c.parent.open[u] = struct{}{}
}

func (c *ThreadLocalCluster) removed(u *UpstreamConnection) {
	if c.connections[u.Host]--; c.connections[u.Host] == 0 {
		delete(c.connections, u.Host)
	}
	delete(c.parent.open, u)
}
