package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// refusal loads YAML that must be refused and returns the message.
func refusal(t *testing.T, o Options) string {
	t.Helper()
	o.Chapter = 7
	start := time.Now()
	_, err := Load(o)
	if err == nil {
		t.Fatal("was accepted")
	}
	if d := time.Since(start); d > 2*time.Minute {
		t.Errorf("took %v", d)
	}
	return err.Error()
}

func wantIn(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("got %s\nwant in it: %s", got, p)
		}
	}
}

func TestNoConfigAtAll(t *testing.T) {
	wantIn(t, refusal(t, Options{}), "At least one of --config-path or --config-yaml or "+
		"Options::configProto() should be non-empty")
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "gone.yaml")
	wantIn(t, refusal(t, Options{Path: gone}), "Invalid path: "+gone,
		"unable to read file: no such file or directory")
	wantIn(t, refusal(t, Options{Path: dir}), "unable to read file: "+dir, "is a directory")
	wantIn(t, refusal(t, Options{Path: "/dev/null"}), "Invalid path: /dev/null")
	wantIn(t, refusal(t, Options{Path: "/proc/self/maps"}), "Invalid path: /proc/self/maps")
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink("/dev/zero", link); err != nil {
		t.Fatal(err)
	}
	wantIn(t, refusal(t, Options{Path: link}), "Invalid path: "+link)
	for _, end := range []string{"pb", "pb_text"} {
		wantIn(t, refusal(t, Options{Path: write(t, "a."+end, "x")}), "not ."+end)
	}
}

func TestSourcesThatAreNotText(t *testing.T) {
	wantIn(t, refusal(t, Options{YAML: "node:\n  id: \x00"}), "NUL", "--config-yaml:2:7")
	wantIn(t, refusal(t, Options{YAML: "node:\n  id: é\xff"}), "UTF-8", "--config-yaml:2:8")
	wantIn(t, refusal(t, Options{Path: write(t, "a.yaml", strings.Repeat("#", maxBytes+1))}),
		"too large", "16 MiB")
}

func TestAnAliasBombIsRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	wantIn(t, refusal(t, Options{YAML: b.String()}), "more than 1000000 values")
}

func TestDeepNestingIsRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	wantIn(t, refusal(t, Options{YAML: "a: " + deep(200)}), "nested deeper than 100")
	wantIn(t, refusal(t, Options{YAML: "a: " + deep(1_000_000)}), "--config-yaml:")
	for _, n := range []int{200, 1_000_000} {
		path := write(t, "a.json", `{"a": `+deep(n)+"}")
		wantIn(t, refusal(t, Options{Path: path}), "INVALID_ARGUMENT:", path+":1:")
	}
}

func TestAnAliasMayStandForAValue(t *testing.T) {
	r := load(t, Options{YAML: "node: {id: &x hello, cluster: *x}"})
	if r.Bootstrap.Node.Cluster != "hello" {
		t.Error(r.Bootstrap)
	}
}

func TestAHugeListIsRefusedInTime(t *testing.T) {
	path := write(t, "a.yaml", "a:\n"+strings.Repeat("- b\n", 10<<20/4))
	wantIn(t, refusal(t, Options{Path: path}), "more than 1000000 values")
	line := write(t, "a.json", `{"node": {"metadata": {"a": [`+
		strings.Repeat("1,", 900_000)+`1]}, "x": 1}}`)
	wantIn(t, refusal(t, Options{Path: line}), "x: Cannot find field")
}

func TestTenThousandListenersLoad(t *testing.T) {
	var b strings.Builder
	b.WriteString("static_resources:\n  listeners:\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "  - name: l%d\n    address:\n      socket_address:\n"+
			"        address: 127.0.0.1\n        port_value: %d\n    filter_chains:\n"+
			"    - filters:\n      - name: envoy.filters.network.echo\n", i, i)
	}
	start := time.Now()
	r := load(t, Options{YAML: b.String(), Chapter: 3})
	if n := len(r.Bootstrap.StaticResources.Listeners); n != 10_000 || len(r.Later) != n {
		t.Error(n, len(r.Later))
	}
	t.Log(b.Len(), "bytes in", time.Since(start))
	p, ok := r.PositionOf("static_resources.listeners[9999].address")
	if !ok || p.Line != 2+8*9999+2 {
		t.Error(p)
	}
}

func TestYAMLWordsMeanWhatYamlCppMakesOfThem(t *testing.T) {
	for _, c := range []struct {
		in   string
		kind kind
		text string
	}{
		{"y", boolean, "true"}, {"Off", boolean, "false"}, {"oFF", text, "oFF"},
		{"017", number, "15"}, {"08", text, "08"}, {"0x1F", number, "31"}, {"+5", number, "5"},
		{"-5", number, "-5"}, {"3000000000", text, "3000000000"}, {"1.5", text, "1.5"},
		{"'5'", text, "5"}, {"!!str 5", text, "5"}, {"~", null, ""}, {"1_000", text, "1_000"},
		{"2001-01-01", text, "2001-01-01"}, {"|\n  7", text, "7"}, {"0b1", text, "0b1"},
	} {
		d, err := parseYAML("x", []byte("a: "+c.in))
		if err != nil {
			t.Error(c.in, err)
			continue
		}
		if n := d.root.find("a"); n.kind != c.kind || n.text != c.text {
			t.Errorf("%s: %s %q", c.in, kindName(n.kind), n.text)
		}
	}
}
