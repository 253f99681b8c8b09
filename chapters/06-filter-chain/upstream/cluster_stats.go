package upstream

import "envoywalk/internal/stats"

// ClusterStats are the numbers below cluster.<name>. that something here changes; all threads count
// into the same ones.
//
// Envoy: Upstream::ClusterStats, ALL_CLUSTER_STATS
type ClusterStats struct {
	BindErrors, HealthyPanic                                               *stats.Counter
	MembershipChange                                                       *stats.Counter
	UpdateAttempt, UpdateSuccess, UpdateFailure                            *stats.Counter
	UpdateNoRebuild                                                        *stats.Counter
	UpstreamCxTotal, UpstreamCxNoneHealthy, UpstreamCxOverflow             *stats.Counter
	UpstreamCxConnectFail, UpstreamCxConnectTimeout                        *stats.Counter
	UpstreamCxConnectAttemptsExceeded                                      *stats.Counter
	UpstreamCxDestroy, UpstreamCxDestroyLocal, UpstreamCxDestroyRemote     *stats.Counter
	UpstreamCxDestroyWithActiveRq                                          *stats.Counter
	UpstreamCxDestroyLocalWithActiveRq                                     *stats.Counter
	UpstreamCxDestroyRemoteWithActiveRq                                    *stats.Counter
	UpstreamCxIdleTimeout, UpstreamCxRxBytesTotal, UpstreamCxTxBytesTotal  *stats.Counter
	FlowControlBackedUp, FlowControlDrained                                *stats.Counter
	FlowControlPausedReading, FlowControlResumedReading                    *stats.Counter
	UpstreamRqTotal, UpstreamRqCancelled                                   *stats.Counter
	UpstreamRqPendingTotal, UpstreamRqPendingOverflow                      *stats.Counter
	UpstreamRqPendingFailureEject                                          *stats.Counter
	MembershipTotal, MembershipHealthy, MaxHostWeight                      *stats.Gauge
	UpstreamCxActive, UpstreamCxRxBytesBuffered, UpstreamCxTxBytesBuffered *stats.Gauge
	UpstreamRqActive, UpstreamRqPendingActive                              *stats.Gauge
	UpstreamCxConnectMs, UpstreamCxLengthMs                                *stats.Histogram
}

// untouchedCounters and untouchedGauges are Envoy's other stats of a cluster. Nothing here changes
// them, but a page of stats has them, as Envoy's has.
var untouchedCounters = [...]string{"assignment_stale", "assignment_timeout_received",
	"lb_local_cluster_not_ok", "lb_recalculate_zone_structures", "lb_subsets_created", "lb_subsets_fallback",
	"lb_subsets_fallback_panic", "lb_subsets_removed", "lb_subsets_selected", "lb_zone_cluster_too_small",
	"lb_zone_no_capacity_left", "lb_zone_number_differs", "lb_zone_routing_all_directly",
	"lb_zone_routing_cross_zone", "lb_zone_routing_sampled", "original_dst_host_invalid",
	"retry_or_shadow_abandoned", "update_empty", "upstream_cx_close_notify", "upstream_cx_http1_total",
	"upstream_cx_http2_total", "upstream_cx_max_requests", "upstream_cx_pool_overflow",
	"upstream_cx_protocol_error", "upstream_internal_redirect_failed_total",
	"upstream_internal_redirect_succeeded_total", "upstream_rq_completed", "upstream_rq_maintenance_mode",
	"upstream_rq_max_duration_reached", "upstream_rq_per_try_timeout", "upstream_rq_retry",
	"upstream_rq_retry_backoff_exponential", "upstream_rq_retry_backoff_ratelimited",
	"upstream_rq_retry_limit_exceeded", "upstream_rq_retry_overflow", "upstream_rq_retry_success",
	"upstream_rq_rx_reset", "upstream_rq_timeout", "upstream_rq_tx_reset"}

var untouchedGauges = [...]string{"lb_subsets_active", "membership_degraded", "membership_excluded", "version"}

// Envoy: Upstream::ClusterInfoImpl::generateStats
func newClusterStats(s *stats.Scope) *ClusterStats {
	for _, name := range untouchedCounters {
		s.Counter(name)
	}
	for _, name := range untouchedGauges {
		s.Gauge(name)
	}
	c, g := s.Counter, s.Gauge
	return &ClusterStats{
		BindErrors: c("bind_errors"), HealthyPanic: c("lb_healthy_panic"),
		MembershipChange: c("membership_change"), UpdateAttempt: c("update_attempt"),
		UpdateSuccess: c("update_success"), UpdateFailure: c("update_failure"),
		UpdateNoRebuild: c("update_no_rebuild"), UpstreamCxTotal: c("upstream_cx_total"),
		UpstreamCxNoneHealthy: c("upstream_cx_none_healthy"), UpstreamCxOverflow: c("upstream_cx_overflow"),
		UpstreamCxConnectFail: c("upstream_cx_connect_fail"), UpstreamCxConnectTimeout: c("upstream_cx_connect_timeout"),
		UpstreamCxConnectAttemptsExceeded: c("upstream_cx_connect_attempts_exceeded"),
		UpstreamCxDestroy:                 c("upstream_cx_destroy"), UpstreamCxDestroyLocal: c("upstream_cx_destroy_local"),
		UpstreamCxDestroyRemote:             c("upstream_cx_destroy_remote"),
		UpstreamCxDestroyWithActiveRq:       c("upstream_cx_destroy_with_active_rq"),
		UpstreamCxDestroyLocalWithActiveRq:  c("upstream_cx_destroy_local_with_active_rq"),
		UpstreamCxDestroyRemoteWithActiveRq: c("upstream_cx_destroy_remote_with_active_rq"),
		UpstreamCxIdleTimeout:               c("upstream_cx_idle_timeout"),
		UpstreamCxRxBytesTotal:              c("upstream_cx_rx_bytes_total"), UpstreamCxTxBytesTotal: c("upstream_cx_tx_bytes_total"),
		FlowControlBackedUp:       c("upstream_flow_control_backed_up_total"),
		FlowControlDrained:        c("upstream_flow_control_drained_total"),
		FlowControlPausedReading:  c("upstream_flow_control_paused_reading_total"),
		FlowControlResumedReading: c("upstream_flow_control_resumed_reading_total"),
		UpstreamRqTotal:           c("upstream_rq_total"), UpstreamRqCancelled: c("upstream_rq_cancelled"),
		UpstreamRqPendingTotal: c("upstream_rq_pending_total"), UpstreamRqPendingOverflow: c("upstream_rq_pending_overflow"),
		UpstreamRqPendingFailureEject: c("upstream_rq_pending_failure_eject"),
		MembershipTotal:               g("membership_total"), MembershipHealthy: g("membership_healthy"),
		MaxHostWeight: g("max_host_weight"), UpstreamCxActive: g("upstream_cx_active"),
		UpstreamCxRxBytesBuffered: g("upstream_cx_rx_bytes_buffered"), UpstreamCxTxBytesBuffered: g("upstream_cx_tx_bytes_buffered"),
		UpstreamRqActive: g("upstream_rq_active"), UpstreamRqPendingActive: g("upstream_rq_pending_active"),
		UpstreamCxConnectMs: s.Histogram("upstream_cx_connect_ms"), UpstreamCxLengthMs: s.Histogram("upstream_cx_length_ms"),
	}
}
