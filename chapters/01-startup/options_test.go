package startup

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"envoywalk/internal/log"
	"envoywalk/trace"
	"envoywalk/trace/tree"
)

func parse(args ...string) (*Options, error) {
	c := Chapter{Number: 1, Name: "01-startup", Config: "admin: {}", Try: "try"}
	return ParseOptions(c, append([]string{"envoywalk"}, args...))
}

// said is what each accepted flag sets, for one value.
var said = map[string]struct {
	value string
	field func(*Options) any
	want  any
}{
	"config-path": {"a.yaml", func(o *Options) any { return o.ConfigPath }, "a.yaml"},
	"config-yaml": {"{a: b}", func(o *Options) any { return o.ConfigYAML }, "{a: b}"},
	"mode":        {"init_only", func(o *Options) any { return o.Mode }, InitOnly},
	"concurrency": {"7", func(o *Options) any { return o.Concurrency }, 7},
	"log-level":   {"debug", func(o *Options) any { return o.LogLevel }, log.Debug},
	"component-log-level": {"main:off", func(o *Options) any { return o.ComponentLogLevel },
		"main:off"},
	"log-format":                  {"%v", func(o *Options) any { return o.LogFormat }, "%v"},
	"log-format-escaped":          {"", func(o *Options) any { return o.LogFormatEscaped }, true},
	"log-path":                    {"l", func(o *Options) any { return o.LogPath }, "l"},
	"admin-address-path":          {"f", func(o *Options) any { return o.AdminAddressPath }, "f"},
	"base-id":                     {"3", func(o *Options) any { return o.BaseID }, 3},
	"restart-epoch":               {"0", func(o *Options) any { return o.RestartEpoch }, 0},
	"drain-time-s":                {"5", func(o *Options) any { return o.DrainTime }, 5},
	"shutdown-drain-time-s":       {"7", func(o *Options) any { return o.ShutdownDrainTime }, 7},
	"parent-shutdown-time-s":      {"6", func(o *Options) any { return o.ParentShutdownTime }, 6},
	"disable-hot-restart":         {"", func(o *Options) any { return o.RestartEpoch }, 0},
	"allow-unknown-static-fields": {"", func(o *Options) any { return o.AllowUnknownStatic }, true},
	"service-cluster":             {"c", func(o *Options) any { return o.ServiceCluster }, "c"},
	"service-node":                {"n", func(o *Options) any { return o.ServiceNode }, "n"},
	"service-zone":                {"z", func(o *Options) any { return o.ServiceZone }, "z"},
	"trace":                       {"json", func(o *Options) any { return o.Trace }, []string{"json"}},
	"trace-sample": {"5,100", func(o *Options) any { return o.Sample },
		trace.Sample{First: 5, Every: 100}},
	"tree":   {"all", func(o *Options) any { return o.All }, true},
	"envoy":  {"", func(o *Options) any { return o.Envoy }, true},
	"kinds":  {"syscalls,3", func(o *Options) any { return o.Kinds }, tree.Kinds(1<<1 | 1<<2)},
	"thread": {"main,wrk:worker_0", func(o *Options) any { return o.Thread }, []string{"main", "wrk:worker_0"}},
}

func TestEveryAcceptedFlagDoesWhatItSays(t *testing.T) {
	for _, f := range flags {
		expected, listed := said[f.name]
		if f.refuse != "" || f.name == "help" || f.name == "version" {
			continue
		}
		if !listed {
			t.Errorf("--%s: this test does not know what it does", f.name)
			continue
		}
		forms := [][]string{{"--" + f.name}}
		if f.value != "" {
			forms = [][]string{{"--" + f.name, expected.value}, {"--" + f.name + "=" + expected.value}}
		}
		if f.short != "" {
			forms = append(forms, append([]string{"-" + f.short}, forms[0][1:]...))
		}
		for _, args := range forms {
			o, err := parse(args...)
			if err != nil || !reflect.DeepEqual(expected.field(o), expected.want) {
				t.Errorf("%q: %v, want %v", args, err, expected.want)
			}
		}
	}
}

func TestEveryRefusedFlagIsRefusedByNameAndReason(t *testing.T) {
	refused := 0
	for _, f := range flags {
		if f.refuse == "" {
			continue
		}
		refused++
		args := []string{"--" + f.name}
		if f.value != "" {
			args = append(args, "x")
		}
		_, err := parse(args...)
		var m *malformed
		if !errors.As(err, &m) || !strings.Contains(m.text, "--"+f.name) ||
			!strings.Contains(m.text, f.refuse) {
			t.Errorf("--%s: %v", f.name, err)
		}
	}
	if refused < 10 {
		t.Errorf("only %d flags are refused", refused)
	}
}

func TestACommandLineThatCannotBeObeyedIsRefused(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--concurency 2", "Did you mean --concurrency?"},
		{"--log_level debug", "Did you mean --log-level?"},
		{"--yaml x", "Did you mean --config-yaml?"},
		{"--nonsense", "Couldn't find match for argument"},
		{"envoy.yaml", "A configuration is given as -c envoy.yaml"},
		{"-c", "Missing a value for this argument!"},
		{"--mode", "Missing a value for this argument!"},
		{"-c a -c b", "Argument: (--config-path)\n             Argument already set!"},
		{"-c a --config-path b", "Argument already set!"},
		{"--disable-hot-restart=1", "--disable-hot-restart takes no value"},
		{"--mode Serve", "error: unknown mode 'Serve'"},
		{"-l loud", "error: invalid log level specified 'loud'"},
		{"--concurrency -1", "Couldn't read argument value from string '-1'"},
		{"--concurrency two", "(--concurrency)"},
		{"--drain-time-s 99999999999", "Couldn't read argument value"},
		{"--restart-epoch 1", "no hot restart"},
		{"--trace-sample 5", "want K,N"},
		{"--trace-sample 5,0", "want K,N"},
		{"--tree some", "want --tree=all"},
		{"--kinds syscall", "there is no kind 'syscall'. The kinds are functions, syscalls, posts, loop, threads"},
		{"--kinds 6", "or their numbers 1 to 5"},
		{"--thread main,", "want NAME[,NAME]"},
	} {
		_, err := parse(strings.Fields(c.args)...)
		var m *malformed
		if !errors.As(err, &m) || !strings.Contains(m.text, c.want) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
}

func TestTraceMayBeGivenAgain(t *testing.T) {
	o, err := parse("--trace", "tree", "--trace=json=/tmp/x", "-c", "a")
	if err != nil || len(o.Trace) != 2 || o.Trace[1] != "json=/tmp/x" {
		t.Error(o.Trace, err)
	}
}

func TestWithoutAConfigurationItIsADemo(t *testing.T) {
	o, err := parse()
	if err != nil || !o.Demo || o.ConfigYAML != "admin: {}" || o.Concurrency != 2 || o.Trace[0] != "tree" {
		t.Error(o, err)
	}
	if o, err = parse("--concurrency", "0"); err != nil || o.Concurrency != 1 {
		t.Error("at least one worker:", o.Concurrency, err)
	}
	for _, mode := range []string{"validate", "init_only"} {
		if o, err = parse("--mode", mode); err != nil || o.Demo {
			t.Error(mode, "is no demo:", err)
		}
	}
}

func TestHelpAndVersionServeNothing(t *testing.T) {
	for flag, want := range map[string]string{"--help": "--mode MODE", "-h": "SIGUSR1",
		"--version": "envoywalk 01-startup, after Envoy 1.17.0"} {
		_, err := parse(flag)
		var n *noServing
		if !errors.As(err, &n) || !strings.Contains(n.text, want) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestHelpNamesEveryFlagInLinesThatFitATerminal(t *testing.T) {
	text := usage(Chapter{Name: "01-startup", Try: "Next: try."})
	for _, f := range flags {
		if !strings.Contains(text, "--"+f.name) {
			t.Errorf("--%s is missing", f.name)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 113 || strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
			t.Errorf("%d columns: %q", len(line)-1, line)
		}
	}
}
