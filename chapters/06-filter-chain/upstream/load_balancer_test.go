package upstream

import (
	"fmt"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	"envoywalk/internal/network"
)

// hosts makes hosts of the given weights; the name of each is its place.
func hosts(weights ...uint32) (all []*Host) {
	for n, w := range weights {
		a, _ := network.ParseInternetAddress("10.0.0.1", uint16(n+1), true)
		all = append(all, newHost(&ClusterInfo{Name: "c"}, fmt.Sprint(n), a, w))
	}
	return all
}

// picks asks n times and counts each host's.
func picks(b LoadBalancer, n int) map[string]int {
	count := map[string]int{}
	for range n {
		count[b.ChooseHost(nil).Hostname]++
	}
	return count
}

func balancer(p clusterv3.Cluster_LbPolicy, random func() uint64, all []*Host) LoadBalancer {
	b := newLoadBalancer(&ClusterInfo{Policy: p, choices: 2}, random)
	b.refresh(all)
	return b
}

// always is a source of chance without chance.
func always(n uint64) func() uint64 { return func() uint64 { return n } }

func TestRoundRobinGoesRoundFromItsThreadsOwnPlace(t *testing.T) {
	for seed := range uint64(4) {
		b := balancer(clusterv3.Cluster_ROUND_ROBIN, always(seed), hosts(1, 1, 1))
		for n := range uint64(7) {
			if got, want := b.ChooseHost(nil).Hostname, fmt.Sprint((seed+n)%3); got != want {
				t.Errorf("seed %d: choice %d is host %s, want %s", seed, n, got, want)
			}
		}
	}
}

func TestWeightsAreExactUnderTheSchedule(t *testing.T) {
	for seed := range uint64(5) {
		b := balancer(clusterv3.Cluster_ROUND_ROBIN, always(seed), hosts(1, 2, 5))
		got := picks(b, 800)
		for host, want := range map[string]int{"0": 100, "1": 200, "2": 500} {
			if off := got[host] - want; off < -1 || off > 1 {
				t.Errorf("seed %d: host %s was chosen %d times of 800, want %d", seed, host, got[host], want)
			}
		}
	}
}

// Where in each four the light host comes is a matter of floating point, as in Envoy.
func TestTheScheduleSpreadsAHeavyHostsShare(t *testing.T) {
	b := balancer(clusterv3.Cluster_ROUND_ROBIN, always(0), hosts(3, 1))
	order := ""
	for range 8 {
		order += b.ChooseHost(nil).Hostname
	}
	if strings.Count(order, "1") != 2 || strings.Contains(order, "11") || strings.Contains(order, "00000") {
		t.Errorf("the order is %s", order)
	}
}

func TestRandomDrawsFromAllHostsWhateverTheirWeight(t *testing.T) {
	got := picks(balancer(clusterv3.Cluster_RANDOM, systemRandom, hosts(1, 100, 1, 1)), 4000)
	for host := range 4 {
		if n := got[fmt.Sprint(host)]; n < 800 || n > 1200 {
			t.Errorf("host %d was drawn %d times of 4000", host, n)
		}
	}
}

func TestLeastRequestPrefersTheHostWithFewerRequests(t *testing.T) {
	all := hosts(1, 1)
	all[0].Stats.RqActive.Set(10)
	got := picks(balancer(clusterv3.Cluster_LEAST_REQUEST, systemRandom, all), 4000)
	if got["0"] < 800 || got["0"] > 1200 { // chosen only if it is drawn twice: one time in four
		t.Errorf("the busy host was chosen %d times of 4000", got["0"])
	}
	more := newLoadBalancer(&ClusterInfo{Policy: clusterv3.Cluster_LEAST_REQUEST, choices: 16}, systemRandom)
	more.refresh(all)
	if got := picks(more, 4000); got["0"] > 4 {
		t.Errorf("with 16 choices the busy host was chosen %d times of 4000", got["0"])
	}
}

func TestLeastRequestWithWeightsLetsABusyHostCountForLess(t *testing.T) {
	all := hosts(1, 4)
	idle := picks(balancer(clusterv3.Cluster_LEAST_REQUEST, always(0), all), 500)
	if idle["1"] < 399 || idle["1"] > 401 {
		t.Errorf("the heavy host was chosen %d times of 500", idle["1"])
	}
	all[1].Stats.RqActive.Set(3) // 4 / (3+1): now both count alike
	busy := picks(balancer(clusterv3.Cluster_LEAST_REQUEST, always(0), all), 500)
	if busy["1"] < 249 || busy["1"] > 251 {
		t.Errorf("the heavy and busy host was chosen %d times of 500", busy["1"])
	}
}

func TestABalancerFollowsItsHosts(t *testing.T) {
	for _, p := range []clusterv3.Cluster_LbPolicy{clusterv3.Cluster_ROUND_ROBIN, clusterv3.Cluster_RANDOM,
		clusterv3.Cluster_LEAST_REQUEST} {
		b := balancer(p, systemRandom, nil)
		if b.ChooseHost(nil) != nil {
			t.Error(p, "chooses among no hosts")
		}
		for _, weights := range [][]uint32{{1}, {1, 2, 3}, {2, 2}} {
			b.refresh(hosts(weights...))
			if got := picks(b, 300); len(got) != len(weights) {
				t.Errorf("%v: of %d hosts it chooses %v", p, len(weights), got)
			}
		}
		b.refresh(nil)
		if b.ChooseHost(nil) != nil {
			t.Error(p, "chooses a host that is gone")
		}
	}
}

func TestAChoiceAllocatesNothing(t *testing.T) {
	for _, weights := range [][]uint32{{1, 1, 1}, {1, 2, 3}} {
		b := balancer(clusterv3.Cluster_ROUND_ROBIN, always(1), hosts(weights...))
		if n := testing.AllocsPerRun(100, func() { b.ChooseHost(nil) }); n != 0 {
			t.Errorf("weights %v: %v allocations", weights, n)
		}
	}
}
