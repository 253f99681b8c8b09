package eventloop

import (
	"runtime"
	"testing"
	"time"

	"envoywalk/internal/step"
)

func TestBlockReturnsWhenNothingIsLeft(t *testing.T) {
	d := quiet(t)
	fired := 0
	d.CreateTimer("one", func() { fired++ }).Enable(time.Millisecond)
	d.Post(d, step.None, func() { d.Post(d, step.None, func() { fired++ }) })
	within(t, time.Minute, func() { d.Run(nil, Block) })
	same(t, "what ran", fired, 2)
	within(t, time.Minute, func() { d.Run(nil, Block) })
}

func TestBlockGoesOnWhileAFileIsWatched(t *testing.T) {
	d := quiet(t)
	fd := eventfd(t)
	var e *FileEvent
	e, _ = d.CreateFileEvent(fd, Level, Read, func(FileReady) { e.Close() })
	d.CreateTimer("ring", func() { ring(fd) }).Enable(2 * time.Millisecond)
	within(t, time.Minute, func() { d.Run(nil, Block) })
	same(t, "files left", d.scheduler.files, 0)
}

func TestNonBlockLooksOnceAndDoesNotWait(t *testing.T) {
	w := newWorld(t)
	fd := eventfd(t)
	ready := 0
	e, _ := w.CreateFileEvent(fd, Level, Read, func(FileReady) { ready++ })
	far := w.CreateTimer("far", func() { t.Error("an hour has passed") })
	far.Enable(time.Hour)
	within(t, time.Minute, func() { w.Run(w.lane, NonBlock) })
	same(t, "ready", ready, 0)
	ring(fd)
	w.Run(w.lane, NonBlock)
	same(t, "ready", ready, 1)
	e.Close()
	ss := w.ended()
	same(t, "waits", len(ss.all("epoll_pwait")), 2)
}

func TestRunUntilExitStaysThoughNothingIsLeft(t *testing.T) {
	d := quiet(t)
	join := start(d, nil, RunUntilExit)
	asleep(d)
	d.Exit(nil)
	within(t, time.Minute, join)
}

func TestExitFromACallbackEndsRunAfterThatTurn(t *testing.T) {
	for _, r := range []RunType{Block, RunUntilExit} {
		d := quiet(t)
		var order []string
		soon := d.CreateSchedulableCallback(func() { order = append(order, "callback of the turn") })
		again := d.CreateTimer("again", func() { order = append(order, "timer") })
		again.Enable(time.Hour)
		d.Post(d, step.None, func() {
			d.Post(d, step.None, func() {
				d.Exit(d)
				soon.ScheduleCurrentIteration()
				order = append(order, "exit")
			})
		})
		within(t, time.Minute, func() { d.Run(nil, r) })
		same(t, "order", order, "[exit callback of the turn]")
	}
}

func TestExitFromAnotherThreadWakesTheLoop(t *testing.T) {
	for _, r := range []RunType{Block, RunUntilExit} {
		d := quiet(t)
		d.CreateTimer("keeps a blocking loop", func() {}).Enable(time.Hour)
		join := start(d, nil, r)
		asleep(d)
		d.Exit(nil)
		within(t, time.Minute, join)
	}
}

func TestExitFromItsOwnThreadWritesNoWake(t *testing.T) {
	w := newWorld(t)
	w.CreateTimer("stop", func() { w.Exit(w.Dispatcher) }).Enable(0)
	w.Run(w.lane, RunUntilExit)
	same(t, "wakes", len(w.ended().calls("write", "wake:main")), 0)
}

func TestExitBeforeRunFlushesThePostsAndReturnsAndTheNextRunRuns(t *testing.T) {
	w := newWorld(t)
	var order []string
	w.Post(w.Dispatcher, step.None, func() { order = append(order, "post") })
	timer := w.CreateTimer("timer", func() { order = append(order, "timer"); w.Exit(w.Dispatcher) })
	timer.Enable(0)
	w.Exit(nil)
	within(t, time.Minute, func() { w.Run(w.lane, RunUntilExit) })
	same(t, "the stopped run", order, "[post]")
	within(t, time.Minute, func() { w.Run(w.lane, RunUntilExit) })
	same(t, "the next run", order, "[post timer]")
	ss := w.ended()
	same(t, "wakes", len(ss.calls("write", "wake:main")), 0)
	same(t, "turns", len(ss.all("turn")), 1)
}

// The link of a wake-up names the write that caused it, and no older one.
func TestAnExitIsTheCauseOfItsOwnWake(t *testing.T) {
	w := newWorld(t)
	worker := New(w.lane, "worker")
	join := start(worker, w.rec, RunUntilExit)
	asleep(worker)
	release := busy(worker)
	release()
	asleep(worker)
	worker.Exit(w.Dispatcher)
	join()
	worker.Close(w.lane)
	ss := w.ended()
	writes := ss.calls("write", "wake:worker")
	same(t, "writes of a thread with a lane", len(writes), 1)
	linked := 0
	for _, turn := range ss.all("turn") {
		for _, l := range turn.Links() {
			if l.SpanContext.SpanID() != writes[0].SpanContext().SpanID() {
				t.Errorf("a turn is linked to %v", l.SpanContext.SpanID())
			}
			linked++
		}
	}
	same(t, "turns linked to the exit", linked, 1)
}

func TestIsThreadSafeKnowsTheLoopsThread(t *testing.T) {
	d := quiet(t)
	same(t, "before Run", d.IsThreadSafe(), true)
	join := start(d, nil, RunUntilExit)
	inside := make(chan bool)
	d.Post(nil, step.None, func() { inside <- d.IsThreadSafe() })
	same(t, "in the loop", <-inside, true)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	same(t, "elsewhere", d.IsThreadSafe(), false)
	d.Exit(nil)
	join()
}

func TestAPanicInACallbackLeavesTheLoopFitToRun(t *testing.T) {
	d := quiet(t)
	d.Post(d, step.None, func() { panic("broken") })
	func() {
		defer func() { same(t, "panic", recover(), "broken") }()
		d.Run(nil, Block)
	}()
	ran := false
	d.Post(d, step.None, func() { ran = true })
	within(t, time.Minute, func() { d.Run(nil, Block) })
	same(t, "the next run", ran, true)
}
