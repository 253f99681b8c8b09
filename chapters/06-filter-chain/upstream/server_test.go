package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	startup "envoywalk/chapters/01-startup"
	"envoywalk/internal/stats"
)

// serve runs a whole server with clusters, and no listeners; during asks it from outside.
func serve(t *testing.T, yaml string, during func(*startup.Demo)) (log string) {
	t.Helper()
	s := startup.Wire()
	s.Chapter.Number, s.Chapter.Config, s.Demo = 6, yaml, during
	s.ClusterManager = func(i *startup.Instance) (startup.ClusterManager, error) {
		return NewClusterManager(i, nil)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	path := filepath.Join(t.TempDir(), "log")
	if code := s.Main([]string{"envoywalk", "--trace", "none", "--log-path", path}); code != 0 {
		t.Errorf("exit status %d", code)
	}
	text, _ := os.ReadFile(path)
	return string(text)
}

// page is what the admin answers.
func page(i *startup.Instance, path string) (contentType, body string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1"
	i.Admin.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Result().Body)
	return w.Result().Header.Get("Content-Type"), string(text)
}

const served = `
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
layered_runtime: {layers: [{name: base, static_layer: {circuit_breakers.web.default.max_connections: 3}},
  {name: admin, admin_layer: {}}]}
static_resources:
  clusters:
  - {name: web, circuit_breakers: {thresholds: [{max_connections: 9}]}}
`

func TestTheServersAdminTellsOfTheClusters(t *testing.T) {
	serve(t, served, func(d *startup.Demo) {
		kind, text := page(d.Instance, "/clusters")
		if !strings.Contains(text, "web::added_via_api::false\n") || !strings.HasPrefix(kind, "text/plain") {
			t.Errorf("%s:\n%s", kind, text)
		}
		kind, text = page(d.Instance, "/clusters?format=json")
		if !strings.Contains(text, `"name": "web"`) || kind != "application/json" {
			t.Errorf("%s:\n%s", kind, text)
		}
		if _, text = page(d.Instance, "/config_dump"); !strings.Contains(text, "ClustersConfigDump") {
			t.Errorf("%s", text)
		}
	})
}

func TestTheRuntimeMovesABreakerWhileTheServerRuns(t *testing.T) {
	serve(t, served, func(d *startup.Demo) {
		limit := func() (limit uint64) {
			d.OnMain(func() {
				r := d.Instance.ClusterManager.(*ClusterManager).Clusters()[0].Info.Resources(Default).Connections
				limit = r.Max(d.Instance.Dispatcher)
			})
			return limit
		}
		if n := limit(); n != 3 {
			t.Errorf("the limit is %d: the runtime's does not win over the cluster's", n)
		}
		d.OnMain(func() {
			d.Instance.Runtime.MergeValues(map[string]string{"circuit_breakers.web.default.max_connections": "4"})
		})
		if n := limit(); n != 4 {
			t.Errorf("the limit is %d after a change", n)
		}
	})
}

func TestTheServerTellsThatItsClustersAreReadyBeforeItStartsWorkers(t *testing.T) {
	log := serve(t, served, func(*startup.Demo) {})
	at := -1
	for _, line := range []string{"loading 1 cluster(s)", "loading 0 listener(s)", "loading stats configuration",
		"cm init: all clusters initialized", "all clusters initialized. initializing init manager",
		"all dependencies initialized. starting workers"} {
		next := strings.Index(log, line)
		if next < at {
			t.Errorf("%q stands too early, or not at all:\n%s", line, log)
		}
		at = next
	}
}

// Envoy: ALL_CLUSTER_STATS, and two circuit breakers of five gauges.
func TestAClusterHasAllOfEnvoysStats(t *testing.T) {
	l := newLab(t, 0, nil, static("c", 1, ""))
	kinds := map[string]int{}
	l.i.Stats.Each(func(kind, name, _ string, _ bool) {
		if strings.HasPrefix(name, "cluster.c.") {
			kinds[kind]++
		}
	})
	if kinds[stats.KindCounter] != 70 || kinds[stats.KindGauge] != 12+10 || kinds[stats.KindHistogram] != 2 {
		t.Errorf("they are %v", kinds)
	}
}
