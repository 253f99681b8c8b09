package stats

import (
	"fmt"
	"testing"
)

// The names are those of this project's stats; what becomes of them is what Envoy's own test of its
// default tags expects.
func TestDefaultTagsAreCutOutOfTheNames(t *testing.T) {
	for name, want := range map[string]string{
		"server.live": "server.live []",
		"listener.127.0.0.1_3012.http.http_prefix.downstream_rq_5xx": "listener.http.downstream_rq_xx " +
			"[{envoy.response_code_class 5} {envoy.http_conn_manager_prefix http_prefix} " +
			"{envoy.listener_address 127.0.0.1_3012}]",
		"listener.[__1]_0.downstream_cx_total": "listener.downstream_cx_total " +
			"[{envoy.listener_address [__1]_0}]",
		"listener.127.0.0.1_80.worker_1.downstream_cx_active": "listener.worker_1.downstream_cx_active " +
			"[{envoy.listener_address 127.0.0.1_80}]",
		"listener.admin.downstream_cx_total":       "listener.admin.downstream_cx_total []",
		"listener./tmp/a.sock.downstream_cx_total": "listener./tmp/a.sock.downstream_cx_total []",
		"cluster.ratelimit.upstream_rq_timeout":    "cluster.upstream_rq_timeout [{envoy.cluster_name ratelimit}]",
		"cluster.c.external.upstream_rq_503":       "cluster.external.upstream_rq [{envoy.response_code 503} {envoy.cluster_name c}]",
		"cluster.c.lb_healthy_panic":               "cluster.lb_healthy_panic [{envoy.cluster_name c}]",
		"cluster_manager.cluster_added":            "cluster_manager.cluster_added []",
		"tcp.ingress.downstream_cx_total":          "tcp.downstream_cx_total [{envoy.tcp_prefix ingress}]",
		"tcp.a.b.downstream_cx_total":              "tcp.downstream_cx_total [{envoy.tcp_prefix a.b}]",
		"http.egress.user_agent.ios.downstream_cx_total": "http.user_agent.downstream_cx_total " +
			"[{envoy.http_user_agent ios} {envoy.http_conn_manager_prefix egress}]",
		"vhost.v.vcluster.c.upstream_rq_2xx": "vhost.vcluster.upstream_rq_xx " +
			"[{envoy.response_code_class 2} {envoy.virtual_cluster c} {envoy.virtual_host v}]",
		"listener_manager.worker_123.dispatcher.loop_duration_us": "listener_manager.dispatcher." +
			"loop_duration_us [{envoy.worker_id worker_123}]",
		"listener_manager.listener_added": "listener_manager.listener_added []",
	} {
		extracted, tags := ExtractTags(name)
		if got := fmt.Sprintf("%s %v", extracted, tags); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func TestCumulativeBucketsHoldWhatIsNotAboveThem(t *testing.T) {
	h := newHistogram("h_ms")
	for _, v := range []uint64{0, 1, 2, 5, 99, 100, 250, 3600000, 1e15} {
		h.RecordValue(v)
	}
	c, at := h.Cumulative(), map[float64]uint64{}
	for i, bound := range SupportedBuckets() {
		at[bound] = c.AtMost[i]
	}
	// 100 shares its bucket with 101 to 109, 250 with up to 259: they are surely below the next.
	for bound, want := range map[float64]uint64{0.5: 1, 1: 2, 5: 4, 50: 4, 100: 5, 250: 6, 500: 7,
		1800000: 7, 3600000: 7} {
		if at[bound] != want {
			t.Errorf("at most %g: %d, want %d", bound, at[bound], want)
		}
	}
	if c.Count != 9 || c.Sum < 1e15 {
		t.Errorf("%d values, sum %g", c.Count, c.Sum)
	}
	small := newHistogram("h")
	small.RecordValue(7)
	small.RecordValue(35)
	if sum := small.Cumulative().Sum; sum != 42 {
		t.Errorf("small values are summed exactly: %g", sum)
	}
}

func TestResettingTouchesCountersOnly(t *testing.T) {
	s := NewStore()
	root := s.Scope("")
	c, g, h := root.Counter("c"), root.Gauge("g"), root.Histogram("h")
	c.Add(3)
	g.Set(4)
	h.RecordValue(5)
	s.ResetCounters()
	if c.Value() != 0 || g.Value() != 4 || !h.Used() {
		t.Errorf("after the reset: %d, %d, %v", c.Value(), g.Value(), h.Used())
	}
	if c.Inc(); root.Counter("c").Value() != 1 {
		t.Error("a counter that was reset counts no more")
	}
}
