package upstream

import (
	"math"
	"sync/atomic"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/stats"
)

// Priority says which of a cluster's two circuit breakers counts.
//
// Envoy: Upstream::ResourcePriority
type Priority int

const (
	Default Priority = iota
	High
)

// ResourceManager is the circuit breaker of one priority of a cluster.
//
// Envoy: Upstream::ResourceManagerImpl
type ResourceManager struct {
	Connections, PendingRequests, Requests, Retries, ConnectionPools *ResourceLimit
}

// ResourceLimit counts one kind of thing that there may be only so many of, on all threads. Asking
// and counting are two steps, so that threads which ask at the same time may go over the limit by
// their number: Envoy bears that for want of a lock, and so do we.
//
// Envoy: Upstream::ManagedResourceImpl
type ResourceLimit struct {
	current   atomic.Uint64
	max       uint64
	key       string // the runtime's, which wins over max
	runtime   *startup.Runtime
	open      *stats.Gauge // 1: no more
	remaining *stats.Gauge // nil: not tracked
}

// CanCreate says whether one more is allowed. d is the calling thread's dispatcher.
//
// Envoy: BasicResourceLimitImpl::canCreate
func (r *ResourceLimit) CanCreate(d *eventloop.Dispatcher) bool { return r.current.Load() < r.Max(d) }

// Max is the limit in the calling thread's view of the runtime.
//
// Envoy: BasicResourceLimitImpl::max
func (r *ResourceLimit) Max(d *eventloop.Dispatcher) uint64 {
	if r.runtime == nil {
		return r.max
	}
	return r.runtime.Integer(d, r.key, r.max)
}

// Count is how many there are.
func (r *ResourceLimit) Count() uint64 { return r.current.Load() }

// Inc counts one more, whether it is allowed or not.
func (r *ResourceLimit) Inc(d *eventloop.Dispatcher) { r.changed(d, r.current.Add(1)) }

// Dec counts one less.
func (r *ResourceLimit) Dec(d *eventloop.Dispatcher) { r.changed(d, r.current.Add(^uint64(0))) }

// changed sets the gauges; they are set, not counted, as current may be above the limit.
func (r *ResourceLimit) changed(d *eventloop.Dispatcher, current uint64) {
	limit := r.Max(d)
	left := limit - min(current, limit)
	r.open.Set(uint64(1 - min(1, left)))
	if r.remaining != nil {
		r.remaining.Set(left)
	}
}

// newResourceManager reads what the configuration says of a priority; the first entry counts.
//
// Envoy: ClusterInfoImpl::ResourceManagers::load
func newResourceManager(i *startup.Instance, c *clusterv3.Cluster, scope *stats.Scope,
	p corev3.RoutingPriority) *ResourceManager {
	name := map[corev3.RoutingPriority]string{corev3.RoutingPriority_DEFAULT: "default",
		corev3.RoutingPriority_HIGH: "high"}[p]
	var set *clusterv3.CircuitBreakers_Thresholds
	for _, t := range c.GetCircuitBreakers().GetThresholds() {
		if t.GetPriority() == p {
			set = t
			break
		}
	}
	gauges := scope.Scope("circuit_breakers." + name)
	limit := func(what, open, remaining string, value *wrapperspb.UInt32Value,
		otherwise uint64) *ResourceLimit {
		r := &ResourceLimit{max: otherwise, runtime: i.Runtime, open: gauges.Gauge(open),
			key: "circuit_breakers." + c.GetName() + "." + name + "." + what}
		if value != nil {
			r.max = uint64(value.GetValue())
		}
		if set.GetTrackRemaining() {
			r.remaining = gauges.Gauge(remaining)
			r.remaining.Set(r.max)
		}
		return r
	}
	return &ResourceManager{
		Connections: limit("max_connections", "cx_open", "remaining_cx",
			set.GetMaxConnections(), 1024),
		PendingRequests: limit("max_pending_requests", "rq_pending_open", "remaining_pending",
			set.GetMaxPendingRequests(), 1024),
		Requests: limit("max_requests", "rq_open", "remaining_rq", set.GetMaxRequests(), 1024),
		Retries: limit("max_retries", "rq_retry_open", "remaining_retries",
			set.GetMaxRetries(), 3),
		ConnectionPools: limit("max_connection_pools", "cx_pool_open", "remaining_cx_pools",
			nil, math.MaxUint64),
	}
}
