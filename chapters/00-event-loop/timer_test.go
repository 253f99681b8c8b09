package eventloop

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// turns makes the loop look n times, without waiting.
func turns(d *Dispatcher, n int) {
	for range n {
		d.Run(nil, NonBlock)
	}
}

func TestTimersFireInTheOrderTheyAreDue(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	var order []int
	for _, ms := range []int{30, 10, 50, 20, 40} {
		d.CreateTimer("t", func() { order = append(order, ms) }).Enable(time.Duration(ms) * time.Millisecond)
	}
	*now = 35 * time.Millisecond
	turns(d, 1)
	same(t, "at 35 ms", order, "[10 20 30]")
	*now = time.Second
	turns(d, 1)
	same(t, "at 1 s", order, "[10 20 30 40 50]")
}

func TestTimersDueAtTheSameMomentFireInTheOrderTheyWereEnabled(t *testing.T) {
	d := quiet(t)
	steppedClock(d)
	var order, want []int
	for i := range 100 {
		d.CreateTimer("t", func() { order = append(order, i) }).Enable(0)
		want = append(want, i)
	}
	turns(d, 1)
	same(t, "order", order, want)
}

func TestATimerIsNeverEarly(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	fired := 0
	timer := d.CreateTimer("t", func() { fired++ })
	timer.Enable(10 * time.Millisecond)
	*now = 10*time.Millisecond - 1
	turns(d, 1)
	same(t, "a nanosecond early", fired, 0)
	*now = 10 * time.Millisecond
	turns(d, 1)
	same(t, "on time", fired, 1)
	same(t, "enabled after it fired", timer.Enabled(), false)
	turns(d, 1)
	same(t, "once", fired, 1)
}

func TestARealTimerIsNeverEarlyAndDoesNotSpin(t *testing.T) {
	w := newWorld(t)
	const after = 20*time.Millisecond + 300*time.Microsecond
	began := time.Now()
	var took time.Duration
	w.CreateTimer("t", func() { took = time.Since(began) }).Enable(after)
	w.Run(w.lane, Block)
	if took < after {
		t.Errorf("fired after %v of %v", took, after)
	}
	if n := len(w.ended().all("epoll_pwait")); n > 3 {
		t.Errorf("%d waits for one timer", n)
	}
}

func TestTheWaitLastsUntilTheNextTimerRoundedUp(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	s := d.scheduler
	same(t, "no timer", s.timeout(), -1)
	timer := d.CreateTimer("t", func() {})
	for _, c := range []struct {
		after time.Duration
		ms    int
	}{{0, 0}, {1, 1}, {time.Millisecond, 1}, {time.Millisecond + 1, 2}, {-time.Hour, 0},
		{60 * 24 * time.Hour, longestWait}, {math.MaxInt64 / 2, longestWait}} {
		*now = time.Second
		timer.Enable(c.after)
		same(t, fmt.Sprint("in ", c.after), s.timeout(), c.ms)
	}
	timer.Enable(time.Second)
	*now += time.Minute
	same(t, "overdue", s.timeout(), 0)
}

func TestEnablingAgainStartsAnew(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	fired := 0
	timer := d.CreateTimer("t", func() { fired++ })
	timer.Enable(10)
	*now = 5
	timer.Enable(10)
	*now = 12
	turns(d, 1)
	same(t, "the first time does not count", fired, 0)
	*now = 15
	turns(d, 1)
	same(t, "the second does", fired, 1)
	timer.Enable(100)
	timer.Enable(1)
	*now = 16
	turns(d, 1)
	same(t, "sooner", fired, 2)
	same(t, "timers left", len(d.scheduler.timers), 0)
}

func TestADisabledTimerDoesNotFire(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	timer := d.CreateTimer("t", func() { t.Error("fired") })
	timer.Disable()
	timer.Enable(1)
	timer.Disable()
	timer.Disable()
	*now = time.Hour
	turns(d, 2)
	same(t, "timeout", d.scheduler.timeout(), -1)
}

func TestATimerDisabledByAnotherOfTheSameTurnDoesNotFire(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	second := d.CreateTimer("second", func() { t.Error("fired") })
	d.CreateTimer("first", func() { second.Disable() }).Enable(1)
	second.Enable(2)
	*now = 5
	turns(d, 2)
}

func TestATimerMayDisableItselfAndOthersAndEnableThemAgain(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	fired := 0
	var timer *Timer
	timer = d.CreateTimer("t", func() {
		fired++
		timer.Disable()
		timer.Enable(10)
	})
	timer.Enable(10)
	for i := 1; i <= 5; i++ {
		*now = time.Duration(i) * 10
		turns(d, 1)
		same(t, "fired", fired, i)
	}
}

// With a clock that stands still this would go on for ever.
func TestWhatATimerEnablesWaitsForALaterTurn(t *testing.T) {
	d := quiet(t)
	steppedClock(d)
	fired := 0
	var timer *Timer
	timer = d.CreateTimer("t", func() {
		if fired++; fired > 1000 {
			panic("one turn goes on for ever")
		}
		timer.Enable(0)
	})
	timer.Enable(0)
	turns(d, 1)
	same(t, "in the first turn", fired, 1)
	turns(d, 1)
	same(t, "in the second", fired, 2)
}

func TestAHousekeepingTimerLeavesItsTurnIdleAndAnotherDoesNot(t *testing.T) {
	for _, housekeeping := range []bool{true, false} {
		w := newWorld(t)
		n := 0
		var timer *Timer
		timer = w.CreateTimer("t", func() {
			if n++; n < 10 {
				timer.Enable(0)
			}
		})
		timer.Housekeeping = housekeeping
		timer.Enable(0)
		w.Run(w.lane, Block)
		turns := w.ended().all("turn")
		if housekeeping {
			same(t, "turns", len(turns), 1)
			same(t, "repeat", attr(turns[0], "repeat"), "10")
		} else {
			same(t, "turns", len(turns), 10)
		}
	}
}

func TestAThousandTimersAtRandomKeepTheirOrder(t *testing.T) {
	d := quiet(t)
	now := steppedClock(d)
	var fired []time.Duration
	x := uint32(1)
	timers := make([]*Timer, 1000)
	for i := range timers {
		var timer *Timer
		timer = d.CreateTimer("t", func() { fired = append(fired, timer.due) })
		timers[i] = timer
	}
	for range 5000 {
		x = x*1664525 + 1013904223
		if timer := timers[x>>8%1000]; x>>28%4 == 0 {
			timer.Disable()
		} else {
			timer.Enable(time.Duration(x >> 16 % 5000))
		}
	}
	enabled := len(d.scheduler.timers)
	for *now = 0; *now < 5000; *now += 7 {
		turns(d, 1)
	}
	if len(fired) != enabled || !slices.IsSorted(fired) {
		t.Errorf("%d of %d fired, in order: %v", len(fired), enabled, slices.IsSorted(fired))
	}
}
