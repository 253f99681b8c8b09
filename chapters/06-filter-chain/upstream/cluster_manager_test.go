package upstream

import (
	"fmt"
	"strings"
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

func TestStaticClustersAreInitializedAtOnceOnceTheServerIsReady(t *testing.T) {
	l := prepare(t, 0, static("b", 1, "")+static("a", 2, ""))
	m, err := NewClusterManager(l.i, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.m = m
	told := false
	m.SetInitializedCb(func() { told = true })
	if !told {
		t.Error("it waits, though all hosts are known")
	}
	got := strings.Join(l.log.containing("cm init", "Primary", "maybe", "continue"), "\n")
	want := strings.Join([]string{
		"initializing Primary cluster a completed", "cm init: init complete: cluster=a primary=0 secondary=0",
		"maybe finish initialize state: 0", "cm init: adding: cluster=a primary=0 secondary=0",
		"initializing Primary cluster b completed", "cm init: init complete: cluster=b primary=0 secondary=0",
		"maybe finish initialize state: 0", "cm init: adding: cluster=b primary=0 secondary=0",
		"maybe finish initialize state: 1", "maybe finish initialize primary init clusters empty: true",
		"continue initializing secondary clusters", "maybe finish initialize state: 2",
		"maybe finish initialize primary init clusters empty: true",
		"maybe finish initialize secondary init clusters empty: true",
		"maybe finish initialize cds api ready: false", "cm init: all clusters initialized"}, "\n")
	if got != want {
		t.Errorf("the log is:\n%s\nwant:\n%s", got, want)
	}
	told = false
	if m.SetInitializedCb(func() { told = true }); !told {
		t.Error("who asks later is not told")
	}
	m.Shutdown()
}

func TestThreadsSeeWholeVersionsOfTheHosts(t *testing.T) {
	l := newLab(t, 2, nil, static("c", 1, "")).initialized()
	l.expect("c.membership_total", "1", "c.membership_change", "1")
	l.main.do(func() {
		c := l.m.clusters[0]
		for n := range uint32(50) {
			c.updateHosts(hosts(make([]uint32, n+1)...), true)
		}
	})
	for _, w := range l.workers {
		w.do(func() {
			c := l.m.Get(w.Dispatcher, "c")
			if len(c.Hosts()) != 50 {
				t.Errorf("a worker has %d hosts", len(c.Hosts()))
			}
			if got := picks(c.balancer, 100); len(got) != 50 {
				t.Errorf("its balancer knows %d", len(got))
			}
		})
	}
	l.expect("c.membership_change", "51")
}

func TestEachThreadHasABalancerOfItsOwn(t *testing.T) {
	l := newLab(t, 2, nil, static("c", 1, "")).initialized()
	seen := map[LoadBalancer]bool{}
	for _, w := range append(l.workers, l.main) {
		w.do(func() { seen[l.m.Get(w.Dispatcher, "c").balancer] = true })
	}
	if len(seen) != 3 {
		t.Errorf("%d balancers for 3 threads", len(seen))
	}
}

func TestAnOptionThatIsNeverSetIsWarnedOf(t *testing.T) {
	l := newLab(t, 0, nil, static("c", 1, ", upstream_bind_config: {source_address: {address: 127.0.0.1, "+
		"port_value: 0}, socket_options: [{level: 1, name: 12, int_value: 2, state: STATE_LISTENING}]}"))
	if got := l.log.containing("is never set"); len(got) != 1 ||
		!strings.HasPrefix(got[0], "cluster 'c': upstream_bind_config.socket_options[0] has state STATE_LISTENING") {
		t.Errorf("%q", got)
	}
}

const pageOfClusters = `  - name: web
    alt_stat_name: other
    circuit_breakers: {thresholds: [{max_connections: 7}, {priority: HIGH, max_pending_requests: 8}]}
    load_assignment:
      cluster_name: web
      endpoints:
      - locality: {region: r, zone: z, sub_zone: s}
        lb_endpoints:
        - load_balancing_weight: 3
          metadata: {filter_metadata: {envoy.lb: {canary: true}}}
          endpoint: {hostname: h, address: {socket_address: {address: 10.0.0.1, port_value: 80}}}
        - endpoint: {address: {pipe: {path: /run/x}}}
`

func TestThePageOfClustersIsEnvoys(t *testing.T) {
	l := newLab(t, 0, nil, pageOfClusters)
	var text []byte
	l.main.do(func() {
		l.m.clusters[0].hosts[0].Stats.CxTotal.Add(5)
		text = l.m.text()
	})
	want := `web::default_priority::max_connections::7
web::default_priority::max_pending_requests::1024
web::default_priority::max_requests::1024
web::default_priority::max_retries::3
web::high_priority::max_connections::1024
web::high_priority::max_pending_requests::8
web::high_priority::max_requests::1024
web::high_priority::max_retries::3
web::added_via_api::false
web::10.0.0.1:80::cx_active::0
web::10.0.0.1:80::cx_connect_fail::0
web::10.0.0.1:80::cx_total::5
web::10.0.0.1:80::rq_active::0
web::10.0.0.1:80::rq_error::0
web::10.0.0.1:80::rq_success::0
web::10.0.0.1:80::rq_timeout::0
web::10.0.0.1:80::rq_total::0
web::10.0.0.1:80::hostname::h
web::10.0.0.1:80::health_flags::healthy
web::10.0.0.1:80::weight::3
web::10.0.0.1:80::region::r
web::10.0.0.1:80::zone::z
web::10.0.0.1:80::sub_zone::s
web::10.0.0.1:80::canary::true
web::10.0.0.1:80::priority::0
web::10.0.0.1:80::success_rate::-1.0
web::10.0.0.1:80::local_origin_success_rate::-1.0
web::/run/x::cx_active::0
`
	if got := string(text); !strings.HasPrefix(got, want) {
		t.Errorf("the page is\n%s", got)
	}
	l.expect("other.membership_total", "2", "other.circuit_breakers.high.cx_open", "0")
}

func TestThePageOfClustersInJSON(t *testing.T) {
	l := newLab(t, 0, nil, pageOfClusters)
	l.main.do(func() {
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(l.m.status())
		if err != nil {
			t.Error(err)
			return
		}
		got := strings.ReplaceAll(string(text), " ", "")
		for _, want := range []string{`"name":"web"`, `"max_connections":7`, `{"priority":"HIGH"`, `"max_retries":3`,
			`"socket_address":{"address":"10.0.0.1","port_value":80}`, `"pipe":{"path":"/run/x"}`,
			`{"name":"cx_connect_fail"},{"name":"cx_total"}`, `{"type":"GAUGE","name":"rq_active"}`,
			`"health_status":{"eds_health_status":"HEALTHY"}`, `"weight":3`, `"hostname":"h"`,
			`"locality":{"region":"r","zone":"z","sub_zone":"s"}`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is not in %s", want, got)
			}
		}
	})
}

func TestTheConfigDumpHoldsTheClustersAsConfigured(t *testing.T) {
	l := newLab(t, 0, nil, static("b", 1, "")+static("a", 2, ""))
	l.main.do(func() {
		dump := l.m.dumpClusterConfigs()
		if n := len(dump.GetStaticClusters()); n != 2 {
			t.Fatalf("%d clusters", n)
		}
		first := dump.GetStaticClusters()[0]
		if m, err := first.GetCluster().UnmarshalNew(); err != nil || first.GetLastUpdated() == nil ||
			!strings.Contains(protojson.Format(m), `"a"`) {
			t.Errorf("the first is %v (%v)", m, err)
		}
	})
}

func TestTheConfigDumpHoldsTheHostsByTheirPlace(t *testing.T) {
	l := newLab(t, 0, nil, `  - name: web
    load_assignment:
      cluster_name: web
      endpoints:
      - {locality: {zone: b}, lb_endpoints: [{endpoint: {address: {pipe: {path: /1}}}}]}
      - {locality: {zone: a}, lb_endpoints: [{endpoint: {address: {pipe: {path: /2}}}}]}
      - {locality: {zone: b}, lb_endpoints: [{endpoint: {address: {pipe: {path: /3}}}, load_balancing_weight: 5}]}
`)
	l.main.do(func() {
		m, err := l.m.dumpEndpointConfigs().GetStaticEndpointConfigs()[0].GetEndpointConfig().UnmarshalNew()
		if err != nil {
			t.Error(err)
			return
		}
		a := m.(*endpointv3.ClusterLoadAssignment)
		got := ""
		for _, place := range a.GetEndpoints() {
			got += " " + place.GetLocality().GetZone()
			for _, e := range place.GetLbEndpoints() {
				got += fmt.Sprintf(" %s*%d", e.GetEndpoint().GetAddress().GetPipe().GetPath(),
					e.GetLoadBalancingWeight().GetValue())
			}
		}
		if want := " a /2*1 b /1*1 /3*5"; got != want || a.GetPolicy().GetOverprovisioningFactor().GetValue() != 140 {
			t.Errorf("it is %q, want %q", got, want)
		}
	})
}

func TestTheManagerCountsItsClusters(t *testing.T) {
	l := newLab(t, 0, nil, static("b", 1, "")+static("a", 2, ""))
	want := map[string]string{"cluster_manager.cluster_added": "2", "cluster_manager.active_clusters": "2",
		"cluster_manager.warming_clusters": "0", "cluster_manager.cluster_removed": "0"}
	l.i.Stats.Each(func(_, name, value string, _ bool) {
		if w, ok := want[name]; ok && w == value {
			delete(want, name)
		}
	})
	if len(want) > 0 {
		t.Errorf("missing or wrong: %v", want)
	}
}
