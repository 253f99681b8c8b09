package trace

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
)

// written is a configuration that holds one object.
type written struct {
	path, file string
	line       int
	text       string
	asked      int
}

func (w *written) Place(path string) (string, int, string) {
	if w.asked++; path != w.path {
		return "", 0, ""
	}
	return w.file, w.line, w.text
}

func TestASpanTellsWhichLineOfTheConfigurationItIsThereFor(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	c := &written{path: "listeners[0]", file: "a\xff.yaml", line: 12, text: "- name: \xffecho"}
	l.Enter(outer).Of("ec\x00ho").On(7).From(c, "listeners[0]").Exit()
	l.Enter(inner).From(c, "listeners[0]").Exit()
	l.End()
	ss := b.finish()
	for key, want := range map[attribute.Key]string{KeyConfigFile: "a?.yaml", KeyConfigLine: "12",
		KeyConfigText: "- name: ?echo", KeyObject: "ec\x00ho", KeyFD: "7"} {
		if got := attr(ss.one(t, nameOf(outer)), key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	s := ss.one(t, nameOf(inner))
	if attr(s, KeyConfigLine) != "12" || attr(s, KeyObject) != "" {
		t.Errorf("without an object: %v", s.Attributes())
	}
}

func TestAnObjectThatIsNotWrittenTellsNothing(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	l.Enter(outer).Of("echo").From(&written{path: "x", file: "a.yaml", line: 1}, "y").Exit()
	l.Enter(inner).Of("echo").Exit()
	l.End()
	ss := b.finish()
	for _, name := range []string{nameOf(outer), nameOf(inner)} {
		s := ss.one(t, name)
		if attr(s, KeyObject) != "echo" || attr(s, KeyConfigFile) != "" || attr(s, KeyConfigLine) != "" {
			t.Errorf("%s: %v", name, s.Attributes())
		}
	}
}

func TestNobodyIsAskedForAPlaceWhileNothingIsRecorded(t *testing.T) {
	var off *Lane
	c := &written{path: "x", line: 1}
	n := testing.AllocsPerRun(100, func() { off.Enter(outer).Of("echo").From(c, "x").Exit() })
	if c.asked != 0 || n != 0 {
		t.Errorf("asked %d times, %v allocations", c.asked, n)
	}
}
