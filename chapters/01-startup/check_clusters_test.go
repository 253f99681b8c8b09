package startup

import (
	"strings"
	"testing"

	"envoywalk/internal/config"
)

// Both modes check the same, before anything is opened: see checkStatic.
func TestClustersWhosePartsDoNotFitAreRefusedWithTheirPlace(t *testing.T) {
	const host = "load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: "
	for _, c := range []struct{ cluster, sentence, path string }{
		{"{name: c}, {name: d}, {name: c}", "cluster manager: duplicate cluster 'c'", "clusters[2].name"},
		{"{name: c, " + host + "{socket_address: {address: web.test, port_value: 80}}}}]}]}}",
			"malformed IP address: web.test. Consider setting resolver_name or setting cluster type to " +
				"'STRICT_DNS' or 'LOGICAL_DNS'",
			"clusters[0].load_assignment.endpoints[0].lb_endpoints[0].endpoint.address"},
		{"{name: c, type: ORIGINAL_DST}", "cluster: LB policy ROUND_ROBIN is not valid for Cluster type " +
			"ORIGINAL_DST. Only 'CLUSTER_PROVIDED' or 'ORIGINAL_DST_LB' is allowed with cluster type 'ORIGINAL_DST'",
			"clusters[0].lb_policy"},
		{"{name: c, lb_policy: CLUSTER_PROVIDED}", "cluster manager: cluster provided LB specified but cluster 'c' " +
			"did not provide one. Check cluster documentation.", "clusters[0].lb_policy"},
		{"{name: c, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, load_assignment: {cluster_name: c}}",
			"ORIGINAL_DST clusters must have no load assignment or hosts configured", "clusters[0].load_assignment"},
		{"{name: c, type: LOGICAL_DNS}",
			"LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint", "clusters[0]"},
		{"{name: c, type: STRICT_DNS, " + host + "{pipe: {path: /x}}}}]}]}}",
			"STRICT_DNS clusters must have socket addresses", "endpoint.address"},
		{"{name: c, type: STRICT_DNS, " + host +
			"{socket_address: {address: a, port_value: 1, resolver_name: envoy.ip}}}}]}]}}",
			"STRICT_DNS clusters must NOT have a custom resolver name set", "endpoint.address"},
		{"{name: c, upstream_bind_config: {source_address: {address: here, port_value: 0}}}",
			"malformed IP address: here", "clusters[0].upstream_bind_config.source_address"},
	} {
		yaml := "static_resources: {clusters: [" + c.cluster + "]}"
		loaded, err := config.Load(config.Options{Chapter: 6, YAML: yaml})
		if err != nil {
			t.Errorf("%s: %v", c.cluster, err)
			continue
		}
		err = checkStatic(loaded, &Chapter{})
		if err == nil || !strings.HasPrefix(err.Error(), c.sentence+"\n") || !strings.Contains(err.Error(), c.path) ||
			!strings.Contains(err.Error(), "hint: ") {
			t.Errorf("%s: %v", c.cluster, err)
		}
	}
}

func TestClustersOfEveryTypeThatFitAreAccepted(t *testing.T) {
	const host = "load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: " +
		"{socket_address: {address: web.test, port_value: 80}}}}]}]}"
	for _, cluster := range []string{"{name: c}", "{name: c, type: STRICT_DNS, " + host + "}",
		"{name: c, type: LOGICAL_DNS, " + host + "}", "{name: c, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}",
		"{name: c, load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: " +
			"{pipe: {path: '@x'}}}}]}]}}"} {
		loaded, err := config.Load(config.Options{Chapter: 6, YAML: "static_resources: {clusters: [" + cluster + "]}"})
		if err == nil {
			err = checkStatic(loaded, &Chapter{})
		}
		if err != nil {
			t.Errorf("%s: %v", cluster, err)
		}
	}
}
