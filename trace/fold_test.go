package trace

import (
	"testing"
	"time"
)

// idleTurn is a turn in which nothing came.
func idleTurn(l *Lane, housekeeping int) {
	turn := l.EnterTurn()
	l.call(waitCall, 4, 0)
	for range housekeeping {
		l.EnterTimer("watchdog touch", true).Exit()
	}
	turn.Exit()
}

func TestIdleTurnsFoldIntoOneWithARepeat(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	for range 5 {
		idleTurn(l, 1)
	}
	l.call(readCall, 7, 1)
	ss := b.finish()
	turn, wait := ss.one(t, "turn"), ss.one(t, "epoll_pwait")
	if attr(turn, KeyRepeat) != "5" || attr(wait, KeyRepeat) != "5" || attr(turn, KeyTimers) != "5" {
		t.Errorf("turn %v, wait %v", turn.Attributes(), wait.Attributes())
	}
	isChildOf(t, wait, turn)
	if len(ss.all("timer watchdog touch")) != 0 {
		t.Error("the housekeeping timers of a row are a count")
	}
}

func TestARowOfIdleTurnsLastsFromTheFirstToTheLast(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	idleTurn(l, 0)
	b.epoch = b.epoch.Add(-time.Minute)
	idleTurn(l, 0)
	turn := b.finish().one(t, "turn")
	if d := turn.EndTime().Sub(turn.StartTime()); d < time.Minute {
		t.Errorf("two turns a minute apart last %v", d)
	}
}

func TestOneIdleTurnIsToldWhole(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	idleTurn(l, 1)
	ss := b.finish()
	isChildOf(t, ss.one(t, "timer watchdog touch"), ss.one(t, "turn"))
	if attr(ss.one(t, "turn"), KeyRepeat) != "" {
		t.Error("once is no repeat")
	}
}

func TestWhatIsNotIdlenessIsNeverFolded(t *testing.T) {
	for name, inTurn := range map[string]func(*Lane){
		"a wait that a signal ended":       func(l *Lane) { l.call(waitCall, 4, -4) },
		"a wait that found something":      func(l *Lane) { l.call(waitCall, 4, 1) },
		"a timer that is not of the house": func(l *Lane) { l.EnterTimer("drain", false).Exit() },
		"a call in a housekeeping timer": func(l *Lane) {
			timer := l.EnterTimer("watchdog touch", true)
			l.call(readCall, 7, 0)
			timer.Exit()
		},
		"a function in a housekeeping timer": func(l *Lane) {
			timer := l.EnterTimer("watchdog touch", true)
			l.Enter(inner).Exit()
			timer.Exit()
		},
		"a post":             func(l *Lane) { post(l, "main") },
		"a run":              func(l *Lane) { l.EnterRun(outer, "main", "", 0).Exit() },
		"a note":             func(l *Lane) { l.Note("paused", 1) },
		"a deferred delete":  func(l *Lane) { l.EnterDelete(1).Exit() },
		"an event":           func(l *Lane) { l.EnterEvent(outer, 7, 1).Exit() },
		"a turn in the turn": func(l *Lane) { idleTurn(l, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(Config{})
			l := b.thread("main")
			idleTurn(l, 0)
			for range 3 {
				turn := l.EnterTurn()
				l.call(waitCall, 4, 0)
				inTurn(l)
				turn.Exit()
			}
			idleTurn(l, 0)
			l.End()
			ss := b.finish()
			for _, s := range ss.all("turn") {
				if attr(s, KeyRepeat) != "" {
					t.Errorf("%s turns are one", attr(s, KeyRepeat))
				}
			}
			if n := len(ss.all("turn")); n < 5 {
				t.Errorf("%d turns are told, want 5", n)
			}
			for _, s := range ss {
				if attr(s, KeyUnfinished)+attr(s, KeyTruncated) != "" {
					t.Errorf("%q is broken: %v", s.Name(), s.Attributes())
				}
			}
		})
	}
}

func TestFoldingKeepsTheOrderOfAThread(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	for range 3 {
		idleTurn(l, 0)
		idleTurn(l, 0)
		l.Enter(outer).Exit()
	}
	ss := b.finish()
	last := int64(0)
	for _, s := range ss {
		if s.Name() != "turn" && s.Name() != nameOf(outer) {
			continue
		}
		if number(s, KeySeqStart) <= last {
			t.Errorf("%q starts at %d, after %d", s.Name(), number(s, KeySeqStart), last)
		}
		last = number(s, KeySeqEnd)
	}
	if len(ss.all("turn")) != 3 {
		t.Errorf("%d turns, want 3 rows", len(ss.all("turn")))
	}
}
