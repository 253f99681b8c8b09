package eventloop

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"envoywalk/internal/step"
	"envoywalk/trace"
)

func TestACallbackOfTheCurrentIterationRunsInThisTurn(t *testing.T) {
	d := quiet(t)
	var order []string
	last := d.CreateSchedulableCallback(func() { order = append(order, "scheduled by a callback") })
	soon := d.CreateSchedulableCallback(func() {
		order = append(order, "this turn")
		last.ScheduleCurrentIteration()
	})
	next := d.CreateSchedulableCallback(func() { order = append(order, "next turn") })
	d.CreateTimer("t", func() { next.ScheduleNextIteration(); soon.ScheduleCurrentIteration() }).Enable(0)
	turns(d, 1)
	same(t, "first turn", order, "[this turn scheduled by a callback]")
	same(t, "the next wait", d.scheduler.timeout(), 0)
	turns(d, 1)
	same(t, "second turn", order, "[this turn scheduled by a callback next turn]")
	same(t, "the next wait", d.scheduler.timeout(), -1)
}

func TestSchedulingTwiceRunsOnce(t *testing.T) {
	d := quiet(t)
	n := 0
	c := d.CreateSchedulableCallback(func() { n++ })
	c.ScheduleCurrentIteration()
	c.ScheduleCurrentIteration()
	c.ScheduleNextIteration()
	same(t, "enabled", c.Enabled(), true)
	turns(d, 2)
	same(t, "ran", n, 1)
	same(t, "enabled", c.Enabled(), false)
	c.ScheduleNextIteration()
	turns(d, 1)
	same(t, "ran again", n, 2)
}

func TestACancelledCallbackDoesNotRunAndMayBeScheduledAgain(t *testing.T) {
	d := quiet(t)
	n := 0
	c := d.CreateSchedulableCallback(func() { n++ })
	c.Cancel()
	for _, schedule := range []func(){c.ScheduleCurrentIteration, c.ScheduleNextIteration} {
		schedule()
		c.Cancel()
		c.Cancel()
		turns(d, 2)
		same(t, "ran", n, 0)
	}
	c.ScheduleNextIteration()
	c.Cancel()
	c.ScheduleCurrentIteration()
	turns(d, 2)
	same(t, "ran", n, 1)
}

func TestACallbackCancelledByAnotherOfTheSameBatchDoesNotRun(t *testing.T) {
	d := quiet(t)
	var order []string
	var b *SchedulableCallback
	a := d.CreateSchedulableCallback(func() { order = append(order, "a"); b.Cancel() })
	b = d.CreateSchedulableCallback(func() { order = append(order, "b") })
	c := d.CreateSchedulableCallback(func() { order = append(order, "c"); b.ScheduleCurrentIteration() })
	for _, cb := range []*SchedulableCallback{a, b, c} {
		cb.ScheduleNextIteration()
	}
	turns(d, 1)
	same(t, "order", order, "[a c b]")
}

// Looking for each of them would take minutes.
func TestACallbackIsCancelledWithoutBeingLookedFor(t *testing.T) {
	d := quiet(t)
	callbacks := make([]*SchedulableCallback, 300_000)
	for i := range callbacks {
		callbacks[i] = d.CreateSchedulableCallback(func() { t.Error("ran") })
		callbacks[i].ScheduleNextIteration()
	}
	within(t, 10*time.Second, func() {
		for _, c := range slices.Backward(callbacks) {
			c.Cancel()
		}
	})
	same(t, "the next wait", d.scheduler.timeout(), -1)
	turns(d, 1)
}

// The model is two plain lists.
func TestCallbacksScheduledAndCancelledAtRandomRunInTheOrderTheyWereScheduled(t *testing.T) {
	d := quiet(t)
	random := rand.New(rand.NewPCG(1, 2))
	var ran, ready, next []int
	callbacks := make([]*SchedulableCallback, 20)
	for i := range callbacks {
		callbacks[i] = d.CreateSchedulableCallback(func() { ran = append(ran, i) })
	}
	for range 20_000 {
		i := random.IntN(len(callbacks))
		c, is := callbacks[i], func(n int) bool { return n == i }
		same(t, "enabled", c.Enabled(), slices.Contains(ready, i) || slices.Contains(next, i))
		switch k := random.IntN(10); {
		case k < 3 && !c.Enabled():
			c.ScheduleCurrentIteration()
			ready = append(ready, i)
		case k < 6 && !c.Enabled():
			c.ScheduleNextIteration()
			next = append(next, i)
		case k < 9:
			c.Cancel()
			ready, next = slices.DeleteFunc(ready, is), slices.DeleteFunc(next, is)
		default:
			ran = nil
			turns(d, 1)
			same(t, "order", ran, append(ready, next...))
			ready, next = nil, nil
		}
	}
}

func TestDeferredDeletesRunOldestFirstOnceTheTurnsCallbackIsOffTheStack(t *testing.T) {
	d := quiet(t)
	var order []int
	d.CreateTimer("t", func() {
		for i := range 5 {
			d.DeferredDelete(func() { order = append(order, i) })
		}
		same(t, "inside the callback", len(order), 0)
	}).Enable(0)
	turns(d, 1)
	same(t, "at the end of the turn", order, "[0 1 2 3 4]")
	same(t, "nothing is left", d.scheduler.timeout(), -1)
}

func TestAClearInsideAClearDoesNothingAndWhatADeleteAddsComesAfterwards(t *testing.T) {
	d := quiet(t)
	var order []string
	d.DeferredDelete(func() {
		order = append(order, "first")
		d.DeferredDelete(func() { order = append(order, "added by first") })
		d.ClearDeferredDeletes()
	})
	d.DeferredDelete(func() { order = append(order, "second") })
	d.ClearDeferredDeletes()
	same(t, "one clear", order, "[first second]")
	d.ClearDeferredDeletes()
	same(t, "the next", order, "[first second added by first]")
}

func TestWhatADeleteAddsIsDeletedInTheSameTurn(t *testing.T) {
	d := quiet(t)
	depth := 0
	var again func()
	again = func() {
		if depth++; depth < 10 {
			d.DeferredDelete(again)
		}
	}
	d.CreateTimer("t", func() { d.DeferredDelete(again) }).Enable(0)
	turns(d, 1)
	same(t, "deleted", depth, 10)
}

func TestDeferredDeletesComeBeforePosts(t *testing.T) {
	d := quiet(t)
	var order []string
	d.Post(d, step.None, func() { order = append(order, "post") })
	d.DeferredDelete(func() { order = append(order, "delete") })
	d.Run(nil, Block)
	same(t, "order", order, "[delete post]")
}

func TestCloseRunsWhatWasDeferredOnTheThreadThatCloses(t *testing.T) {
	w := newWorld(t)
	worker := New(w.lane, "worker")
	join := start(worker, w.rec, Block)
	join()
	deleted := 0
	worker.DeferredDelete(func() { deleted++ })
	worker.Close(w.lane)
	ss := w.ended()
	same(t, "deleted", deleted, 1)
	s := ss.all("deferred delete")[0]
	same(t, "thread", attr(s, trace.KeyThreadName), "main")
	same(t, "count", attr(s, trace.KeyCount), 1)
}

func TestCallbacksAndDeletesAllocateNothing(t *testing.T) {
	d := quiet(t)
	f := func() {}
	c := d.CreateSchedulableCallback(f)
	timer := d.CreateTimer("t", f)
	n := testing.AllocsPerRun(100, func() {
		c.ScheduleNextIteration()
		d.DeferredDelete(f)
		timer.Enable(0)
		d.scheduler.turn(NonBlock)
	})
	same(t, "allocations", n, 0)
}
