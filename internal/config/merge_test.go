package config

import (
	"errors"
	"strings"
	"testing"
)

const listenerA = `
node: {id: file, cluster: file}
static_resources:
  listeners:
  - name: a
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
`

const overB = `
node: {id: over}
static_resources:
  listeners:
  - name: b
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    reuse_port: true
`

func TestConfigYamlIsMergedOverTheFile(t *testing.T) {
	r := load(t, Options{Path: write(t, "a.yaml", listenerA), YAML: overB})
	ls := r.Bootstrap.StaticResources.Listeners
	if len(ls) != 2 || ls[0].Name != "a" || ls[1].Name != "b" {
		t.Error("lists are joined:", ls)
	}
	if n := r.Bootstrap.Node; n.Id != "over" || n.Cluster != "file" {
		t.Error("scalars are replaced, messages merged:", n)
	}
}

func TestPositionsFollowTheMerge(t *testing.T) {
	path := write(t, "a.yaml", listenerA)
	r := load(t, Options{Path: path, YAML: overB})
	for _, c := range []struct{ path, want string }{
		{"static_resources.listeners[0].address", path + ":6:5"},
		{"static_resources.listeners[1].address", "--config-yaml:6:5"},
		{"static_resources.listeners[1].address.socket_address.port_value", "--config-yaml:6:52"},
		{"static_resources.listeners[1]", "--config-yaml:5:5"},
		{"node.id", "--config-yaml:2:8"},
		{"node.cluster", path + ":2:18"},
	} {
		if p, ok := r.PositionOf(c.path); !ok || p.String() != c.want {
			t.Errorf("%s: %v, want %s", c.path, p, c.want)
		}
	}
	for _, p := range []string{"static_resources.listeners[2]", "nothing", "node[0].x", "a[", "["} {
		if pos, ok := r.PositionOf(p); ok {
			t.Errorf("%s: %v, want none", p, pos)
		}
	}
}

func TestLaterFieldsCountAsTheMergedBootstrapDoes(t *testing.T) {
	r := load(t, Options{Path: write(t, "a.yaml", listenerA), Chapter: 3, YAML: strings.Replace(
		overB, "reuse_port: true", "filter_chains: [{filters: [{name: envoy.echo}]}]", 1)})
	if len(r.Later) != 1 || r.Later[0].Path != "static_resources.listeners[1].filter_chains" ||
		r.Later[0].Chapter != 6 || r.Later[0].Pos.String() != "--config-yaml:7:5" {
		t.Errorf("%+v", r.Later)
	}
}

func TestConstraintsAreCheckedAfterTheMerge(t *testing.T) {
	_, err := Load(Options{Path: write(t, "a.yaml", listenerA), Chapter: 7,
		YAML: "static_resources: {listeners: [{name: b}]}"})
	var e *Error
	if !errors.As(err, &e) || e.Pos.String() != "--config-yaml:1:32" ||
		e.Path != "static_resources.listeners[1].address" {
		t.Error(err)
	}
}

func TestEachChapterReportsWhatLaterOnesDo(t *testing.T) {
	want := map[int]string{
		1: "static_resources.listeners static_resources.clusters",
		2: "connection_balance_config per_connection_buffer_limit_bytes listener_filters " +
			"filter_chains default_filter_chain static_resources.clusters",
		4: "per_connection_buffer_limit_bytes listener_filters filter_chains " +
			"default_filter_chain static_resources.clusters",
		5: "filter_chains default_filter_chain static_resources.clusters",
		6: "filter_chains[1].filters[0].typed_config",
		7: "",
	}
	for chapter, paths := range want {
		var got []string
		for _, f := range load(t, Options{Path: full, Chapter: chapter}).Later {
			got = append(got, strings.TrimPrefix(f.Path, "static_resources.listeners[0]."))
			if f.What == "" || f.Chapter <= chapter || f.Pos.Line == 0 {
				t.Errorf("chapter %d: %+v", chapter, f)
			}
		}
		if s := strings.Join(got, " "); s != paths {
			t.Errorf("chapter %d: %s\nwant %s", chapter, s, paths)
		}
	}
}

func TestAllowedUnknownFieldsAreReported(t *testing.T) {
	r := load(t, Options{AllowUnknownStatic: true, YAML: "nodes: {}\nnode: {id: a, ids: b}"})
	if len(r.Unknown) != 2 || r.Unknown[1].Path != "node.ids" || r.Unknown[1].Pos.Line != 2 ||
		r.Unknown[1].What != "type envoy.config.bootstrap.v3.Bootstrap reason "+
			"INVALID_ARGUMENT:(node) ids: Cannot find field." {
		t.Errorf("%+v", r.Unknown)
	}
}

func TestARefusedFieldAtItsDefaultAsksForNothing(t *testing.T) {
	load(t, Options{YAML: "use_tcp_for_dns_lookups: false\n" +
		"bootstrap_extensions: []\nhds_config: null"})
}
