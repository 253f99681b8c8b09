package filterchain

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"envoywalk/internal/walktest"
)

func TestAFilterThatIsNotRegisteredIsRefusedByName(t *testing.T) {
	p := startWith(t, "filter_chains: [{"+echoing+"}]", func(s *Seams) { s.NetworkFilters = nil })
	wantLog(t, p, "Didn't find a registered implementation for name: 'envoy.filters.network.echo'")
}

func TestAFiltersOwnRefusalEndsTheStart(t *testing.T) {
	p := startWith(t, "filter_chains: [{"+echoing+"}]", func(s *Seams) {
		s.NetworkFilters[0].Create = func(*FactoryContext, proto.Message) (FilterFactoryCb, error) {
			return nil, fmt.Errorf("not today")
		}
	})
	wantLog(t, p, "not today")
}

func TestChainsAreRefusedInEnvoysWordsWithTheirPlace(t *testing.T) {
	const tcp = `{name: t, typed_config: {"@type": ` + typeURL +
		`network.tcp_proxy.v3.TcpProxy, stat_prefix: p, cluster: c}}`
	const echo, sni = "{name: envoy.filters.network.echo}", "{name: envoy.filters.network.sni_cluster}"
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct{ config, sentence, place string }{
		{"filter_chains:\n- {name: a, " + echoing + "}\n- {name: b, " + echoing + "}",
			"error adding listener '127.0.0.1:0': filter chain 'b' has the same matching rules defined as 'a'",
			"7:7\n  path: static_resources.listeners[0].filter_chains[1].filter_chain_match\n" +
				"  hint: the other one is filter_chains[0]"},
		{"filter_chains:\n- {filter_chain_match: {server_names: [a, b]}, " + echoing + "}\n" +
			"- {filter_chain_match: {server_names: [b]}, " + echoing + "}",
			"error adding listener '127.0.0.1:0': multiple filter chains with overlapping matching rules are defined",
			"7:8\n  path: static_resources.listeners[0].filter_chains[1].filter_chain_match\n"},
		{"filter_chains:\n- {filter_chain_match: {server_names: [\"w*.example.com\"]}, " + echoing + "}",
			`error adding listener '127.0.0.1:0': partial wildcards are not supported in "server_names"`,
			"6:29\n  path: static_resources.listeners[0].filter_chains[0].filter_chain_match.server_names\n"},
		{"filter_chains:\n- {filter_chain_match: {prefix_ranges: [{address_prefix: localhost}]}, " + echoing + "}",
			"malformed IP address: localhost",
			"6:46\n  path: static_resources.listeners[0].filter_chains[0].filter_chain_match.prefix_ranges[0]." +
				"address_prefix\n"},
		{"filter_chains: [{filters: [" + echo + ", " + tcp + "]}]",
			"Error: terminal filter named envoy.filters.network.echo of type envoy.filters.network.echo must be the " +
				"last filter in a network filter chain.",
			"5:32\n  path: static_resources.listeners[0].filter_chains[0].filters[0]\n"},
		{"filter_chains: [{filters: [" + tcp + ", " + sni + "]}]",
			"Error: terminal filter named t of type envoy.filters.network.tcp_proxy must be the last filter in a " +
				"network filter chain.", "5:32\n"},
		{"filter_chains: [{filters: [" + sni + "]}]",
			"Error: non-terminal filter named envoy.filters.network.sni_cluster of type " +
				"envoy.filters.network.sni_cluster is the last filter in a network filter chain.",
			"5:32\n  path: static_resources.listeners[0].filter_chains[0].filters[0]\n"},
		{"default_filter_chain: {filters: [" + sni + "]}",
			"Error: non-terminal filter named envoy.filters.network.sni_cluster of type " +
				"envoy.filters.network.sni_cluster is the last filter in a network filter chain.",
			"5:38\n  path: static_resources.listeners[0].default_filter_chain.filters[0]\n"},
		{`filter_chains: [{filters: [{name: d, typed_config: {"@type": ` + typeURL +
			`network.direct_response.v3.Config, response: {filename: ` + missing + `}}}]}]`,
			"unable to read file: " + missing,
			"path: static_resources.listeners[0].filter_chains[0].filters[0].typed_config.response\n"},
		{`filter_chains: [{filters: [{name: t, typed_config: {"@type": ` + typeURL +
			`network.tcp_proxy.v3.TcpProxy, stat_prefix: p, cluster: c, access_log: [{name: f, ` +
			`typed_config: {"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, ` +
			`path: /dev/null, format: "%FOO%"}}]}}]}]`, "Not supported field in StreamInfo: FOO",
			"path: static_resources.listeners[0].filter_chains[0].filters[0].typed_config.access_log[0]\n" +
				"  hint: an operator is %NAME%"},
		{"filter_chains:\n- {transport_socket_connect_timeout: -1s, " + echoing + "}",
			"Expected positive duration: -1s",
			"path: static_resources.listeners[0].filter_chains[0].transport_socket_connect_timeout\n"},
	} {
		for _, mode := range []string{"serve", "validate"} {
			p := walktest.Start(t, "06", "-c", listenerConfig(t, c.config), "--mode", mode)
			if code := p.Wait(); code != 1 {
				t.Errorf("%s: %s ends with %d", c.sentence, mode, code)
			}
			said := p.Stderr.String()
			if !strings.Contains(said, c.sentence+"\n  at ") || !strings.Contains(said, c.place) {
				t.Errorf("want\n%s\n  at ...%s\ngot\n%s", c.sentence, c.place, said)
			}
		}
	}
}
