package upstream

import (
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/stats"
)

// ClusterStats are the numbers below cluster.<name>. that something here changes; all threads count
// into the same ones.
//
// Envoy: Upstream::ClusterStats, ALL_CLUSTER_STATS
type ClusterStats struct {
	BindErrors, HealthyPanic, MembershipChange                   *stats.Counter
	UpdateAttempt, UpdateSuccess, UpdateFailure, UpdateNoRebuild *stats.Counter

	UpstreamCxTotal, UpstreamCxNoneHealthy, UpstreamCxOverflow   *stats.Counter
	UpstreamCxConnectFail, UpstreamCxConnectTimeout              *stats.Counter
	UpstreamCxConnectAttemptsExceeded, UpstreamCxIdleTimeout     *stats.Counter
	UpstreamCxDestroy, UpstreamCxDestroyWithActiveRq             *stats.Counter
	UpstreamCxDestroyLocal, UpstreamCxDestroyLocalWithActiveRq   *stats.Counter
	UpstreamCxDestroyRemote, UpstreamCxDestroyRemoteWithActiveRq *stats.Counter
	UpstreamCxRxBytesTotal, UpstreamCxTxBytesTotal               *stats.Counter
	FlowControlBackedUp, FlowControlDrained                      *stats.Counter
	FlowControlPausedReading, FlowControlResumedReading          *stats.Counter
	UpstreamRqTotal, UpstreamRqCancelled, UpstreamRqPendingTotal *stats.Counter
	UpstreamRqPendingOverflow, UpstreamRqPendingFailureEject     *stats.Counter

	MembershipTotal, MembershipHealthy, MaxHostWeight    *stats.Gauge
	UpstreamCxActive                                     *stats.Gauge
	UpstreamCxRxBytesBuffered, UpstreamCxTxBytesBuffered *stats.Gauge
	UpstreamRqActive, UpstreamRqPendingActive            *stats.Gauge

	UpstreamCxConnectMs, UpstreamCxLengthMs *stats.Histogram

	bytes connection.ConnectionStats // those of them that a connection counts itself
}

// untouchedCounters and untouchedGauges are Envoy's other stats of a cluster. Nothing here changes
// them, but a page of stats has them, as Envoy's has.
var untouchedCounters = [...]string{"assignment_stale", "assignment_timeout_received",
	"lb_local_cluster_not_ok", "lb_recalculate_zone_structures", "lb_subsets_created",
	"lb_subsets_fallback", "lb_subsets_fallback_panic", "lb_subsets_removed", "lb_subsets_selected",
	"lb_zone_cluster_too_small", "lb_zone_no_capacity_left", "lb_zone_number_differs",
	"lb_zone_routing_all_directly", "lb_zone_routing_cross_zone", "lb_zone_routing_sampled",
	"original_dst_host_invalid", "retry_or_shadow_abandoned", "update_empty",
	"upstream_cx_close_notify", "upstream_cx_http1_total", "upstream_cx_http2_total",
	"upstream_cx_max_requests", "upstream_cx_pool_overflow", "upstream_cx_protocol_error",
	"upstream_internal_redirect_failed_total", "upstream_internal_redirect_succeeded_total",
	"upstream_rq_completed", "upstream_rq_maintenance_mode", "upstream_rq_max_duration_reached",
	"upstream_rq_per_try_timeout", "upstream_rq_retry", "upstream_rq_retry_backoff_exponential",
	"upstream_rq_retry_backoff_ratelimited", "upstream_rq_retry_limit_exceeded",
	"upstream_rq_retry_overflow", "upstream_rq_retry_success", "upstream_rq_rx_reset",
	"upstream_rq_timeout", "upstream_rq_tx_reset"}

var untouchedGauges = [...]string{"lb_subsets_active", "membership_degraded",
	"membership_excluded", "version"}

// Envoy: Upstream::ClusterInfoImpl::generateStats
func newClusterStats(scope *stats.Scope) *ClusterStats {
	for _, name := range untouchedCounters {
		scope.Counter(name)
	}
	for _, name := range untouchedGauges {
		scope.Gauge(name)
	}
	s := &ClusterStats{UpstreamCxConnectMs: scope.Histogram("upstream_cx_connect_ms"),
		UpstreamCxLengthMs: scope.Histogram("upstream_cx_length_ms")}
	for name, counter := range s.counters() {
		*counter = scope.Counter(name)
	}
	for name, gauge := range s.gauges() {
		*gauge = scope.Gauge(name)
	}
	s.bytes = connection.ConnectionStats{ReadTotal: s.UpstreamCxRxBytesTotal,
		ReadCurrent: s.UpstreamCxRxBytesBuffered, WriteTotal: s.UpstreamCxTxBytesTotal,
		WriteCurrent: s.UpstreamCxTxBytesBuffered, BindErrors: s.BindErrors}
	return s
}

// counters are the fields by their names on the page of stats.
func (s *ClusterStats) counters() map[string]**stats.Counter {
	return map[string]**stats.Counter{
		"bind_errors":                                 &s.BindErrors,
		"lb_healthy_panic":                            &s.HealthyPanic,
		"membership_change":                           &s.MembershipChange,
		"update_attempt":                              &s.UpdateAttempt,
		"update_failure":                              &s.UpdateFailure,
		"update_no_rebuild":                           &s.UpdateNoRebuild,
		"update_success":                              &s.UpdateSuccess,
		"upstream_cx_connect_attempts_exceeded":       &s.UpstreamCxConnectAttemptsExceeded,
		"upstream_cx_connect_fail":                    &s.UpstreamCxConnectFail,
		"upstream_cx_connect_timeout":                 &s.UpstreamCxConnectTimeout,
		"upstream_cx_destroy":                         &s.UpstreamCxDestroy,
		"upstream_cx_destroy_local":                   &s.UpstreamCxDestroyLocal,
		"upstream_cx_destroy_local_with_active_rq":    &s.UpstreamCxDestroyLocalWithActiveRq,
		"upstream_cx_destroy_remote":                  &s.UpstreamCxDestroyRemote,
		"upstream_cx_destroy_remote_with_active_rq":   &s.UpstreamCxDestroyRemoteWithActiveRq,
		"upstream_cx_destroy_with_active_rq":          &s.UpstreamCxDestroyWithActiveRq,
		"upstream_cx_idle_timeout":                    &s.UpstreamCxIdleTimeout,
		"upstream_cx_none_healthy":                    &s.UpstreamCxNoneHealthy,
		"upstream_cx_overflow":                        &s.UpstreamCxOverflow,
		"upstream_cx_rx_bytes_total":                  &s.UpstreamCxRxBytesTotal,
		"upstream_cx_total":                           &s.UpstreamCxTotal,
		"upstream_cx_tx_bytes_total":                  &s.UpstreamCxTxBytesTotal,
		"upstream_flow_control_backed_up_total":       &s.FlowControlBackedUp,
		"upstream_flow_control_drained_total":         &s.FlowControlDrained,
		"upstream_flow_control_paused_reading_total":  &s.FlowControlPausedReading,
		"upstream_flow_control_resumed_reading_total": &s.FlowControlResumedReading,
		"upstream_rq_cancelled":                       &s.UpstreamRqCancelled,
		"upstream_rq_pending_failure_eject":           &s.UpstreamRqPendingFailureEject,
		"upstream_rq_pending_overflow":                &s.UpstreamRqPendingOverflow,
		"upstream_rq_pending_total":                   &s.UpstreamRqPendingTotal,
		"upstream_rq_total":                           &s.UpstreamRqTotal,
	}
}

func (s *ClusterStats) gauges() map[string]**stats.Gauge {
	return map[string]**stats.Gauge{
		"max_host_weight":               &s.MaxHostWeight,
		"membership_healthy":            &s.MembershipHealthy,
		"membership_total":              &s.MembershipTotal,
		"upstream_cx_active":            &s.UpstreamCxActive,
		"upstream_cx_rx_bytes_buffered": &s.UpstreamCxRxBytesBuffered,
		"upstream_cx_tx_bytes_buffered": &s.UpstreamCxTxBytesBuffered,
		"upstream_rq_active":            &s.UpstreamRqActive,
		"upstream_rq_pending_active":    &s.UpstreamRqPendingActive,
	}
}
