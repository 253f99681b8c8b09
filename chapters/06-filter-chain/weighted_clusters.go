package filterchain

import (
	"math/rand/v2"

	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
)

// weightedClusters is a choice between clusters. Any thread may draw.
//
// Envoy: TcpProxy::Config::weighted_clusters_, WeightedClusterUtil
type weightedClusters struct {
	clusters []weightedCluster
	total    uint64 // of all weights; above 0 if there are clusters, as each weight is
}

// weightedCluster is drawn weight times out of total.
//
// Envoy: TcpProxy::Config::WeightedClusterEntry
type weightedCluster struct {
	name   string
	weight uint64
}

// newWeightedClusters adds the weights up. They are 32 bits wide, so the sum does not overflow.
func newWeightedClusters(c *tcpproxyv3.TcpProxy_WeightedCluster) (w weightedClusters) {
	for _, one := range c.GetClusters() {
		w.clusters = append(w.clusters, weightedCluster{one.GetName(), uint64(one.GetWeight())})
		w.total += uint64(one.GetWeight())
	}
	return w
}

// random draws a cluster.
func (w *weightedClusters) random() string { return w.pickCluster(rand.Uint64()) }

// pickCluster lays the weights end to end and looks whose part the draw fell into; a draw beyond the
// last begins again.
//
// Envoy: WeightedClusterUtil::pickCluster
func (w *weightedClusters) pickCluster(draw uint64) string {
	draw %= w.total
	for _, c := range w.clusters {
		if draw < c.weight {
			return c.name
		}
		draw -= c.weight
	}
	panic("tcp_proxy: a draw beyond the sum of the weights")
}
