package upstream

import (
	"math/rand/v2"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	connection "envoywalk/chapters/05-connection"
)

// LoadBalancerContext is what a choice of a host may depend on. Both answers may be nothing.
//
// Envoy: Upstream::LoadBalancerContext
type LoadBalancerContext interface {
	DownstreamConnection() *connection.Connection
	HashKey() (uint64, bool)
}

// LoadBalancer chooses among a cluster's hosts for one thread, which alone calls it. What it
// remembers is this thread's: two workers each go round their own circle, and that is why a few
// connections look unevenly spread.
//
// Envoy: Upstream::LoadBalancer
type LoadBalancer interface {
	ChooseHost(LoadBalancerContext) *Host // nil: there is none
	refresh(hosts []*Host)                // the hosts have changed
}

// newLoadBalancer makes a thread's load balancer. random is where it takes its chances from.
func newLoadBalancer(info *ClusterInfo, random func() uint64) LoadBalancer {
	base := edfLoadBalancer{seed: random(), random: random}
	switch info.Policy {
	case clusterv3.Cluster_RANDOM:
		return &randomLoadBalancer{random: random}
	case clusterv3.Cluster_LEAST_REQUEST:
		return &leastRequestLoadBalancer{edfLoadBalancer: base, choices: info.choices}
	}
	return &roundRobinLoadBalancer{edfLoadBalancer: base, index: base.seed}
}

func systemRandom() uint64 { return rand.Uint64() }

// edfLoadBalancer is what balancers have in common that know weights. While all weights are equal
// it needs no schedule.
//
// Envoy: Upstream::EdfLoadBalancerBase
type edfLoadBalancer struct {
	seed   uint64 // threads begin at different places, or all would choose the first host first
	random func() uint64
	hosts  []*Host
	edf    *edfScheduler // nil: equal weights
}

// Envoy: EdfLoadBalancerBase::refresh
func (b *edfLoadBalancer) rebuild(hosts []*Host, weight func(*Host) float64) {
	b.hosts, b.edf = hosts, nil
	if weightsAreEqual(hosts) {
		return
	}
	b.edf = &edfScheduler{queue: make(edfQueue, 0, len(hosts))}
	for _, h := range hosts {
		b.edf.add(weight(h), h)
	}
	for range b.seed % uint64(len(hosts)) {
		b.edf.pickAndAdd(weight)
	}
}

// Envoy: hostWeightsAreEqual
func weightsAreEqual(hosts []*Host) bool {
	for _, h := range hosts {
		if h.Weight() != hosts[0].Weight() {
			return false
		}
	}
	return true
}

// roundRobinLoadBalancer takes one host after the other.
//
// Envoy: Upstream::RoundRobinLoadBalancer
type roundRobinLoadBalancer struct {
	edfLoadBalancer
	index uint64
}

func (b *roundRobinLoadBalancer) refresh(hosts []*Host) { b.rebuild(hosts, b.weight) }

func (*roundRobinLoadBalancer) weight(h *Host) float64 { return float64(h.Weight()) }

// ChooseHost implements LoadBalancer.
//
// Envoy: EdfLoadBalancerBase::chooseHostOnce, RoundRobinLoadBalancer::unweightedHostPick
func (b *roundRobinLoadBalancer) ChooseHost(LoadBalancerContext) *Host {
	switch {
	case len(b.hosts) == 0:
		return nil
	case b.edf != nil:
		return b.edf.pickAndAdd(b.weight)
	}
	h := b.hosts[b.index%uint64(len(b.hosts))]
	b.index++
	return h
}

// leastRequestLoadBalancer compares a few hosts drawn at random and takes the least busy. How busy
// a host is, all threads say together: its rq_active. With different weights it is a schedule in
// which a busy host counts for less.
//
// Envoy: Upstream::LeastRequestLoadBalancer
type leastRequestLoadBalancer struct {
	edfLoadBalancer
	choices uint32
}

func (b *leastRequestLoadBalancer) refresh(hosts []*Host) { b.rebuild(hosts, b.weight) }

// Envoy: LeastRequestLoadBalancer::hostWeight, with an active_request_bias of 1
func (*leastRequestLoadBalancer) weight(h *Host) float64 {
	return float64(h.Weight()) / float64(h.Stats.RqActive.Value()+1)
}

// ChooseHost implements LoadBalancer.
//
// Envoy: EdfLoadBalancerBase::chooseHostOnce, LeastRequestLoadBalancer::unweightedHostPick
func (b *leastRequestLoadBalancer) ChooseHost(LoadBalancerContext) *Host {
	switch {
	case len(b.hosts) == 0:
		return nil
	case b.edf != nil:
		return b.edf.pickAndAdd(b.weight)
	}
	var best *Host
	for range b.choices {
		h := b.hosts[b.random()%uint64(len(b.hosts))]
		if best == nil || h.Stats.RqActive.Value() < best.Stats.RqActive.Value() {
			best = h
		}
	}
	return best
}

// randomLoadBalancer draws. Weights do not matter to it, as in Envoy.
//
// Envoy: Upstream::RandomLoadBalancer
type randomLoadBalancer struct {
	random func() uint64
	hosts  []*Host
}

func (b *randomLoadBalancer) refresh(hosts []*Host) { b.hosts = hosts }

// ChooseHost implements LoadBalancer.
//
// Envoy: RandomLoadBalancer::peekOrChoose
func (b *randomLoadBalancer) ChooseHost(LoadBalancerContext) *Host {
	if len(b.hosts) == 0 {
		return nil
	}
	return b.hosts[b.random()%uint64(len(b.hosts))]
}
