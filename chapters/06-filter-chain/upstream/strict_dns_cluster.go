package upstream

import (
	"net/netip"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/network"
)

const defaultRefreshRate = 5 * time.Second // of DNS, and of the cleanup of ORIGINAL_DST

// strictDNSCluster has a host for every address that its names have.
//
// Envoy: Upstream::StrictDnsClusterImpl
type strictDNSCluster struct {
	*Cluster
	targets []*resolveTarget
	refresh time.Duration
	stopped bool
}

// resolveTarget is one name, asked for again and again.
//
// Envoy: StrictDnsClusterImpl::ResolveTarget
type resolveTarget struct {
	parent   *strictDNSCluster
	endpoint endpoint
	name     string
	port     uint16
	timer    *eventloop.Timer
	hosts    []*Host // from the last answer
	failing  bool    // and told
}

// Envoy: StrictDnsClusterImpl::StrictDnsClusterImpl
func newStrictDNSCluster(c *Cluster) *strictDNSCluster {
	s := &strictDNSCluster{Cluster: c,
		refresh: orDefault(c.Config.GetDnsRefreshRate(), defaultRefreshRate)}
	for _, e := range c.endpoints() {
		address := e.GetEndpoint().GetAddress().GetSocketAddress()
		t := &resolveTarget{parent: s, endpoint: e, name: address.GetAddress(),
			port: uint16(address.GetPortValue())}
		t.timer = c.manager.instance.Dispatcher.CreateTimer("dns refresh", t.startResolve)
		s.targets = append(s.targets, t)
	}
	return s
}

// Envoy: StrictDnsClusterImpl::startPreInit
func (s *strictDNSCluster) startPreInit() {
	for _, t := range s.targets {
		t.startResolve()
	}
	if len(s.targets) == 0 {
		s.onPreInitComplete()
	}
}

func (s *strictDNSCluster) stop() {
	s.stopped = true
	for _, t := range s.targets {
		t.timer.Disable()
	}
}

// startResolve asks. What the answer does is decided on main, when it comes.
//
// Envoy: StrictDnsClusterImpl::ResolveTarget::startResolve
func (t *resolveTarget) startResolve() {
	m := t.parent.manager
	m.log.Trace("starting async DNS resolution for %s", t.name)
	t.parent.Info.Stats.UpdateAttempt.Inc()
	m.dns.resolve(t.name, t.parent.Config.GetDnsLookupFamily(), t.onAnswer)
}

// onAnswer takes the hosts over, or keeps the old ones if there was no answer. One name's answer is
// enough for the cluster to be initialized, and no answer is one too, as in Envoy: the first
// connections may find no host.
func (t *resolveTarget) onAnswer(found []netip.Addr, err error) {
	s, m := t.parent.Info.Stats, t.parent.manager
	if t.parent.stopped {
		return
	}
	m.log.Trace("async DNS resolution complete for %s", t.name)
	if err != nil {
		s.UpdateFailure.Inc()
		t.failing = m.tellOfFailure(t.failing, t.parent.Info.Name, t.name, err)
		m.log.Debug("DNS refresh rate reset for %s, (failure) refresh rate %d ms (%v)", t.name,
			t.parent.refresh.Milliseconds(), err)
	} else {
		s.UpdateSuccess.Inc()
		t.failing = false
		if t.update(found) {
			m.log.Debug("DNS hosts have changed for %s", t.name)
			t.parent.updateAllHosts()
		} else {
			s.UpdateNoRebuild.Inc()
		}
		m.log.Debug("DNS refresh rate reset for %s, refresh rate %d ms", t.name,
			t.parent.refresh.Milliseconds())
	}
	t.parent.onPreInitComplete()
	t.timer.Enable(t.parent.refresh)
}

// update makes the list of the name's hosts. A host that is still there stays the same one, with its
// numbers and connections. It reports whether any came or went.
//
// Envoy: BaseDynamicClusterImpl::updateDynamicHostList
func (t *resolveTarget) update(found []netip.Addr) (changed bool) {
	before, after := map[string]*Host{}, map[string]bool{}
	for _, h := range t.hosts {
		before[h.Address().String()] = h
	}
	var hosts []*Host
	for _, ip := range found {
		a, err := network.ParseInternetAddress(ip.String(), t.port, true)
		if err != nil || after[a.String()] {
			continue
		}
		after[a.String()] = true
		h := before[a.String()]
		if h == nil {
			h, changed = t.parent.host(t.endpoint, t.name, a), true
		}
		hosts = append(hosts, h)
	}
	changed = changed || len(hosts) != len(t.hosts)
	t.hosts = hosts
	return changed
}

// Envoy: StrictDnsClusterImpl::updateAllHosts
func (s *strictDNSCluster) updateAllHosts() {
	var all []*Host
	weight := uint32(1)
	for _, t := range s.targets {
		all = append(all, t.hosts...)
		weight = max(weight, t.endpoint.GetLoadBalancingWeight().GetValue())
	}
	s.Info.Stats.MaxHostWeight.Set(uint64(weight))
	s.updateHosts(all, true)
}
