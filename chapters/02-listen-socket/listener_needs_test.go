package listensocket

import (
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

func listenerOf(t *testing.T, json string) *listenerv3.Listener {
	t.Helper()
	c := &listenerv3.Listener{}
	if err := protojson.Unmarshal([]byte(json), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheFirstChainSaysWhetherThereIsAProxyHeader(t *testing.T) {
	for json, want := range map[string]bool{
		`{}`: false,
		`{"filter_chains": [{"use_proxy_proto": true}, {}]}`:                              true,
		`{"filter_chains": [{}, {"use_proxy_proto": true}]}`:                              false,
		`{"default_filter_chain": {"use_proxy_proto": true}}`:                             true,
		`{"filter_chains": [{}], "default_filter_chain": {"use_proxy_proto": true}}`:      false,
		`{"filter_chains": [{"use_proxy_proto": false}, {}], "default_filter_chain": {}}`: false,
	} {
		if got := UsesProxyProto(listenerOf(t, json)); got != want {
			t.Errorf("%s: %v", json, got)
		}
	}
}

func TestAChainThatMatchesTLSIsKnown(t *testing.T) {
	for match, want := range map[string]bool{
		`{}`:                                false,
		`{"destination_port": 1}`:           false,
		`{"transport_protocol": "tls"}`:     true,
		`{"server_names": ["a"]}`:           true,
		`{"application_protocols": ["h2"]}`: true,
		`{"transport_protocol": "raw_buffer", "server_names": ["a"]}`: false,
	} {
		c := listenerOf(t, `{"filter_chains": [{"filter_chain_match": `+match+`}]}`)
		if got := matchesTLS(c.GetFilterChains()[0]); got != want {
			t.Errorf("%s: %v", match, got)
		}
	}
}

func TestAListenerWhoseOwnFiltersWouldChangeIsBuiltAnew(t *testing.T) {
	m := newManager(t, &parent{})
	m.workersStarted = true
	l := &Listener{Manager: m, Config: listenerOf(t, `{"filter_chains": [{"name": "a"}]}`)}
	if !l.supportUpdateFilterChain(listenerOf(t, `{"filter_chains": [{"name": "b"}]}`)) {
		t.Error("only a chain differs")
	}
	if l.supportUpdateFilterChain(listenerOf(t, `{"filter_chains": [{"use_proxy_proto": true}]}`)) {
		t.Error("the PROXY header would not be taken off")
	}
}
