package upstream

import (
	"slices"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/network"
)

// originalDstCluster sends each connection where its client wanted to go before it was redirected
// here. Hosts appear with the first connection to them and go when nobody has wanted them for two
// cleanup intervals.
//
// Envoy: Upstream::OriginalDstCluster
type originalDstCluster struct {
	*Cluster
	interval time.Duration
	timer    *eventloop.Timer
	stopped  bool
}

// Envoy: OriginalDstCluster::OriginalDstCluster
func newOriginalDstCluster(c *Cluster) *originalDstCluster {
	o := &originalDstCluster{Cluster: c,
		interval: orDefault(c.Config.GetCleanupInterval(), defaultRefreshRate)}
	o.timer = c.manager.instance.Dispatcher.CreateTimer("original dst cleanup", o.cleanup)
	o.timer.Housekeeping = true
	o.timer.Enable(o.interval)
	return o
}

func (o *originalDstCluster) startPreInit() { o.onPreInitComplete() }

func (o *originalDstCluster) stop() {
	o.stopped = true
	o.timer.Disable()
}

// balancer makes the balancer that the cluster provides.
func (o *originalDstCluster) balancer(d *eventloop.Dispatcher,
	_ *threadLocalClusterManager) LoadBalancer {
	return &originalDstLoadBalancer{cluster: o, dispatcher: d}
}

// addHost takes over a host that a thread has made. Another thread may have been quicker.
//
// Envoy: OriginalDstCluster::addHost
func (o *originalDstCluster) addHost(h *Host) {
	known := slices.ContainsFunc(o.hosts, func(other *Host) bool {
		return other.Address().String() == h.Address().String()
	})
	if known || o.stopped {
		return
	}
	o.manager.log.Debug("addHost() adding %s", h.Address())
	o.updateHosts(append(slices.Clone(o.hosts), h), true)
}

// cleanup drops the hosts that no thread has chosen since the last one.
//
// Envoy: OriginalDstCluster::cleanup
func (o *originalDstCluster) cleanup() {
	o.manager.log.Trace("Stale original dst hosts cleanup triggered.")
	var keep []*Host
	for _, h := range o.hosts {
		if h.used.Swap(false) {
			keep = append(keep, h)
		} else {
			o.manager.log.Trace("Removing stale host %s.", h.Address())
		}
	}
	if len(keep) < len(o.hosts) {
		o.updateHosts(keep, true)
	}
	o.timer.Enable(o.interval)
}

// originalDstLoadBalancer is one thread's. It knows the hosts by their addresses.
//
// Envoy: OriginalDstCluster::LoadBalancer
type originalDstLoadBalancer struct {
	cluster    *originalDstCluster
	dispatcher *eventloop.Dispatcher
	hosts      map[string]*Host
}

func (b *originalDstLoadBalancer) refresh(hosts []*Host) {
	b.hosts = make(map[string]*Host, len(hosts))
	for _, h := range hosts {
		b.hosts[h.Address().String()] = h
	}
}

// ChooseHost implements LoadBalancer. A new host can be used at once; main, and through it the
// other threads, hear of it by post.
//
// Envoy: OriginalDstCluster::LoadBalancer::chooseHost
func (b *originalDstLoadBalancer) ChooseHost(context LoadBalancerContext) *Host {
	log := b.cluster.manager.log
	a := originalDestination(context)
	if a == nil {
		log.Warn("original_dst_load_balancer: No downstream connection or no original_dst.")
		return nil
	}
	if h := b.hosts[a.String()]; h != nil {
		log.Debug("Using existing host %s.", a)
		h.used.Store(true)
		return h
	}
	h := newHost(b.cluster.Info, b.cluster.Info.Name+a.String(), a, 1)
	log.Debug("Created host %s.", a)
	b.hosts[a.String()] = h
	main := b.cluster.manager.instance.Dispatcher
	main.PostAbout(b.dispatcher, "original_dst host "+a.String(), func() { b.cluster.addHost(h) })
	return h
}

// originalDestination is where the client wanted to go, nil if nobody knows.
func originalDestination(context LoadBalancerContext) *network.Address {
	c := context.DownstreamConnection()
	if c == nil || !c.Socket.LocalRestored || !c.Socket.Local.IsIP() {
		return nil
	}
	return c.Socket.Local
}
