package filterchain

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/network"
	"envoywalk/internal/streaminfo"
	"envoywalk/internal/walktest"
)

func threeToOne() weightedClusters {
	return newWeightedClusters(&tcpproxyv3.TcpProxy_WeightedCluster{
		Clusters: []*tcpproxyv3.TcpProxy_WeightedCluster_ClusterWeight{
			{Name: "a", Weight: 3}, {Name: "b", Weight: 1}}})
}

func TestEachWeightIsThatManyOfTheDraws(t *testing.T) {
	w, got := threeToOne(), ""
	for draw := range uint64(9) {
		got += w.pickCluster(draw)
	}
	same(t, "the draws 0 to 8", got, "aaabaaaba")
}

func TestTheLargestWeightsDoNotOverflow(t *testing.T) {
	const most = math.MaxUint32
	w := newWeightedClusters(&tcpproxyv3.TcpProxy_WeightedCluster{
		Clusters: []*tcpproxyv3.TcpProxy_WeightedCluster_ClusterWeight{
			{Name: "a", Weight: most}, {Name: "b", Weight: most}}})
	same(t, "the first of b", w.pickCluster(most), "b")
	same(t, "the last of b", w.pickCluster(2*most-1), "b")
	same(t, "the first again", w.pickCluster(2*most), "a")
}

func TestDrawsComeOutByWeight(t *testing.T) {
	w, a := threeToOne(), 0
	const draws = 100_000
	for range draws {
		if w.random() == "a" {
			a++
		}
	}
	const deviation = 137 // of the number of a: sqrt(draws * 3/4 * 1/4)
	if math.Abs(float64(a-draws*3/4)) > 6*deviation {
		t.Errorf("a was drawn %d times of %d", a, draws)
	}
}

func TestAFilterBeforeTcpProxyMayChooseTheCluster(t *testing.T) {
	c := &tcpProxyConfig{cluster: "configured"}
	info := &streaminfo.StreamInfo{}
	same(t, "without a choice", c.pickRoute(info), "configured")
	info.SetFilterState("envoy.tcp_proxy.cluster", "chosen")
	same(t, "with one", c.pickRoute(info), "chosen")
	c.weighted = threeToOne()
	if got := c.pickRoute(info); got != "a" && got != "b" {
		t.Errorf("weighted clusters know no choice, in Envoy: got %q", got)
	}
}

// from is a filter whose client has this address.
func from(t *testing.T, c *tcpProxyConfig, address *network.Address) *TcpProxy {
	client := &connection.Connection{Info: &streaminfo.StreamInfo{DownstreamRemote: address}}
	return &TcpProxy{config: c, read: &ReadFilterCallbacks{manager: &FilterManager{connection: client}}}
}

func TestTheHashOfASourceIPIsTheClientsWhateverItsPort(t *testing.T) {
	address := func(ip string, port uint16) *network.Address {
		a, err := network.ParseInternetAddress(ip, port, false)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	pipe, _ := network.NewPipe("/tmp/p", 0)
	hashing := &tcpProxyConfig{hashesIP: true}
	one, ok := from(t, hashing, address("10.0.0.1", 1)).HashKey()
	same(t, "it has a key", ok, true)
	again, _ := from(t, hashing, address("10.0.0.1", 2)).HashKey()
	same(t, "another port", again, one)
	if other, _ := from(t, hashing, address("10.0.0.2", 1)).HashKey(); other == one {
		t.Error("two clients have one key")
	}
	_, ok = from(t, hashing, pipe).HashKey()
	same(t, "a unix socket has a key", ok, false)
	_, ok = from(t, &tcpProxyConfig{}, address("10.0.0.1", 1)).HashKey()
	same(t, "without a policy there is a key", ok, false)
}

// refusal is what the server says about a scene that it does not accept.
func (s scene) refusal(t *testing.T, mode string) string {
	t.Helper()
	config := walktest.Config(t, "%s", s.yaml())
	out, err := exec.Command(walktest.Binary(t, "06"), "-c", config, "--mode", mode).CombinedOutput()
	if err == nil {
		t.Fatalf("%s is accepted:\n%s", s.proxy, out)
	}
	return strings.ReplaceAll(string(out), config, filepath.Base(config))
}

func TestAConfigurationIsRefusedInEnvoysWords(t *testing.T) {
	for proxy, want := range map[string][]string{
		"idle_timeout: -1s": {"Expected positive duration: ",
			"listeners[0].filter_chains[0].filters[0].typed_config.idle_timeout"},
		"weighted_clusters: {clusters: [{name: c, weight: 0}]}": {"value must be greater than or equal to 1",
			"weighted_clusters.clusters[0].weight"},
		"weighted_clusters: {clusters: []}":               {"value must contain at least 1 item(s)"},
		"max_connect_attempts: 0":                         {"value must be greater than or equal to 1"},
		"max_downstream_connection_duration: 0s":          {"value must be greater than or equal to 1ms"},
		"hash_policy: [{source_ip: {}}, {source_ip: {}}]": {"value must contain no more than 1 item(s)"},
		"hash_policy: [{filter_state: {key: k}}]":         {"hash_policy[0].filter_state"},
		"metadata_match: {}":                              {"metadata_match"},
		"tunneling_config: {hostname: h}":                 {"tunneling_config"},
		"access_log: [{name: envoy.access_loggers.file, typed_config: {\"@type\": " +
			"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /no/such/folder}}]": {
			"unable to open file", "filters[0].typed_config.access_log[0]"},
	} {
		got := scene{proxy: proxy, hosts: []string{"127.0.0.1:9"}}.refusal(t, "init_only")
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q is not in\n%s", proxy, part, got)
			}
		}
	}
}

func TestATimeoutThatServingWouldRefuseIsNotValid(t *testing.T) {
	got := scene{proxy: "idle_timeout: -1s", hosts: []string{"127.0.0.1:9"}}.refusal(t, "validate")
	if !strings.Contains(got, "Expected positive duration: ") {
		t.Errorf("it is refused for another reason:\n%s", got)
	}
}

func TestWeightedClustersEachGetConnections(t *testing.T) {
	c, d := listen(t), listen(t)
	p := scene{proxy: "weighted_clusters: {clusters: [{name: c, weight: 1}, {name: d, weight: 1}]}",
		hosts: []string{c.address()}, more: "- " + cluster("d", "", d.address())}.start(t)
	const all = 40 // that one of two gets none of them happens once in 2^39 times
	for range all {
		p.dial()
	}
	p.becomes(p.counter, "downstream_cx_total", all)
	toC, toD := "cluster.c.upstream_cx_total", "cluster.d.upstream_cx_total"
	p.eventually("all are connected", func() bool { return p.counter(toC)+p.counter(toD) == all })
	if p.counter(toC) == 0 || p.counter(toD) == 0 {
		t.Errorf("%d went to c and %d to d", p.counter(toC), p.counter(toD))
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	walktest.CleanUp()
	os.Exit(code)
}
