// Package upstream is the half of chapter 06 that lies behind the filters: clusters, their hosts,
// the load balancers that choose among them, and everything up to a connection to a host.
//
// Main owns the clusters and finds their hosts. Each worker has a copy of its own, which main
// brings up to date by post, and chooses hosts without asking anybody. What threads do share are
// numbers: stats and circuit breakers, which are atomic.
//
// It leaves out of Envoy's: dynamic clusters (CDS, EDS), health checks and outlier detection, so
// that every host is healthy and only priority 0 is ever used; subsets, hashing balancers, zones;
// TLS; pools that keep idle connections.
package upstream

import (
	"cmp"
	"fmt"
	"net"
	"slices"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
)

// ClusterManager owns the clusters. Main thread, but for Get.
//
// Envoy: Upstream::ClusterManagerImpl
type ClusterManager struct {
	instance *startup.Instance
	log      *log.Component
	clusters []*Cluster // sorted by name
	slot     *startup.Slot
	init     initHelper
	dns      *dnsResolver
	stats    managerStats
}

// managerStats are those of cluster_manager. that change here.
//
// Envoy: ALL_CLUSTER_MANAGER_STATS
type managerStats struct {
	added, updated *stats.Counter
	active         *stats.Gauge
}

// NewClusterManager makes the static clusters and begins to initialize them. An error knows its
// place in the configuration. resolver looks host names up; nil is the system's.
//
// Envoy: ProdClusterManagerFactory::clusterManagerFromProto, ClusterManagerImpl::ClusterManagerImpl
func NewClusterManager(i *startup.Instance, resolver *net.Resolver) (*ClusterManager, error) {
	defer i.Lane().Enter(step.ClusterManagerFromProto).From(i.Config, "static_resources.clusters").Exit()
	m := &ClusterManager{instance: i, log: i.Log.Component(log.Upstream),
		stats: newManagerStats(i.Stats), slot: i.ThreadLocal.AllocateSlot("clusters"),
		dns: newDNSResolver(i, resolver)}
	m.init.manager = m
	for n, c := range i.Bootstrap().GetStaticResources().GetClusters() {
		if err := m.loadCluster(c); err != nil {
			return nil, i.At(err, fmt.Sprintf("static_resources.clusters[%d]", n), "")
		}
	}
	slices.SortFunc(m.clusters, func(a, b *Cluster) int {
		return cmp.Compare(a.Info.Name, b.Info.Name)
	})
	m.stats.added.Add(uint64(len(m.clusters)))
	m.stats.active.Set(uint64(len(m.clusters)))
	m.slot.Set(m.newThreadLocal)
	m.addAdmin()
	for _, c := range m.clusters {
		m.init.addCluster(c)
	}
	m.init.onStaticLoadComplete()
	return m, nil
}

func newManagerStats(store *stats.Store) managerStats {
	s := store.Scope("cluster_manager.")
	for _, name := range [...]string{"cluster_modified", "cluster_removed",
		"cluster_updated_via_merge", "update_merge_cancelled", "update_out_of_merge_window"} {
		s.Counter(name)
	}
	s.Gauge("warming_clusters")
	return managerStats{added: s.Counter("cluster_added"), updated: s.Counter("cluster_updated"),
		active: s.Gauge("active_clusters")}
}

// newThreadLocal makes one thread's copy, still empty. It runs on that thread.
func (m *ClusterManager) newThreadLocal(d *eventloop.Dispatcher) any {
	return &threadLocalClusterManager{dispatcher: d, clusters: map[string]*ThreadLocalCluster{},
		log: m.log, pool: m.instance.Log.Component(log.Pool), random: systemRandom,
		open: map[*UpstreamConnection]struct{}{}}
}

// Envoy: ClusterManagerImpl::loadCluster
func (m *ClusterManager) loadCluster(config *clusterv3.Cluster) error {
	c, err := newCluster(m, config)
	if err != nil {
		return err
	}
	for _, other := range m.clusters {
		if other.Info.Name == c.Info.Name {
			return fmt.Errorf("cluster manager: duplicate cluster '%s'", c.Info.Name)
		}
	}
	m.clusters = append(m.clusters, c)
	return nil
}

// onClusterInit: the cluster knows its first hosts, and from here on every thread has it.
//
// Envoy: ClusterManagerImpl::onClusterInit
func (m *ClusterManager) onClusterInit(c *Cluster) {
	c.initialized = true
	m.postThreadLocalClusterUpdate(c, "cluster "+c.Info.Name)
}

// postThreadLocalClusterUpdate sends the cluster's hosts to every thread. The list is a version of
// its own: main makes another when hosts change, and never touches this one again. subject is what
// the trace says of the posts.
//
// Envoy: ClusterManagerImpl::postThreadLocalClusterUpdate
func (m *ClusterManager) postThreadLocalClusterUpdate(c *Cluster, subject string) {
	hosts := c.hosts
	m.instance.ThreadLocal.RunOnAllThreads(subject, func(d *eventloop.Dispatcher) {
		local := m.local(d)
		local.update(c.Info, func() LoadBalancer { return c.source.balancer(d, local) }, hosts)
	}, nil)
}

func (m *ClusterManager) local(d *eventloop.Dispatcher) *threadLocalClusterManager {
	local, _ := m.slot.Get(d).(*threadLocalClusterManager)
	return local
}

// Get returns the calling thread's copy of a cluster, nil if there is none of that name. d is that
// thread's dispatcher.
//
// Envoy: ClusterManagerImpl::getThreadLocalCluster
func (m *ClusterManager) Get(d *eventloop.Dispatcher, name string) *ThreadLocalCluster {
	if local := m.local(d); local != nil {
		return local.clusters[name]
	}
	return nil
}

// Clusters are all, sorted by name. Main thread.
func (m *ClusterManager) Clusters() []*Cluster { return m.clusters }

// SetInitializedCb implements startup.ClusterManager.
//
// Envoy: ClusterManagerImpl::setInitializedCb, and before it initializeSecondaryClusters
func (m *ClusterManager) SetInitializedCb(done func()) { m.init.setInitializedCb(done) }

// Shutdown ends what the clusters do by themselves: timers and look-ups. It returns when none is
// left.
//
// Envoy: ClusterManagerImpl::shutdown
func (m *ClusterManager) Shutdown() {
	for _, c := range m.clusters {
		c.source.stop()
	}
	m.dns.shutdown()
}
