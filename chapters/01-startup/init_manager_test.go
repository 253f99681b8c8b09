package startup

import (
	"strings"
	"testing"
)

// story is what happened, in order.
type story []string

func (s *story) tells(what string) func() { return func() { *s = append(*s, what) } }

func TestInitManagerWithoutTargetsIsReadyAtOnce(t *testing.T) {
	var s story
	m := NewInitManager("test")
	m.Initialize(s.tells("ready"))
	same(t, s, []string{"ready"})
	if m.State() != Initialized {
		t.Error(m.State())
	}
}

func TestInitManagerAsksItsTargetsOnlyWhenItInitializes(t *testing.T) {
	var s story
	m := NewInitManager("test")
	a, b := NewInitTarget("a", s.tells("ask a")), NewInitTarget("b", s.tells("ask b"))
	m.Add(a)
	m.Add(b)
	if len(s) != 0 || m.State() != Uninitialized {
		t.Error("asked too early", s)
	}
	m.Initialize(s.tells("ready"))
	if m.State() != Initializing {
		t.Error(m.State())
	}
	b.Ready()
	same(t, s, []string{"ask a", "ask b"})
	a.Ready()
	same(t, s, []string{"ask a", "ask b", "ready"})
	if m.State() != Initialized {
		t.Error(m.State())
	}
}

func TestATargetThatComesWhileInitializingIsAskedAtOnce(t *testing.T) {
	var s story
	m := NewInitManager("test")
	first := NewInitTarget("first", nil)
	second := NewInitTarget("second", s.tells("ask second"))
	first.initialize = func() {
		s.tells("ask first")()
		m.Add(second)
		first.Ready()
	}
	m.Add(first)
	m.Initialize(s.tells("ready"))
	same(t, s, []string{"ask first", "ask second"})
	second.Ready()
	same(t, s, []string{"ask first", "ask second", "ready"})
}

func TestReadyTwiceCountsOnce(t *testing.T) {
	var s story
	m := NewInitManager("test")
	a, b := NewInitTarget("a", func() {}), NewInitTarget("b", func() {})
	m.Add(a)
	m.Add(b)
	m.Initialize(s.tells("ready"))
	a.Ready()
	a.Ready()
	if len(s) != 0 {
		t.Error("b was not waited for")
	}
	b.Ready()
	b.Ready()
	same(t, s, []string{"ready"})
}

func TestATargetThatIsGoneBeforeItWasAskedIsNotWaitedFor(t *testing.T) {
	var s story
	m := NewInitManager("test")
	gone := NewInitTarget("gone", s.tells("ask gone"))
	m.Add(gone)
	gone.Ready()
	m.Initialize(s.tells("ready"))
	same(t, s, []string{"ready"})
}

func TestATargetThatNobodyManagesMayBeReady(t *testing.T) {
	NewInitTarget("alone", func() {}).Ready()
}

func TestAddingAfterAllWereReadyPanics(t *testing.T) {
	m := NewInitManager("Server")
	m.Initialize(func() {})
	defer func() {
		if why, _ := recover().(string); !strings.Contains(why, "Server") || !strings.Contains(why, "late") {
			t.Errorf("the panic says %q", why)
		}
	}()
	m.Add(NewInitTarget("late", func() {}))
}

func TestStagesAreToldInOrderAndWaitedFor(t *testing.T) {
	var s story
	var finish func()
	_, _ = serve(t, "{}", func(seams *Seams) {
		seams.ClusterManager = func(i *Instance) (ClusterManager, error) {
			tell := func(stage Stage, what string) {
				i.RegisterCallback(stage, func(done func()) { s.tells(what)(); done() })
			}
			tell(StageStartup, "startup")
			tell(StagePostInit, "post init")
			tell(StageShutdownExit, "shutdown exit")
			i.RegisterCallback(StageShutdownExit, func(done func()) {
				s.tells("shutdown exit waits")()
				finish = func() { s.tells("now it may end")(); done() }
				onLoop(i, finish)
			})
			return &clusters{initialized: func(done func()) { done() }, shutdown: s.tells("loop ended")}, nil
		}
	}, nil)
	same(t, s, []string{"post init", "startup", "shutdown exit", "shutdown exit waits",
		"now it may end", "loop ended"})
}
