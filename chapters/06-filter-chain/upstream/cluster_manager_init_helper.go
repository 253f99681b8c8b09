package upstream

// initState is how far the clusters are. The numbers are Envoy's: they are in its log.
//
// Envoy: ClusterManagerInitHelper::State
type initState int

const (
	loading initState = iota // the static clusters are being made
	waitingForPrimaryInitializationToComplete
	waitingToStartSecondaryInitialization
	waitingToStartCdsInitialization // never: there is no CDS
	cdsInitialized                  // never
	allClustersInitialized
)

// initHelper waits until every cluster knows its first hosts, or that it has none. In Envoy
// clusters that need another cluster to find their hosts come second; all of ours are primary.
//
// Envoy: Upstream::ClusterManagerInitHelper
type initHelper struct {
	manager     *ClusterManager
	state       initState
	primary     []*Cluster // not initialized yet
	continued   bool       // the server is ready to go on with the secondary ones
	initialized func()
}

// Envoy: ClusterManagerInitHelper::addCluster
func (h *initHelper) addCluster(c *Cluster) {
	h.primary = append(h.primary, c)
	c.initialize(func() { h.onClusterInit(c) })
	h.manager.log.Debug("cm init: adding: cluster=%s primary=%d secondary=0", c.Info.Name,
		len(h.primary))
}

// Envoy: ClusterManagerInitHelper::onClusterInit, removeCluster
func (h *initHelper) onClusterInit(c *Cluster) {
	h.manager.onClusterInit(c)
	for n, other := range h.primary {
		if other == c {
			h.primary = append(h.primary[:n], h.primary[n+1:]...)
			break
		}
	}
	h.manager.log.Debug("cm init: init complete: cluster=%s primary=%d secondary=0", c.Info.Name,
		len(h.primary))
	h.maybeFinishInitialize()
}

// Envoy: ClusterManagerInitHelper::onStaticLoadComplete
func (h *initHelper) onStaticLoadComplete() {
	h.state = waitingForPrimaryInitializationToComplete
	h.maybeFinishInitialize()
}

// setInitializedCb calls done when all clusters are initialized: at once if they are. It is also the
// sign that the server has loaded everything else.
//
// Envoy: ClusterManagerInitHelper::setPrimaryClustersInitializedCb,
// startInitializingSecondaryClusters, setInitializedCb
func (h *initHelper) setInitializedCb(done func()) {
	h.initialized, h.continued = done, true
	switch h.state {
	case waitingToStartSecondaryInitialization:
		h.manager.log.Debug("continue initializing secondary clusters")
		h.maybeFinishInitialize()
	case allClustersInitialized:
		done()
	}
}

// maybeFinishInitialize takes the next step if nothing is in its way.
//
// Envoy: ClusterManagerInitHelper::maybeFinishInitialize
func (h *initHelper) maybeFinishInitialize() {
	h.manager.log.Debug("maybe finish initialize state: %d", h.state)
	if h.state == loading {
		return
	}
	h.manager.log.Debug("maybe finish initialize primary init clusters empty: %t",
		len(h.primary) == 0)
	if len(h.primary) > 0 {
		return
	}
	if h.state == waitingForPrimaryInitializationToComplete {
		h.state = waitingToStartSecondaryInitialization
		if h.continued {
			h.setInitializedCb(h.initialized)
		}
		return
	}
	h.manager.log.Debug("maybe finish initialize secondary init clusters empty: true")
	h.manager.log.Debug("maybe finish initialize cds api ready: false")
	h.manager.log.Info("cm init: all clusters initialized")
	h.state = allClustersInitialized
	h.initialized()
}
