package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"google.golang.org/protobuf/proto"
)

const full = "testdata/good/full.yaml"

func load(t *testing.T, o Options) *Result {
	t.Helper()
	if o.Chapter == 0 {
		o.Chapter = 7
	}
	r, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tree writes a source as JSON, each key changed by spell.
func tree(n *node, spell func(string) string) any {
	switch n.kind {
	case object:
		m := map[string]any{}
		for i := range n.kids {
			m[spell(n.kids[i].key)] = tree(&n.kids[i].node, spell)
		}
		return m
	case list:
		l := []any{}
		for i := range n.kids {
			l = append(l, tree(&n.kids[i].node, spell))
		}
		return l
	case number:
		return json.Number(n.text)
	case boolean:
		return n.text == "true"
	case text:
		return n.text
	}
	return nil
}

func asJSON(t *testing.T, spell func(string) string) string {
	t.Helper()
	d, err := parseYAML(full, []byte(read(t, full)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(tree(&d.root, spell), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "full.json", string(b))
}

func same(s string) string { return s }

func TestJSONSaysTheSameAsYAML(t *testing.T) {
	want := load(t, Options{Path: full}).Bootstrap
	if got := load(t, Options{Path: asJSON(t, same)}).Bootstrap; !proto.Equal(want, got) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestCamelCaseSaysTheSameAsSnakeCase(t *testing.T) {
	want := load(t, Options{Path: full}).Bootstrap
	spell := func(s string) string {
		if strings.ContainsAny(s, ".@") { // runtime keys and @type are no fields
			return s
		}
		return camel(s)
	}
	if got := load(t, Options{Path: asJSON(t, spell)}).Bootstrap; !proto.Equal(want, got) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestLinesEndingInCRLFAndAByteOrderMarkChangeNothing(t *testing.T) {
	want := load(t, Options{Path: full}).Bootstrap
	s := "\uFEFF" + strings.ReplaceAll(read(t, full), "\n", "\r\n")
	if got := load(t, Options{Path: write(t, "a.yaml", s)}).Bootstrap; !proto.Equal(want, got) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestTheFullExampleHoldsWhatItSays(t *testing.T) {
	b := load(t, Options{Path: full}).Bootstrap
	l := b.StaticResources.Listeners[0]
	if !l.ReusePort || l.EnableReusePort.GetValue() || !l.DeprecatedV1.BindToPort.GetValue() {
		t.Error("reuse_port, enable_reuse_port, deprecated_v1:", l)
	}
	if l.TcpBacklogSize.GetValue() != 128 || len(l.SocketOptions) != 1 {
		t.Error("tcp_backlog_size, socket_options:", l)
	}
	if got := b.StatsFlushInterval.AsDuration().String(); got != "250ms" {
		t.Error("stats_flush_interval:", got)
	}
	m, err := UnpackAny(l.FilterChains[0].Filters[0].GetTypedConfig())
	if err != nil {
		t.Fatal(err)
	}
	if p := m.(*tcpv3.TcpProxy); p.GetCluster() != "backend" || p.IdleTimeout.Seconds != 3 {
		t.Error("tcp_proxy:", p)
	}
	m, err = UnpackAny(l.FilterChains[1].Filters[0].GetTypedConfig())
	if err != nil {
		t.Fatal(err)
	}
	hcm := m.(*hcmv3.HttpConnectionManager)
	if hcm.HttpFilters[0].GetTypedConfig().GetTypeUrl() !=
		"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" {
		t.Error("a filter with an empty typed_config is found by its name:", hcm.HttpFilters)
	}
	if u := l.DefaultFilterChain.Filters[0].GetTypedConfig().GetTypeUrl(); !strings.HasSuffix(u,
		"echo.v3.Echo") {
		t.Error("a filter given by its old name alone:", u)
	}
}
