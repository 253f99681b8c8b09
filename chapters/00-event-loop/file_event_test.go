package eventloop

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/kernel"
	"envoywalk/trace"
)

// pair is two connected sockets.
func pair(t *testing.T) (ours, theirs int) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p[0]); unix.Close(p[1]) })
	return p[0], p[1]
}

// watch records what is delivered for fd, turn by turn.
func watch(d *Dispatcher, fd int, trigger Trigger, enabled FileReady) (*FileEvent, *[]FileReady) {
	got := new([]FileReady)
	e, _ := d.CreateFileEvent(fd, trigger, enabled, func(r FileReady) { *got = append(*got, r) })
	return e, got
}

func TestALevelIsDeliveredAsLongAsItHolds(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	_, got := watch(d, fd, Level, Read)
	ring(fd)
	turns(d, 3)
	same(t, "delivered", *got, []FileReady{Read, Read, Read})
	kernel.EventfdRead(nil, fd)
	turns(d, 1)
	same(t, "delivered after the read", len(*got), 3)
}

func TestAnEdgeIsDeliveredOncePerEdge(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	_, got := watch(d, fd, Edge, Read)
	ring(fd)
	turns(d, 3)
	same(t, "delivered", *got, []FileReady{Read})
	ring(fd)
	turns(d, 3)
	same(t, "after one more", *got, []FileReady{Read, Read})
}

func TestAnExclusiveWatchIsALevelThatOthersMayShareAndNobodyMayChange(t *testing.T) {
	fd := eventfd(t)
	one, other := quiet(t), quiet(t)
	e, first := watch(one, fd, Exclusive, Read)
	_, second := watch(other, fd, Exclusive, Read)
	ring(fd)
	turns(one, 2)
	turns(other, 2)
	same(t, "who looks finds it as long as it holds", [2]int{len(*first), len(*second)}, [2]int{2, 2})
	same(t, "a wider interest", e.SetEnabled(Read|Write), kernel.EINVAL)
	e.SetEnabled(0)
	turns(one, 1)
	same(t, "while it is off", len(*first), 2)
	same(t, "on again", e.SetEnabled(Read), kernel.Errno(0))
	turns(one, 1)
	same(t, "delivered", len(*first), 3)
}

func TestSetEnabledArmsTheEdgeAnew(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	e, got := watch(d, fd, Edge, Read)
	ring(fd)
	turns(d, 2)
	e.SetEnabled(Read)
	turns(d, 2)
	same(t, "the same interest", *got, []FileReady{Read, Read})
	e.SetEnabled(Read | Write)
	turns(d, 2)
	same(t, "a wider one", *got, []FileReady{Read, Read, Read | Write})
}

// No kernel does this; an injected error does, and a listener must accept again all the same.
func TestAFileThatEpollDidNotLetGoOfIsWatchedAgain(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	e, got := watch(d, fd, Level, Read)
	ring(fd)
	restore := kernel.SetScript(func(call string, _, _ int) (int, kernel.Errno, bool) {
		return -1, kernel.ENOMEM, call == "epoll_ctl"
	})
	e.SetEnabled(0)
	restore()
	turns(d, 1)
	same(t, "while it is off", len(*got), 0)
	same(t, "the errno", e.SetEnabled(Read), kernel.Errno(0))
	turns(d, 1)
	same(t, "delivered", *got, []FileReady{Read})
}

func TestOnlyWhatIsEnabledIsDelivered(t *testing.T) {
	d := quiet(t)
	ours, theirs := pair(t)
	unix.Write(theirs, []byte("x"))
	for _, enabled := range []FileReady{Read, Write, Read | Write} {
		e, got := watch(d, ours, Level, enabled)
		turns(d, 1)
		same(t, "delivered", *got, []FileReady{enabled})
		e.Close()
	}
	unix.Shutdown(theirs, unix.SHUT_WR)
	_, got := watch(d, ours, Level, Closed)
	turns(d, 1)
	same(t, "the peer sends no more", *got, []FileReady{Closed})
}

func TestAHangUpWakesWhoeverIsThere(t *testing.T) {
	for _, enabled := range []FileReady{Read, Write, Read | Write, Closed} {
		d := quiet(t)
		ours, theirs := pair(t)
		e, got := watch(d, ours, Edge, enabled)
		turns(d, 1)
		*got = nil
		unix.Close(theirs)
		turns(d, 1)
		same(t, "delivered", *got, []FileReady{enabled})
		e.Close()
	}
}

// The reader of a pipe is gone: the kernel says EPOLLERR and nothing else.
func TestAnErrorAloneWakesWhoeverIsThere(t *testing.T) {
	d := quiet(t)
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[1])
	e, got := watch(d, p[1], Level, Closed)
	defer e.Close()
	turns(d, 1)
	same(t, "before", len(*got), 0)
	unix.Close(p[0])
	turns(d, 1)
	same(t, "delivered", *got, []FileReady{Closed})
}

// epoll reports it though nobody asked; a level would be reported without end.
func TestAHangUpDoesNotSpinALoopWhereNobodyListensToTheFile(t *testing.T) {
	w := newWorld(t)
	ours, theirs := pair(t)
	e, got := watch(w.Dispatcher, ours, Level, Read)
	w.Run(w.lane, NonBlock)
	e.SetEnabled(0)
	e.SetEnabled(0)
	unix.Close(theirs)
	w.CreateTimer("stop", func() { w.Exit(w.Dispatcher) }).Enable(20 * time.Millisecond)
	w.Run(w.lane, RunUntilExit)
	same(t, "delivered", len(*got), 0)
	e.SetEnabled(Read)
	w.Run(w.lane, NonBlock)
	same(t, "delivered to who listens again", *got, []FileReady{Read})
	e.SetEnabled(0)
	e.Close()
	same(t, "files left", w.scheduler.files, 0)
	waits := 0
	for _, s := range w.ended().all("epoll_pwait") {
		waits += max(1, int(number(s, trace.KeyRepeat)))
	}
	if waits > 6 {
		t.Errorf("%d waits", waits)
	}
}

func TestActivateIsDeliveredInTheNextTurnWithoutWaiting(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	var e *FileEvent
	var order []string
	e, _ = d.CreateFileEvent(fd, Edge, Read|Write, func(r FileReady) {
		if order = append(order, eventText(r)); len(order) == 1 {
			e.Activate(Read)
			e.Activate(Closed)
			same(t, "inside the callback", len(order), 1)
		}
	})
	turns(d, 1) // an eventfd has room: Write
	same(t, "the wait of the next turn", d.scheduler.timeout(), 0)
	turns(d, 3)
	same(t, "order", order, "[write read+closed]")
}

func eventText(r FileReady) string {
	return map[FileReady]string{Read: "read", Write: "write", Read | Closed: "read+closed",
		Read | Write: "read+write"}[r]
}

func TestActivateMergesWithARealEvent(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	e, got := watch(d, fd, Level, Read)
	e.Activate(Write)
	ring(fd)
	turns(d, 1)
	same(t, "one delivery", *got, []FileReady{Read | Write})
	kernel.EventfdRead(nil, fd)
	turns(d, 2)
	same(t, "and no second", len(*got), 1)
}

func TestSetEnabledDropsInjectedBits(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	e, got := watch(d, fd, Level, Read)
	for _, enabled := range []FileReady{Read, Read | Closed} {
		e.Activate(Read)
		e.SetEnabled(enabled)
		turns(d, 2)
		same(t, "delivered", len(*got), 0)
	}
}

func TestNothingIsDeliveredAfterClose(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	e, got := watch(d, fd, Level, Read)
	e.Activate(Read)
	ring(fd)
	e.Close()
	e.Close()
	turns(d, 2)
	same(t, "delivered", len(*got), 0)
	same(t, "files left", d.scheduler.files, 0)
	_, again := watch(d, fd, Level, Read)
	turns(d, 1)
	same(t, "the next interest", *again, []FileReady{Read})
}

func TestAFileClosedByAnotherOfTheSameBatchIsNotDelivered(t *testing.T) {
	d := quiet(t)
	var events [3]*FileEvent
	delivered := 0
	for i := range events {
		fd := eventfd(t)
		ring(fd)
		events[i], _ = d.CreateFileEvent(fd, Level, Read, func(FileReady) {
			delivered++
			for j := range events {
				if j != i {
					events[j].Close()
				}
			}
		})
	}
	turns(d, 1)
	same(t, "delivered", delivered, 1)
}

func TestAnInterestGivenUpInTheSameBatchIsNotDelivered(t *testing.T) {
	d := quiet(t)
	var events [2]*FileEvent
	delivered := 0
	for i := range events {
		fd := eventfd(t)
		ring(fd)
		events[i], _ = d.CreateFileEvent(fd, Level, Read, func(FileReady) {
			delivered++
			events[1-i].SetEnabled(Closed)
		})
	}
	turns(d, 1)
	same(t, "delivered", delivered, 1)
}

// The number is closed and used again while its event is still on its way.
func TestAnEventForANumberUsedAgainInTheSameBatchIsDropped(t *testing.T) {
	d := quiet(t)
	var fds [2]int
	var events [2]*FileEvent
	reused := 0
	for i := range fds {
		fds[i], _ = kernel.Eventfd(nil)
		ring(fds[i])
		events[i], _ = d.CreateFileEvent(fds[i], Level, Read, func(FileReady) {
			other := 1 - i
			events[other].Close()
			kernel.Close(nil, fds[other])
			again, _ := kernel.Eventfd(nil)
			same(t, "the new number", again, fds[other])
			d.CreateFileEvent(again, Level, Read, func(FileReady) { reused++ })
			events[i].Close()
		})
	}
	turns(d, 3)
	same(t, "delivered to the new file", reused, 0)
	for _, fd := range fds {
		kernel.Close(nil, fd)
	}
}

func TestMoreReadyFilesThanOneWaitHoldsAreAllServed(t *testing.T) {
	d := quiet(t)
	const files = 1000
	served := [files]int{}
	for i := range files {
		fd := eventfd(t)
		ring(fd)
		d.CreateFileEvent(fd, Level, Read, func(FileReady) { served[i]++ })
	}
	turns(d, 100)
	least, most := served[0], served[0]
	for _, n := range served {
		least, most = min(least, n), max(most, n)
	}
	if least == 0 || most-least > 5 || len(d.scheduler.events) <= files {
		t.Errorf("in 100 turns each file was served %d to %d times; a wait holds %d",
			least, most, len(d.scheduler.events))
	}
}

func TestEventsAndChangesOfInterestAllocateNothing(t *testing.T) {
	d, fd := quiet(t), eventfd(t)
	e, _ := watch(d, fd, Level, Read)
	e.callback = func(FileReady) {}
	ring(fd)
	n := testing.AllocsPerRun(100, func() {
		e.SetEnabled(Read | Write)
		e.Activate(Closed)
		d.scheduler.turn(NonBlock)
		e.SetEnabled(Read)
	})
	same(t, "allocations", n, 0)
}

func TestAnEventIsToldWithItsFileAndBits(t *testing.T) {
	w := newWorld(t)
	fd := eventfd(t)
	w.lane.Label(fd, "bell")
	e, _ := watch(w.Dispatcher, fd, Level, Read|Write)
	ring(fd)
	w.Run(w.lane, NonBlock)
	e.Close()
	ss := w.ended()
	for _, s := range ss {
		if attr(s, trace.KeyEvents) == "READ|WRITE" && attr(s, trace.KeyFDLabel) == "bell" {
			return
		}
	}
	t.Error("no span has the event")
}

func TestTheKernelRefusingToWatchIsNotSilent(t *testing.T) {
	d := quiet(t)
	e, errno := d.CreateFileEvent(900, Level, Read, func(FileReady) {})
	if e != nil || errno != kernel.Errno(unix.EBADF) {
		t.Errorf("an fd that is not open: event %v, errno %v", e, errno)
	}
	if d.scheduler.files != 0 || d.scheduler.slots[900].event != nil {
		t.Error("something is still watched")
	}
}
