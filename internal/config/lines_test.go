package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// placed is where a path is told to be, and what is told of it.
func placed(r *Result, path string) string {
	file, line, text := r.Place(path)
	if line == 0 {
		return "nowhere"
	}
	return fmt.Sprintf("%s:%d %s", file, line, text)
}

const twoListeners = `# two listeners
static_resources:
  listeners:
  - name: a   # the first
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
  -
    name: b
    address: &here
      socket_address: {address: 127.0.0.1, port_value: 0}
admin:
  address: *here
`

func TestAPlaceIsTheLineWhereItsObjectBegins(t *testing.T) {
	want := map[string]string{
		"static_resources.listeners[0]":                             "4 - name: a   # the first",
		"static_resources.listeners[1]":                             "7 name: b",
		"static_resources.listeners[1].address":                     "8 address: &here",
		"admin.address":                                             "11 address: *here",
		"static_resources.listeners":                                "3 listeners:",
		"static_resources.listeners[0].address.socket_address":      "5 address: {socket_address: {address: 127.0.0.1, port_value: 0}}",
		"static_resources.listeners[2]":                             "",
		"static_resources.listeners[0].filter_chains[0].filters[0]": "",
		"": "",
	}
	breaks := map[string]string{"newlines": "\n", "CRLF": "\r\n", "carriage returns": "\r", "NEL": "\u0085",
		"line separators": "\u2028"}
	for name, b := range breaks {
		path := write(t, "user.yaml", "\uFEFF"+strings.ReplaceAll(twoListeners, "\n", b))
		r := load(t, Options{Path: path})
		for at, text := range want {
			if text == "" {
				text = "nowhere"
			} else {
				text = path + ":" + text
			}
			if got := placed(r, at); got != text {
				t.Errorf("%s: %q is at %q, want %q", name, at, got, text)
			}
		}
	}
}

func TestAPlaceInFlowStyleAndInJSONIsALineToo(t *testing.T) {
	const address = `"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}`
	pretty := "{\r\n  \"static_resources\": {\n    \"listeners\": [\n      {\n        \"name\": \"a\",\n        " +
		address + "\n      }\n    ]\n  }\n}"
	flow := `static_resources: {listeners: [{"name": a, ` + address + `}, {"name": 中文, ` + address + "}]}"
	path, first := write(t, "a.json", pretty), "static_resources.listeners[0]"
	if got, want := placed(load(t, Options{Path: path}), first), path+`:4 { "name": "a",`; got != want {
		t.Errorf("JSON: %s, want %s", got, want)
	}
	path = write(t, "a.yaml", flow)
	r := load(t, Options{Path: path})
	if got, want := placed(r, first), path+`:1 static_resources: {listeners: [{"name": a, `; !strings.HasPrefix(got, want) {
		t.Errorf("flow: %s, want %s", got, want)
	}
	second := "static_resources.listeners[1]"
	if got, want := placed(r, second), path+`:1 ...{"name": 中文, `; !strings.HasPrefix(got, want) {
		t.Errorf("flow: %s, want %s", got, want)
	}
}

func TestAPlaceFollowsTheMergeAndTheNameOfTheSource(t *testing.T) {
	path := write(t, "a.yaml", listenerA)
	r := load(t, Options{Path: path, YAML: overB})
	for at, want := range map[string]string{
		"static_resources.listeners[0]": path + ":5 - name: a",
		"static_resources.listeners[1]": "--config-yaml:5 - name: b",
		"node":                          "--config-yaml:2 node: {id: over}",
	} {
		if got := placed(r, at); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	const name = "envoy.yaml (embedded in 04-threading)"
	r = load(t, Options{YAML: overB, Name: name})
	if got := placed(r, "node"); got != name+":2 node: {id: over}" {
		t.Error(got)
	}
	if _, err := Load(Options{YAML: "nobody: 1", Name: name}); !strings.Contains(err.Error(), name+":1:1") {
		t.Error(err)
	}
}

func TestALongLineIsToldFromItsObjectOnAndIsCutBetweenCharacters(t *testing.T) {
	before := strings.Repeat("z", 60)
	for n := range 8 {
		name := strings.Repeat("x", n) + strings.Repeat("中", 100)
		r := load(t, Options{YAML: "static_resources: {secrets: [{name: " + before + "}], listeners: [{name: " + name +
			", address: {pipe: {path: \"@a\"}}}]}"})
		_, _, text := r.Place("static_resources.listeners[0]")
		if len(text) > maxLineText || len(text) < maxLineText-4 || !utf8.ValidString(text) ||
			!strings.HasPrefix(text, "...{name: "+strings.Repeat("x", n)+"中") || !strings.HasSuffix(text, "中...") {
			t.Errorf("%d bytes: %q", len(text), text)
		}
		_, _, text = r.Place("static_resources")
		if len(text) > maxLineText || !strings.HasPrefix(text, "static_resources: {secrets") {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
}

func TestNoConfigurationHasNoPlaces(t *testing.T) {
	var none *Result
	if got := placed(none, "admin"); got != "nowhere" {
		t.Error(got)
	}
	if got := placed(load(t, Options{YAML: "node: {}"}), "admin.address"); got != "nowhere" {
		t.Error(got)
	}
}

func TestThePlacesOfTenThousandListenersCostLittle(t *testing.T) {
	var b strings.Builder
	b.WriteString("static_resources:\n  listeners:\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "  - name: l%d\n    address: {pipe: {path: \"@%d\"}}\n", i, i)
	}
	r := load(t, Options{YAML: b.String()})
	start := time.Now()
	for i := range 10_000 {
		_, line, text := r.Place(fmt.Sprintf("static_resources.listeners[%d]", i))
		if line != 3+2*i || text != fmt.Sprintf("- name: l%d", i) {
			t.Fatalf("listener %d: line %d %q", i, line, text)
		}
	}
	took := time.Since(start)
	t.Logf("%v for each of 10,000 in %d bytes", took/10_000, b.Len())
	if took > 5*time.Second {
		t.Error("that is too much")
	}
}
