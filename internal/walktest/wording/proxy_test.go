package wording

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// What chapters 05 and 06 say: listener filters, filter chains, clusters.
const (
	terminalNotLast = "Error: terminal filter named {} of type {} must be the last filter in a {} filter chain."
	lastNotTerminal = "Error: non-terminal filter named {} of type {} is the last filter in a {} filter chain."
	sameRules       = "error adding listener '{}': filter chain '{}' has the same matching rules defined as '{}'"
	overlapping     = "error adding listener '{}': multiple filter chains with overlapping matching rules are defined"
	partialWildcard = `error adding listener '{}': partial wildcards are not supported in "server_names"`
	needsInspector  = "adding listener '{}': filter chain match rules require TLS Inspector listener filter, but it " +
		"isn't configured, trying to inject it (this might fail if Envoy is compiled without it)"

	duplicateCluster = "cluster manager: duplicate cluster '{}'"
	wrongBalancer    = "cluster: LB policy {} is not valid for Cluster type {}. Only 'CLUSTER_PROVIDED' or " +
		"'ORIGINAL_DST_LB' is allowed with cluster type 'ORIGINAL_DST'"
	noBalancer = "cluster manager: cluster provided LB specified but cluster '{}' did not provide one. Check cluster " +
		"documentation."
	staticHostName = "malformed IP address: {}. Consider setting resolver_name or setting cluster type to " +
		"'STRICT_DNS' or 'LOGICAL_DNS'"
	socketsOnly = "{} clusters must have socket addresses"
	oneEndpoint = "LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint"

	noMatchingChain  = "closing connection: no matching filter chain found"
	noNetworkFilters = "closing connection: no filters"
	filtersTimeOut   = "listener filter times out after {} ms"
	clusterNotFound  = "Cluster not found {}"
	noHealthyHost    = "no healthy host for TCP connection pool"
)

const (
	echoName = "envoy.filters.network.echo"
	sniName  = "envoy.filters.network.sni_cluster"
	echo     = "{name: " + echoName + "}"
	sni      = "{name: " + sniName + "}"
	chain    = "static_resources.listeners[0].filter_chains"
	tcp      = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
)

// toCluster is a tcp_proxy.
func toCluster(name, more string) string {
	return `{name: t, typed_config: {"@type": ` + tcp + ", stat_prefix: p, cluster: " + name + more + "}}"
}

// chained is a configuration of one listener, its chains from line 6 on; matched is one of them.
func chained(chains ...string) string {
	return static + strings.Replace(listener("a", anyPort, ""), "[{}]", "\n    - "+strings.Join(chains, "\n    - "), 1)
}

func matched(match, filters string) string {
	return "{filter_chain_match: {" + match + "}, filters: [" + filters + "]}"
}

func TestAFilterChainThatCannotBeIsToldWithItsPlace(t *testing.T) {
	all(t, []mistake{
		{name: "a filter is not built in", chapter: "06",
			yaml:     chained("{filters: [{name: envoy.filters.network.ratelimit}]}"),
			sentence: noFilter, values: []any{"envoy.filters.network.ratelimit"}, at: "6:25",
			path: chain + "[0].filters[0].name"},
		{name: "a filter stands after the one that takes all", chapter: "06",
			yaml:     chained("{filters: [" + echo + ", " + echo + "]}"),
			sentence: terminalNotLast, values: []any{echoName, echoName, "network"},
			at: "6:18", path: chain + "[0].filters[0]"},
		{name: "no filter takes all", chapter: "06", yaml: chained("{filters: [" + sni + "]}"), sentence: lastNotTerminal,
			values: []any{sniName, sniName, "network"}, at: "6:18",
			path: chain + "[0].filters[0]"},
		{name: "two chains are for the same", chapter: "06", yaml: chained("{name: one, filters: ["+echo+"]}",
			"{name: two, filters: ["+echo+"]}"), sentence: sameRules,
			values: []any{"127.0.0.1:0", "two", "one"}, at: "7:7",
			path: chain + "[1].filter_chain_match", hint: "filter_chains[0]"},
		{name: "two chains are for the same name", chapter: "06", yaml: chained(matched("server_names: [a, b]", echo),
			matched("server_names: [b]", echo)), sentence: overlapping, values: []any{"127.0.0.1:0"}, at: "7:8",
			path: chain + "[1].filter_chain_match", hint: "any of these"},
		{name: "a wildcard is a part of a label", chapter: "06",
			yaml:     chained(matched("server_names: ['w*.example.com']", echo)),
			sentence: partialWildcard, values: []any{"127.0.0.1:0"}, at: "6:29",
			path: chain + "[0].filter_chain_match.server_names", hint: "*.example.com"},
		{name: "a range is a host name", chapter: "06",
			yaml:     chained(matched("prefix_ranges: [{address_prefix: localhost, prefix_len: 8}]", echo)),
			sentence: malformedIP, values: []any{"localhost"}, at: "6:46",
			path: chain + "[0].filter_chain_match.prefix_ranges[0].address_prefix"},
		{name: "a proxy's access log has no folder", chapter: "06", yaml: chained("{filters: [" +
			toCluster("c", ", access_log: ["+toFile+"path: /nowhere/x}}]") + "]}"), sentence: noAccessLogFile,
			values: []any{"/nowhere/x", "No such file or directory"}, at: "6:169",
			path: chain + "[0].filters[0].typed_config.access_log[0]", hint: "its folder must exist"},
	})
}

// cluster is the YAML of one, in a configuration of only clusters: the first in line 3.
func cluster(more string) string { return "  - {name: c, " + more + "}\n" }

// assigned gives a cluster one host.
func assigned(address string) string {
	return "load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: " + address + "}}]}]}"
}

func TestAClusterThatCannotBeIsToldWithItsPlace(t *testing.T) {
	const (
		clusters = "static_resources:\n  clusters:\n"
		cluster0 = "static_resources.clusters[0]."
		address  = cluster0 + "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address"
	)
	all(t, []mistake{
		{name: "two have one name", chapter: "06", yaml: clusters + cluster("type: STATIC") + cluster("type: STATIC"),
			sentence: duplicateCluster, values: []any{"c"}, at: "4:6", path: "static_resources.clusters[1].name",
			hint: "a name of its own"},
		{name: "its hosts are its clients' wish, and yet it balances", chapter: "06",
			yaml: clusters + cluster("type: ORIGINAL_DST, lb_policy: ROUND_ROBIN"), sentence: wrongBalancer,
			values: []any{"ROUND_ROBIN", "ORIGINAL_DST"}, at: "3:35", path: cluster0 + "lb_policy",
			hint: "CLUSTER_PROVIDED"},
		{name: "it provides no balancer", chapter: "06",
			yaml:     clusters + cluster("type: STATIC, lb_policy: CLUSTER_PROVIDED"),
			sentence: noBalancer, values: []any{"c"}, at: "3:29", path: cluster0 + "lb_policy", hint: "ORIGINAL_DST"},
		{name: "it is static, and has a host name", chapter: "06",
			yaml:     clusters + cluster("type: STATIC, "+assigned(ipAddress("localhost", 1))),
			sentence: staticHostName, values: []any{"localhost"}, at: "3:104", path: address, hint: "STRICT_DNS"},
		{name: "it asks for names, and has a path", chapter: "06",
			yaml:     clusters + cluster("type: STRICT_DNS, "+assigned(pipeAddress("/x"))),
			sentence: socketsOnly, values: []any{"STRICT_DNS"}, at: "3:108", path: address, hint: "type: STATIC"},
		{name: "it is one name, and has none", chapter: "06",
			yaml:     clusters + cluster("type: LOGICAL_DNS, load_assignment: {cluster_name: c}"),
			sentence: oneEndpoint, at: "3:34", path: cluster0 + "load_assignment", hint: "STRICT_DNS"},
		{name: "its type is not built in", chapter: "06",
			yaml:     clusters + cluster("cluster_type: {name: envoy.clusters.aggregate}"),
			sentence: noClusterType, values: []any{"envoy.clusters.aggregate"}, at: "3:36",
			path: cluster0 + "cluster_type.name", hint: "ORIGINAL_DST"},
	})
}

// TestWhyAConnectionWasClosedIsLogged: none of these is an error at start-up, as in Envoy.
func TestWhyAConnectionWasClosedIsLogged(t *testing.T) {
	const inspector = "    listener_filters: [{name: envoy.filters.listener.tls_inspector}]\n" +
		"    listener_filters_timeout: 0.05s\n"
	own := func(name, more, chain string) string {
		return strings.Replace(listener(name, anyPort, more), "[{}]", "["+chain+"]", 1)
	}
	config := walktest.Config(t, static+own("unmatched", "", matched("destination_port: 1", echo))+
		own("empty", "", "{}")+own("impatient", inspector, "{filters: ["+echo+"]}")+
		own("unknown", "", "{filters: ["+toCluster("nowhere", "")+"]}")+
		own("hostless", "", "{filters: ["+toCluster("c", "")+"]}")+"  clusters:\n"+cluster("type: STATIC"))
	p := walktest.Start(t, "06", "-c", config, "-l", "debug", "--concurrency", "1")
	p.WaitFor("all workers have all listeners")
	for _, c := range []struct {
		listener, sentence string
		value              any
	}{
		{"unmatched", noMatchingChain, nil}, {"empty", noNetworkFilters, nil}, {"impatient", filtersTimeOut, 50},
		{"unknown", clusterNotFound, "nowhere"}, {"hostless", noHealthyHost, nil},
	} {
		address := p.WaitFor(`Set listener ` + c.listener + ` socket factory local address to (\S+)`)[1]
		if said := closes(t, address); said != "" {
			t.Errorf("%s: %q came back", c.listener, said)
		}
		hears(t, p, c.sentence, c.value)
	}
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// closes connects and returns what comes until the other end closes.
func closes(t *testing.T, address string) string {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, walktest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(walktest.Patience))
	said, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("%s was not closed: %v", address, err)
	}
	return string(said)
}

// TestAListenerThatNeedsTheInspectorIsGivenIt: where the runtime wants it so.
func TestAListenerThatNeedsTheInspectorIsGivenIt(t *testing.T) {
	const inject = "layered_runtime: {layers: [{name: l, static_layer: " +
		"{envoy.reloadable_features.disable_tls_inspector_injection: false}}]}\n"
	p := walktest.Start(t, "06", "-c", walktest.Config(t, inject+chained(matched("server_names: [x]", echo))))
	hears(t, p, needsInspector, "127.0.0.1:0")
	p.Ready()
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
