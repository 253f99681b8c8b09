package filterchain

import (
	"fmt"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"google.golang.org/protobuf/proto"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/06-filter-chain/upstream"
	"envoywalk/internal/accesslog"
	"envoywalk/internal/config"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
	"envoywalk/internal/streaminfo"
)

// perConnectionCluster is where a filter before tcp_proxy leaves the cluster it has chosen.
//
// Envoy: TcpProxy::PerConnectionCluster::key
const perConnectionCluster = "envoy.tcp_proxy.cluster"

// defaultIdleTimeout is how long a connection may be silent unless the configuration says.
const defaultIdleTimeout = time.Hour

// tcpProxyConfig is what all connections of one configured filter share. Made on main, then only
// read.
//
// Envoy: TcpProxy::Config, TcpProxy::Config::SharedConfig
type tcpProxyConfig struct {
	clusters    *upstream.ClusterManager
	cluster     string
	weighted    weightedClusters
	hashesIP    bool // hash_policy source_ip
	maxAttempts uint32
	idleTimeout time.Duration // 0: none
	maxDuration time.Duration // 0: none
	accessLogs  []*accesslog.Log
	stats       tcpProxyStats
	drain       *startup.Slot // an UpstreamDrainManager for each thread
	log         *log.Component
}

// tcpProxyStats are tcp.<stat_prefix>.*, and bytesDiscarded, our own: what was read from one side
// and could not be sent to the other, as that was closed first.
//
// Envoy: TcpProxy::TcpProxyStats
type tcpProxyStats struct {
	downstream                    *connection.ConnectionStats
	total, noRoute                *stats.Counter
	pausedReading, resumedReading *stats.Counter
	idleTimeout, maxDuration      *stats.Counter
	upstreamFlushTotal            *stats.Counter
	upstreamFlushActive           *stats.Gauge
	bytesDiscarded                *stats.Counter
}

// tcpProxyFactory is the filter as a chain's configuration names it.
//
// Envoy: Extensions::NetworkFilters::TcpProxy::ConfigFactory
func tcpProxyFactory() NetworkFilterFactory {
	return NetworkFilterFactory{Name: "envoy.filters.network.tcp_proxy", Config: &tcpproxyv3.TcpProxy{},
		Terminal: true, Check: checkTcpProxy, Create: createTcpProxy}
}

func checkTcpProxy(message proto.Message, field string) error {
	c := message.(*tcpproxyv3.TcpProxy)
	if err := new(tcpProxyConfig).setTimeouts(c, field); err != nil {
		return err
	}
	for n, l := range c.GetAccessLog() {
		if err := accesslog.Check(l); err != nil {
			return badAccessLog(field, n, err)
		}
	}
	return nil
}

// createTcpProxy makes the shared part on main; the function it returns makes each connection's.
//
// Envoy: Extensions::NetworkFilters::TcpProxy::ConfigFactory::createFilterFactoryFromProtoTyped
func createTcpProxy(context *FactoryContext, message proto.Message) (FilterFactoryCb, error) {
	config, err := newTcpProxyConfig(context, message.(*tcpproxyv3.TcpProxy))
	if err != nil {
		return nil, err
	}
	return func(c *connection.Connection) { AddReadFilter(c, &TcpProxy{config: config}) }, nil
}

// newTcpProxyConfig reads what the loader has checked: there is a cluster or there are weighted
// ones, each weight is at least 1, there is at most one hash policy and that is source_ip.
//
// Envoy: TcpProxy::Config::Config
func newTcpProxyConfig(context *FactoryContext, c *tcpproxyv3.TcpProxy) (*tcpProxyConfig, error) {
	i := context.Listener.Manager.Instance
	config := &tcpProxyConfig{
		clusters: i.ClusterManager.(*upstream.ClusterManager), cluster: c.GetCluster(),
		weighted: newWeightedClusters(c.GetWeightedClusters()), hashesIP: len(c.GetHashPolicy()) > 0,
		maxAttempts: 1, log: i.Log.Component(log.Filter),
		stats: newTcpProxyStats(i.Stats.Scope("tcp." + c.GetStatPrefix()))}
	if attempts := c.GetMaxConnectAttempts(); attempts != nil {
		config.maxAttempts = attempts.GetValue()
	}
	if err := config.setTimeouts(c, context.Field()); err != nil {
		return nil, err
	}
	if err := config.createAccessLogs(context, c.GetAccessLog()); err != nil {
		return nil, err
	}
	config.drain = i.ThreadLocal.AllocateSlot("upstream drain manager")
	config.drain.Set(func(*eventloop.Dispatcher) any { return newUpstreamDrainManager() })
	return config, nil
}

func newTcpProxyStats(s *stats.Scope) tcpProxyStats {
	return tcpProxyStats{
		downstream: &connection.ConnectionStats{
			ReadTotal:    s.Counter("downstream_cx_rx_bytes_total"),
			ReadCurrent:  s.Gauge("downstream_cx_rx_bytes_buffered"),
			WriteTotal:   s.Counter("downstream_cx_tx_bytes_total"),
			WriteCurrent: s.Gauge("downstream_cx_tx_bytes_buffered")},
		total:               s.Counter("downstream_cx_total"),
		noRoute:             s.Counter("downstream_cx_no_route"),
		pausedReading:       s.Counter("downstream_flow_control_paused_reading_total"),
		resumedReading:      s.Counter("downstream_flow_control_resumed_reading_total"),
		idleTimeout:         s.Counter("idle_timeout"),
		maxDuration:         s.Counter("max_downstream_connection_duration"),
		upstreamFlushTotal:  s.Counter("upstream_flush_total"),
		upstreamFlushActive: s.Gauge("upstream_flush_active"),
		bytesDiscarded:      s.Counter("bytes_discarded")}
}

// setTimeouts keeps whole milliseconds, as Envoy does; so an idle_timeout below 1 ms is none.
func (c *tcpProxyConfig) setTimeouts(from *tcpproxyv3.TcpProxy, field string) (err error) {
	c.idleTimeout = defaultIdleTimeout
	if d := from.GetIdleTimeout(); d != nil {
		if c.idleTimeout, err = config.Milliseconds(d); err != nil {
			return listensocket.Elsewhere(field+".idle_timeout", err)
		}
	}
	if d := from.GetMaxDownstreamConnectionDuration(); d != nil {
		c.maxDuration, err = config.Milliseconds(d)
	}
	return err
}

func (c *tcpProxyConfig) createAccessLogs(context *FactoryContext, logs []*accesslogv3.AccessLog) error {
	for n, one := range logs {
		l, err := context.Listener.Manager.Instance.AccessLogs.Create(one)
		if err != nil {
			return badAccessLog(context.Field(), n, err)
		}
		if !l.Discards() {
			c.accessLogs = append(c.accessLogs, l)
		}
	}
	return nil
}

// badAccessLog is err with the place of log n of the filter whose configuration is field.
func badAccessLog(field string, n int, err error) error {
	return listensocket.Elsewhere(fmt.Sprintf("%s.access_log[%d]", field, n), err, accesslog.Hint(err))
}

// pickRoute chooses the cluster for one attempt to connect: a draw among the weighted ones, whatever
// else there is; else what a filter before this one has chosen for the connection; else the
// configured one.
//
// Envoy: TcpProxy::Config::getRouteFromEntries, getRegularRouteFromEntries
func (c *tcpProxyConfig) pickRoute(info *streaminfo.StreamInfo) string {
	if len(c.weighted.clusters) > 0 {
		return c.weighted.random()
	}
	if chosen, found := info.FilterState[perConnectionCluster]; found {
		return chosen
	}
	return c.cluster
}

// drainManager is the calling thread's; d is its dispatcher.
//
// Envoy: TcpProxy::Config::drainManager
func (c *tcpProxyConfig) drainManager(d *eventloop.Dispatcher) *UpstreamDrainManager {
	return c.drain.Get(d).(*UpstreamDrainManager)
}
