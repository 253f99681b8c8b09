package mapcover

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

// users is a configuration as a user would write one.
const users = `# mine
admin:
  address:
    socket_address: {address: 127.0.0.1, port_value: 0}
static_resources:
  clusters:
  - name: behind
    connect_timeout: 1s
    load_assignment: {cluster_name: behind}
  listeners:
  - name: first
    address:
      socket_address: {address: 127.0.0.1, port_value: 0}
    access_log: []
    filter_chains:
    - name: echoing
      filters:
      - name: envoy.filters.network.echo
  - {name: second, reuse_port: true, address: {pipe: {path: "@%s"}}, filter_chains: [{}]}
`

// asJSON is one in JSON, a listener begun by a bracket of its own.
const asJSON = `{
  "static_resources": {
    "listeners": [
      {
        "name": "first",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{}]
      },
      {"name": "second", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}, "filter_chains": [{}]}
    ]
  }
}
`

// served runs a chapter until it is ready and returns what its trace says.
func served(t *testing.T, chapter string, args ...string) []*span {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spans.json")
	args = append(args, "--trace", "json="+path, "--concurrency", "1")
	p := walktest.Start(t, chapter, args...)
	p.Ready()
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Fatalf("exit status %d: %s", status, p.Stderr)
	}
	return readSpans(t, chapter, path)
}

// isConfiguredAt holds that every span of a step and an object was caused by that line.
func isConfiguredAt(t *testing.T, all []*span, id, object, want string) {
	t.Helper()
	n := 0
	for _, s := range all {
		if s.step != id || s.object != object || s.kind != "function" {
			continue
		}
		if n++; s.config != want {
			t.Errorf("%s %q comes from %q, want %q", id, object, s.config, want)
		}
	}
	if n == 0 {
		t.Errorf("no %s %q", id, object)
	}
}

// holdsOne holds that one span of a step has that place: the others stand for what the file leaves out.
func holdsOne(t *testing.T, all []*span, id, want string) {
	t.Helper()
	for _, s := range all {
		if s.step == id && s.config == want {
			return
		}
	}
	t.Errorf("no %s comes from %s", id, want)
}

func TestEachListenerLeadsBackToItsLine(t *testing.T) {
	for _, chapter := range []string{"02", "04", "06"} {
		for name, lines := range map[string]string{"newlines": "\n", "CRLF": "\r\n"} {
			pipe := fmt.Sprint(os.Getpid(), chapter, len(lines))
			file := walktest.Config(t, strings.ReplaceAll(fmt.Sprintf(users, pipe), "\n", lines))
			t.Run(chapter+" "+name, func(t *testing.T) {
				all := served(t, chapter, "-c", file)
				second := fmt.Sprintf(`- {name: second, reuse_port: true, address: {pipe: {path: "@%s"}}, `+
					`filter_chains: [{}]}`, pipe)
				isConfiguredAt(t, all, "add-or-update-listener", "first", file+":11 - name: first")
				isConfiguredAt(t, all, "add-or-update-listener", "second", file+":19 "+second)
				isConfiguredAt(t, all, "build-access-log", "first", file+":14 access_log: []")
				isConfiguredAt(t, all, "build-access-log", "second", "")
				if chapter == "02" {
					return
				}
				isConfiguredAt(t, all, "connection-handler-add-listener", "first", file+":11 - name: first")
				isConfiguredAt(t, all, "connection-handler-add-listener", "admin", file+":3 address:")
				if chapter == "04" {
					return
				}
				isConfiguredAt(t, all, "build-filter-chain-internal", "echoing", file+":16 - name: echoing")
				holdsOne(t, all, "create-network-filter-factory-list", file+":17 filters:")
				isConfiguredAt(t, all, "cluster-manager-from-proto", "", file+":6 clusters:")
			})
		}
	}
}

func TestAListenerInJSONLeadsBackToItsLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "envoy.json")
	if err := os.WriteFile(file, []byte(asJSON), 0o644); err != nil {
		t.Fatal(err)
	}
	all := served(t, "04", "-c", file)
	isConfiguredAt(t, all, "add-or-update-listener", "first", file+`:4 { "name": "first",`)
	for _, s := range all {
		if s.step == "add-or-update-listener" && s.object == "second" &&
			!strings.HasPrefix(s.config, file+`:9 {"name": "second", "address": `) {
			t.Errorf("second: %q", s.config)
		}
	}
}

func TestAListenerOfTheCommandLineAndOfADemoSayWhereTheyStand(t *testing.T) {
	all := served(t, "04", "--config-yaml",
		"static_resources:\n  listeners:\n  - name: x\n    address: {pipe: {path: \"@x"+fmt.Sprint(os.Getpid())+
			"\"}}\n    filter_chains: [{}]\n")
	isConfiguredAt(t, all, "add-or-update-listener", "x", "--config-yaml:3 - name: x")
	for _, chapter := range []string{"04", "06"} {
		owner := map[string]string{"04": "01-startup", "06": "06-filter-chain"}[chapter]
		path := filepath.Join(t.TempDir(), "spans.json")
		demo(chapter)(t, "json="+path)
		file, err := os.ReadFile(filepath.Join(walktest.Root(), "chapters", owner, "envoy.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		holdsLines(t, readSpans(t, "demo", path), "envoy.yaml (embedded in "+owner+")", string(file))
	}
}

// holdsLines compares what the spans say with the file, line by line.
func holdsLines(t *testing.T, all []*span, name, file string) {
	t.Helper()
	var told []string
	for _, s := range all {
		if s.config == "" || slices.Contains(told, s.config) {
			continue
		}
		told = append(told, s.config)
		var line int
		rest, ok := strings.CutPrefix(s.config, name+":")
		if _, err := fmt.Sscan(rest, &line); !ok || err != nil {
			t.Fatalf("%s is not in %s", s.config, name)
		}
		_, text, _ := strings.Cut(rest, " ")
		if is := strings.TrimSpace(strings.Split(file, "\n")[line-1]); is != text {
			t.Errorf("%s: line %d of the file is %q", s.config, line, is)
		}
	}
	if len(told) == 0 {
		t.Error("no span leads back to ", name)
	}
}
