package startup

import (
	"fmt"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

// withRuntime serves with layers, and asks on the main thread.
func withRuntime(t *testing.T, layers string, ask func(*Instance, *Runtime)) {
	t.Helper()
	code, log := serve(t, "{layered_runtime: {layers: ["+layers+"]}}", nil, func(d *Demo) {
		d.OnMain(func() { ask(d.Instance, d.Instance.Runtime) })
	})
	if code != 0 {
		t.Fatal(log)
	}
}

func TestNestedKeysAreWrittenWithDots(t *testing.T) {
	withRuntime(t, `{name: a, static_layer: {overload: {global_downstream_max_connections: 5}, x.y: 6,
		z: {q: {r: "7"}}}}`,
		func(i *Instance, r *Runtime) {
			for key, want := range map[string]uint64{
				GlobalConnectionLimit: 5, "x.y": 6, "z.q.r": 7, "z.q": 99} {
				if got := r.Integer(i.Dispatcher, key, 99); got != want {
					t.Errorf("%s: %d, want %d", key, got, want)
				}
			}
		})
}

func TestLaterLayersWin(t *testing.T) {
	withRuntime(t, `{name: base, static_layer: {a: 1, b: 1, c: {d: 1}}},
		{name: over, static_layer: {b: 2, c.d: 3}}`,
		func(i *Instance, r *Runtime) {
			for key, want := range map[string]uint64{"a": 1, "b": 2, "c.d": 3} {
				if got := r.Integer(i.Dispatcher, key, 0); got != want {
					t.Errorf("%s: %d, want %d", key, got, want)
				}
			}
		})
}

// Envoy floors numbers where a whole one is asked for, and takes the default for what is none.
func TestWhatCountsAsAWholeNumber(t *testing.T) {
	for raw, want := range map[string]uint64{"5": 5, `"5"`: 5, `" 5 "`: 5, "3.9": 3, `"3.9"`: 3, "1e3": 1000,
		"0": 0, "-1": 99, "true": 99, `"off"`: 99, `""`: 99, "9007199254740992": 1 << 53,
		`"18446744073709551615"`: 1<<64 - 1, `"18446744073709551616"`: 99,
		"{numerator: 5, denominator: HUNDRED}": 99} {
		withRuntime(t, "{name: a, static_layer: {k: "+raw+"}}", func(i *Instance, r *Runtime) {
			if got := r.Integer(i.Dispatcher, "k", 99); got != want {
				t.Errorf("%s: %d, want %d", raw, got, want)
			}
		})
	}
}

func TestLayersThatEnvoyRefuses(t *testing.T) {
	for _, c := range []struct{ layers, want string }{
		{"{name: a, static_layer: {k: [1]}}", "Invalid runtime entry value for k"},
		{"{name: a, static_layer: {k: {l: null}}}", "Invalid runtime entry value for k.l"},
		{"{name: a, static_layer: {}}, {name: a, static_layer: {}}", "Duplicate layer name: a"},
		{"{name: a, admin_layer: {}}, {name: b, admin_layer: {}}", "Too many admin layers specified"},
		{"{name: a, static_layer: {}}, {name: b, disk_layer: {subdirectory: x}}", "disk_layer"},
	} {
		path := walktest.Config(t, "layered_runtime:\n  layers: ["+c.layers+"]\n")
		code, log := serve(t, "", nil, nil, "-c", path)
		if code != 1 || !strings.Contains(strings.Join(log, "\n"), c.want) {
			t.Errorf("%s: status %d, log %q", c.layers, code, only(log, "error"))
		}
	}
}

func TestTheAdminLayerIsWrittenAndTakenBack(t *testing.T) {
	const layers = `{name: a, static_layer: {k: 1}}, {name: b, admin_layer: {}}`
	withRuntime(t, layers, func(i *Instance, r *Runtime) {
		for _, c := range []struct {
			value string
			want  uint64
		}{{"7", 7}, {"8", 8}, {"", 1}} {
			if err := r.MergeValues(map[string]string{"k": c.value}); err != nil {
				t.Fatal(err)
			}
			if got := r.Integer(i.Dispatcher, "k", 0); got != c.want {
				t.Errorf("after %q: %d, want %d", c.value, got, c.want)
			}
			active := i.Stats.Scope("runtime").Gauge("admin_overrides_active").Value()
			if (active == 1) != (c.value != "") {
				t.Errorf("after %q: admin_overrides_active %d", c.value, active)
			}
		}
	})
	withRuntime(t, `{name: a, static_layer: {k: 1}}`, func(i *Instance, r *Runtime) {
		err := r.MergeValues(map[string]string{"k": "2"})
		if fmt.Sprint(err) != "No admin layer specified" {
			t.Error(err)
		}
	})
}

func TestTheConnectionLimitsAbsenceIsTold(t *testing.T) {
	const told = "there is no configured limit to the number of allowed active connections"
	_, log := serve(t, "{}", nil, nil)
	if len(only(log, told)) != 1 {
		t.Error("without a limit it must be told, once")
	}
	const limited = "{layered_runtime: {layers: [{name: a, static_layer: {" +
		GlobalConnectionLimit + ": 9}}]}}"
	_, log = serve(t, limited, nil, nil)
	if len(only(log, told)) != 0 {
		t.Error("with a limit there is nothing to tell")
	}
}

func TestWhatCountsAsABoolean(t *testing.T) {
	withRuntime(t, `{name: a, static_layer: {yes: true, "no": false, text: " TRUE ", one: 1, none: ""}}`,
		func(i *Instance, r *Runtime) {
			for key, want := range map[string]string{"yes": "true true", "no": "false false",
				"text": "true true", "one": "false true", "none": "false true", "other": "false true"} {
				got := fmt.Sprint(r.FeatureEnabled(i.Dispatcher, key, false),
					r.FeatureEnabled(i.Dispatcher, key, true))
				if got != want {
					t.Errorf("%s: %s, want %s", key, got, want)
				}
			}
		})
}
