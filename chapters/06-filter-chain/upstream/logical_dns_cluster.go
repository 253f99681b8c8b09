package upstream

import (
	"net/netip"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/network"
)

// logicalDNSCluster has one host, whose address is the first of its name's at the time of asking.
// Connections that go to an earlier address stay.
//
// Envoy: Upstream::LogicalDnsCluster
type logicalDNSCluster struct {
	*Cluster
	endpoint endpoint
	name     string
	port     uint16
	refresh  time.Duration
	timer    *eventloop.Timer
	host     *Host // nil before the first answer
	failing  bool  // and told
	stopped  bool
}

// Envoy: LogicalDnsCluster::LogicalDnsCluster
func newLogicalDNSCluster(c *Cluster) *logicalDNSCluster {
	only := c.endpoints()[0]
	address := only.GetEndpoint().GetAddress().GetSocketAddress()
	l := &logicalDNSCluster{Cluster: c, endpoint: only, name: address.GetAddress(),
		port:    uint16(address.GetPortValue()),
		refresh: orDefault(c.Config.GetDnsRefreshRate(), defaultRefreshRate)}
	l.timer = c.manager.instance.Dispatcher.CreateTimer("dns refresh", l.startPreInit)
	return l
}

// startPreInit asks, the first time and every other.
//
// Envoy: LogicalDnsCluster::startResolve
func (l *logicalDNSCluster) startPreInit() {
	l.manager.log.Debug("starting async DNS resolution for %s", l.name)
	l.Info.Stats.UpdateAttempt.Inc()
	l.manager.dns.resolve(l.name, l.Config.GetDnsLookupFamily(), l.onAnswer)
}

// onAnswer: no answer, and one without an address, leave the host as it is.
func (l *logicalDNSCluster) onAnswer(found []netip.Addr, err error) {
	if l.stopped {
		return
	}
	l.manager.log.Debug("async DNS resolution complete for %s", l.name)
	if err == nil && len(found) > 0 {
		l.Info.Stats.UpdateSuccess.Inc()
		l.failing = false
		l.moveTo(found[0])
		l.manager.log.Debug("DNS refresh rate reset for %s, refresh rate %d ms", l.name,
			l.refresh.Milliseconds())
	} else {
		l.Info.Stats.UpdateFailure.Inc()
		l.failing = l.manager.tellOfFailure(l.failing, l.Info.Name, l.name, err)
		l.manager.log.Debug("DNS refresh rate reset for %s, (failure) refresh rate %d ms (%v)",
			l.name, l.refresh.Milliseconds(), err)
	}
	l.onPreInitComplete()
	l.timer.Enable(l.refresh)
}

// moveTo gives the host its address. The threads share the host, so they need not be told.
//
// Envoy: LogicalHost::setNewAddress
func (l *logicalDNSCluster) moveTo(ip netip.Addr) {
	a, err := network.ParseInternetAddress(ip.String(), l.port, true)
	switch {
	case err != nil:
	case l.host == nil:
		l.host = l.Cluster.host(l.endpoint, l.name, a)
		l.updateHosts([]*Host{l.host}, true)
	case l.host.Address().String() != a.String():
		l.host.address.Store(a)
	}
}

func (l *logicalDNSCluster) stop() {
	l.stopped = true
	l.timer.Disable()
}
