package startup

import (
	"runtime"
	"testing"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/step"
)

// threads are a main dispatcher and workers that nobody runs but the test.
func threads(t *testing.T, workers int) (tls *ThreadLocal, all []*eventloop.Dispatcher) {
	main := eventloop.New(nil, "main_thread")
	all = append(all, main)
	tls = NewThreadLocal(main)
	for range workers {
		w := eventloop.New(nil, "worker")
		tls.RegisterThread(nil, w)
		all = append(all, w)
	}
	t.Cleanup(func() {
		for _, d := range all {
			d.Close(nil)
		}
	})
	return tls, all
}

func TestASlotIsSetOnMainAtOnceAndOnWorkersByPost(t *testing.T) {
	tls, all := threads(t, 2)
	slot := tls.AllocateSlot("number")
	slot.Set(func(d *eventloop.Dispatcher) any { return d.Name + "'s" })
	if got := slot.Get(all[0]); got != "main_thread's" {
		t.Error("main:", got)
	}
	if got := slot.Get(all[1]); got != nil {
		t.Error("the worker has not run yet, and has", got)
	}
	for _, worker := range all[1:] {
		worker.Run(nil, eventloop.NonBlock)
		if got := slot.Get(worker); got != "worker's" {
			t.Error("worker:", got)
		}
	}
}

func TestALateThreadHasNothingUntilTheNextSet(t *testing.T) {
	tls, all := threads(t, 0)
	slot := tls.AllocateSlot("number")
	slot.Set(func(*eventloop.Dispatcher) any { return 1 })
	late := eventloop.New(nil, "late")
	defer late.Close(nil)
	tls.RegisterThread(nil, late)
	late.Run(nil, eventloop.NonBlock)
	if got := slot.Get(late); got != nil {
		t.Error(got)
	}
	slot.Set(func(*eventloop.Dispatcher) any { return 2 })
	late.Run(nil, eventloop.NonBlock)
	if got := slot.Get(late); got != 2 || slot.Get(all[0]) != 2 {
		t.Error(got)
	}
}

func TestSlotsDoNotMix(t *testing.T) {
	tls, all := threads(t, 1)
	var slots []*Slot
	for n := range 20 { // more than a worker is greeted with
		s := tls.AllocateSlot("number")
		s.Set(func(*eventloop.Dispatcher) any { return n })
		slots = append(slots, s)
	}
	all[1].Run(nil, eventloop.NonBlock)
	for n, s := range slots {
		if s.Get(all[0]) != n || s.Get(all[1]) != n {
			t.Errorf("slot %d: %v, %v", n, s.Get(all[0]), s.Get(all[1]))
		}
	}
	tls.ShutdownThread(all[0])
	if slots[0].Get(all[0]) != nil {
		t.Error("main has let go")
	}
}

func TestRunOnAllThreadsIsDoneOnMainAfterTheLast(t *testing.T) {
	tls, all := threads(t, 2)
	var s story
	tls.RunOnAllThreads("news", func(d *eventloop.Dispatcher) { s.tells("on " + d.Name)() }, s.tells("done"))
	same(t, s, []string{"on main_thread"})
	all[1].Run(nil, eventloop.NonBlock)
	all[0].Run(nil, eventloop.NonBlock)
	same(t, s, []string{"on main_thread", "on worker"})
	all[2].Run(nil, eventloop.NonBlock)
	same(t, s, []string{"on main_thread", "on worker", "on worker"})
	all[0].Run(nil, eventloop.NonBlock)
	same(t, s, []string{"on main_thread", "on worker", "on worker", "done"})
}

func TestRunOnAllThreadsWithoutWorkersIsDoneAtOnce(t *testing.T) {
	tls, _ := threads(t, 0)
	var s story
	tls.RunOnAllThreads("news", func(*eventloop.Dispatcher) { s.tells("main")() }, s.tells("done"))
	same(t, s, []string{"main", "done"})
}

func TestAfterGlobalShutdownWorkersAreLeftAlone(t *testing.T) {
	tls, all := threads(t, 1)
	tls.ShutdownGlobalThreading()
	var s story
	tls.RunOnAllThreads("news", func(d *eventloop.Dispatcher) { s.tells(d.Name)() }, s.tells("done"))
	all[1].Run(nil, eventloop.NonBlock)
	same(t, s, []string{"main_thread", "done"})
}

// A worker that reads without a lock, while main sets again and again, sees each version whole and in order.
func TestAnUpdateIsNeverSeenHalf(t *testing.T) {
	const updates = 2000
	tls, all := threads(t, 1)
	slot, worker := tls.AllocateSlot("number"), all[1]
	done := make(chan struct{})
	seen := 0
	var read func()
	read = func() {
		pair, _ := slot.Get(worker).([2]int)
		if pair[0] != pair[1] || pair[0] < seen {
			t.Errorf("%v after %d", pair, seen)
		}
		if seen = pair[0]; seen == updates {
			worker.Exit(worker)
			return
		}
		worker.Post(worker, step.None, read)
	}
	worker.Post(nil, step.None, read)
	go func() {
		defer close(done)
		runtime.LockOSThread()
		worker.Run(nil, eventloop.RunUntilExit)
	}()
	for n := 1; n <= updates; n++ {
		slot.Set(func(*eventloop.Dispatcher) any { return [2]int{n, n} })
	}
	<-done
}

func TestNobodyIsToldWhoDoesNotAsk(t *testing.T) {
	tls, all := threads(t, 2)
	ran := 0
	tls.RunOnAllThreads("news", func(*eventloop.Dispatcher) { ran++ }, nil)
	for _, d := range append(all[1:], all[0]) {
		d.Run(nil, eventloop.NonBlock)
	}
	if ran != 3 {
		t.Error("it ran", ran, "times")
	}
}

// closer tells when a thread lets go of it.
type closer struct{ close func() }

func (c closer) Close() { c.close() }

func TestAThreadsCopiesAreClosedTheYoungestFirst(t *testing.T) {
	tls, all := threads(t, 1)
	var closed []string
	for _, name := range []string{"old", "young"} {
		tls.AllocateSlot("number").Set(func(d *eventloop.Dispatcher) any {
			return closer{func() { closed = append(closed, d.Name+"'s "+name) }}
		})
	}
	all[1].Run(nil, eventloop.NonBlock)
	tls.ShutdownThread(all[1])
	same(t, closed, []string{"worker's young", "worker's old"})
}
