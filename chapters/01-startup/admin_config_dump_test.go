package startup

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"envoywalk/internal/config"
	"envoywalk/internal/walktest"
)

// dumped is /config_dump as a client reads it.
type dumped struct {
	Configs []map[string]json.RawMessage
}

func (a asking) dump(query string) (d dumped) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.expect("GET", "/config_dump"+query, 200, "/^{/")), &d); err != nil {
		a.t.Fatal(err)
	}
	return d
}

// The law: a server started with the dumped bootstrap is the same server.
func TestTheDumpedBootstrapLoadsAsTheSameBootstrap(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(walktest.Root(), "internal/config/testdata/good/*.yaml"))
	examples, _ := filepath.Glob(filepath.Join(walktest.Root(), "chapters/*/envoy.yaml"))
	if files = append(files, examples...); len(files) < 2 {
		t.Fatal("no configurations:", files)
	}
	for _, path := range files {
		loaded, err := config.Load(config.Options{Path: path, Chapter: 7})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		a := &Admin{instance: &Instance{Config: loaded}, loaded: time.Now()}
		a.trackOwnParts()
		shown := a.instance.tracker.tell(false)[0]
		redact(shown.ProtoReflect(), false)
		w := httptest.NewRecorder()
		a.WriteProto(w, shown)
		again := loadDumped(t, w.Body.Bytes())
		if again != nil && !proto.Equal(again.Bootstrap, loaded.Bootstrap) {
			t.Errorf("%s: the dumped bootstrap is another one:\n%s", path, w.Body)
		}
	}
}

func loadDumped(t *testing.T, part []byte) *config.Result {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(part, &fields); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dumped.json")
	if err := os.WriteFile(path, fields["bootstrap"], 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := config.Load(config.Options{Path: path, Chapter: 7})
	if err != nil {
		t.Errorf("the dumped bootstrap is refused: %v\n%s", err, fields["bootstrap"])
	}
	return again
}

const twoSecrets = `
node: { id: me, cluster: ours }
static_resources:
  secrets:
  - { name: one, generic_secret: { secret: { inline_string: hush } } }
  - { name: two, generic_secret: { secret: { inline_bytes: aHVzaA== } } }
`

func TestTheDumpHasEnvoysShapeAndNoSecrets(t *testing.T) {
	whileAdminServes(t, twoSecrets, nil, func(a asking) {
		body := a.expect("GET", "/config_dump", 200, "/^{\n \"configs\": \\[\n  {\n   \"@type\": "+
			"\"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump\",\n   \"bootstrap\": {\n    "+
			"\"node\": {\n     \"id\": \"me\",/")
		if strings.Contains(body, "hush") || strings.Contains(body, "aHVzaA") {
			t.Error("a secret is in the dump:", body)
		}
		if got := strings.Count(body, `"inline_string": "[redacted]"`); got != 2 { // in bootstrap, in secrets
			t.Errorf("the text is redacted %d times, want 2", got)
		}
		d := a.dump("")
		if len(d.Configs) != 2 || string(d.Configs[1]["@type"]) !=
			`"type.googleapis.com/envoy.admin.v3.SecretsConfigDump"` {
			t.Errorf("%d parts: %s", len(d.Configs), body)
		}
		var when time.Time
		if err := json.Unmarshal(d.Configs[0]["last_updated"], &when); err != nil ||
			time.Since(when) > walktest.Patience || when.Nanosecond()%1e6 != 0 {
			t.Errorf("last_updated: %s", d.Configs[0]["last_updated"])
		}
		if a.instance.Bootstrap().GetStaticResources().GetSecrets()[0].GetGenericSecret().GetSecret().
			GetInlineString() != "hush" {
			t.Error("the dump redacted the server's own configuration")
		}
	})
}

func TestResourceAndMaskSelectAsInEnvoy(t *testing.T) {
	change := func(s *Seams) {
		s.ClusterManager = func(i *Instance) (ClusterManager, error) {
			i.ConfigTracker().Add("clusters", func() proto.Message {
				c := &clusterv3.Cluster{Name: "c", AltStatName: "alt"}
				return &adminv3.ClustersConfigDump{VersionInfo: "v", StaticClusters: []*adminv3.
					ClustersConfigDump_StaticCluster{{Cluster: Pack(c), LastUpdated: Timestamp(i.started)}}}
			})
			i.ConfigTracker().Add(EndpointsKey, func() proto.Message { return &adminv3.EndpointsConfigDump{} })
			return &noClusters{instance: i}, nil
		}
	}
	whileAdminServes(t, twoSecrets, change, func(a asking) {
		same(t, a.dump("").types(), []string{"BootstrapConfigDump", "ClustersConfigDump", "SecretsConfigDump"})
		same(t, a.dump("?include_eds").types(), []string{"BootstrapConfigDump", "ClustersConfigDump",
			"EndpointsConfigDump", "SecretsConfigDump"})
		same(t, a.dump("?resource=static_secrets").types(), []string{"SecretsConfigDump.StaticSecret",
			"SecretsConfigDump.StaticSecret"})
		same(t, a.dump("?resource=dynamic_active_clusters").types(), nil)
		const any = `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.`
		a.expectJSON("?resource=static_clusters&mask=cluster.name", any+`ClustersConfigDump.StaticCluster",`+
			`"cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"c"}}]}`)
		a.expectJSON("?mask=version_info,bootstrap.node.id", any+`BootstrapConfigDump","bootstrap":{"node":{"id":`+
			`"me"}}},{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","version_info":"v"},`+
			`{"@type":"type.googleapis.com/envoy.admin.v3.SecretsConfigDump"}]}`)
		a.expect("GET", "/config_dump?resource=nothing", 404, "nothing not found in config dump")
		a.expect("GET", "/config_dump?resource=bootstrap", 400,
			"bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field")
		a.expect("GET", "/config_dump?mask=static_clusters.cluster", 400,
			"FieldMask static_clusters.cluster could not be successfully used.")
	})
}

func (d dumped) types() (all []string) {
	for _, c := range d.Configs {
		_, name, _ := strings.Cut(strings.Trim(string(c["@type"]), `"`), "/envoy.admin.v3.")
		all = append(all, name)
	}
	return all
}

func (a asking) expectJSON(query, want string) {
	a.t.Helper()
	var got, wanted any
	json.Unmarshal([]byte(a.expect("GET", "/config_dump"+query, 200, "/^{/")), &got)
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		a.t.Fatal(err)
	}
	g, _ := json.Marshal(got)
	if w, _ := json.Marshal(wanted); string(g) != string(w) {
		a.t.Errorf("%s:\n got %s\nwant %s", query, g, w)
	}
}

func TestAKeyIsTrackedOnce(t *testing.T) {
	tracker := &ConfigTracker{}
	tell := func() proto.Message { return &adminv3.ClustersConfigDump{} }
	if !tracker.Add("clusters", tell) || tracker.Add("clusters", tell) || len(tracker.tell(false)) != 1 {
		t.Error("the second one is not refused")
	}
}

func TestMasksCoverWhatIsBelowThem(t *testing.T) {
	for mask, want := range map[string]string{
		"":                                `name:"n" generic_secret:{secret:{inline_string:"s"}}`,
		"name":                            `name:"n"`,
		"generic_secret":                  `generic_secret:{secret:{inline_string:"s"}}`,
		"generic_secret.secret,name":      `name:"n" generic_secret:{secret:{inline_string:"s"}}`,
		"generic_secret.nothing":          `generic_secret:{}`,
		"nothing":                         ``,
		"name.below":                      `name:"n"`,
		"generic_secret,generic_secret.x": `generic_secret:{secret:{inline_string:"s"}}`,
		"generic_secret.x,generic_secret": `generic_secret:{secret:{inline_string:"s"}}`,
	} {
		s, wanted := secret(t, `name:"n" generic_secret:{secret:{inline_string:"s"}}`), secret(t, want)
		if err := trimMessage(mask, s.ProtoReflect()); err != nil || !proto.Equal(s, wanted) {
			t.Errorf("mask %q leaves %v (%v), want %s", mask, s, err, want)
		}
	}
}

func TestWhatIsSensitiveIsRedactedWhereverItStands(t *testing.T) {
	hidden := secret(t, `name:"n" tls_certificate:{certificate_chain:{filename:"chain"} `+
		`private_key:{inline_bytes:"key"} password:{filename:"pw"}} `)
	want := secret(t, `name:"n" tls_certificate:{certificate_chain:{filename:"chain"} `+
		`private_key:{inline_bytes:"[redacted]"} password:{filename:"[redacted]"}}`)
	inside := Pack(hidden)
	keys := secret(t, `session_ticket_keys:{keys:{inline_bytes:"a"} keys:{inline_string:"b"}}`)
	wantKeys := secret(t, `session_ticket_keys:{keys:{inline_bytes:"[redacted]"} keys:{inline_string:"[redacted]"}}`)
	for _, m := range [...]proto.Message{hidden, inside, keys} {
		redact(m.ProtoReflect(), false)
	}
	if !proto.Equal(hidden, want) || !proto.Equal(inside, Pack(want)) || !proto.Equal(keys, wantKeys) {
		t.Errorf("redacted: %v\n%v\n%v", hidden, inside, keys)
	}
	unknown := Pack(want)
	unknown.TypeUrl = "type.googleapis.com/nobody.knows.This"
	if redact(unknown.ProtoReflect(), true); string(unknown.Value) != redacted {
		t.Errorf("an unknown message below a sensitive field stays: %q", unknown.Value)
	}
}

func secret(t *testing.T, text string) *tlsv3.Secret {
	t.Helper()
	s := &tlsv3.Secret{}
	if err := prototext.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}
