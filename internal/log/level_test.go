package log

import (
	"slices"
	"testing"
)

func TestLevelsHaveEnvoysNames(t *testing.T) {
	for name, want := range map[string]Level{"trace": Trace, "debug": Debug, "info": Info,
		"warning": Warning, "warn": Warning, "error": Error, "critical": Critical, "off": Off} {
		if got, err := ParseLevel(name); err != nil || got != want {
			t.Errorf("%s is %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "INFO", "err", "verbose"} {
		want := "error: invalid log level specified '" + name + "'"
		if _, err := ParseLevel(name); err == nil || err.Error() != want {
			t.Errorf("%q gave %v", name, err)
		}
	}
	if got := Level(9).String(); got != "level(9)" {
		t.Errorf("a level that is none prints as %s", got)
	}
}

func TestAComponentShowsItsLevelAndAbove(t *testing.T) {
	l, out := atNoon()
	l.SetLevel(Warning)
	c := l.Component(Http)
	c.Info("hidden")
	c.Warn("shown")
	if !c.Enabled(Error) || c.Enabled(Info) || c.Level() != Warning {
		t.Errorf("at warning: %v %v %v", c.Enabled(Error), c.Enabled(Info), c.Level())
	}
	shown := out.Len()
	c.SetLevel(Off)
	c.Critical("hidden")
	if shown == 0 || out.Len() != shown {
		t.Errorf("got %q", out)
	}
}

func TestComponentsHaveLevelsOfTheirOwn(t *testing.T) {
	l, _ := atNoon()
	if err := l.SetComponentLevel("main:debug,conn_handler:trace,http2:warn"); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[ID]Level{Main: Debug, ConnHandler: Trace, Http2: Warning, Http: Info} {
		if got := l.Component(id).Level(); got != want {
			t.Errorf("%s is at %s, want %s", id, got, want)
		}
	}
	if err := l.SetComponentLevel(""); err != nil {
		t.Errorf("an empty list gave %v", err)
	}
}

func TestAListWithAMistakeSetsNothing(t *testing.T) {
	l, _ := atNoon()
	for list, want := range map[string]string{
		"main:debug,config":       "error: component log level not correctly specified 'config'",
		"main:debug,a:b:c":        "error: component log level not correctly specified 'a:b:c'",
		"main:debug,":             "error: component log level not correctly specified ''",
		"main:debug,config:loud":  "error: invalid log level specified 'loud'",
		"main:debug,nobody:debug": "error: invalid component specified 'nobody'",
	} {
		if err := l.SetComponentLevel(list); err == nil || err.Error() != want {
			t.Errorf("%q gave %v, want %s", list, err, want)
		}
	}
	if got := l.Component(Main).Level(); got != Info {
		t.Errorf("main is at %s", got)
	}
}

func TestComponentsAreListedInEnvoysOrder(t *testing.T) {
	l, _ := atNoon()
	var names []string
	for _, c := range l.Components() {
		names = append(names, c.Name())
	}
	if len(names) != 48 || names[0] != "admin" || names[47] != "wasm" {
		t.Errorf("the components are %q", names)
	}
	if slices.Contains(names, "") || ID(200).String() != "unknown" {
		t.Error("a component has no name")
	}
}
