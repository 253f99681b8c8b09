package diff

import "envoywalk/trace/moment"

// loopSteps are how the loop came to run what it ran: that, and how often, is a matter of time.
var loopSteps = map[string]bool{"run-post-callbacks": true, "merge-injected-events": true,
	"file-event-callback-wrapper": true, "file-event-libevent-callback": true,
	"file-event-activation-callback": true, "on-file-event": true, "libevent-scheduler-run": true,
	"event-base-loop": true}

// readySteps: where these find nothing to do, they ran because another event came along.
var readySteps = map[string]bool{"on-read-ready": true, "on-write-ready": true}

var loopKinds = map[string]bool{moment.KindTurn: true, moment.KindEvent: true, moment.KindTimer: true,
	moment.KindDelete: true}

// waits are the ways to wait in the kernel.
var waits = map[string]bool{"epoll_wait": true, "epoll_pwait": true, "epoll_pwait2": true, "poll": true,
	"ppoll": true, "select": true, "pselect6": true, "futex": true, "wait4": true, "waitid": true,
	"nanosleep": true, "clock_nanosleep": true, "rt_sigtimedwait": true, "rt_sigsuspend": true,
	"pause": true, "io_getevents": true, "io_uring_enter": true}

func (e *Event) isCall() bool { return e.Kind == moment.KindCall }
func (e *Event) isWait() bool { return e.isCall() && waits[e.Call.Name] }

// isLook: a call that found nothing.
func (e *Event) isLook() bool {
	return e.isCall() && (e.Call.Errno == "EAGAIN" || e.Call.Errno == "EINTR")
}

// isWake: the note to a loop that posts wait for it, or its reading.
func (e *Event) isWake() bool {
	const wake = "wake:"
	return e.isCall() && len(e.FDLabel) >= len(wake) && e.FDLabel[:len(wake)] == wake &&
		(e.Call.Name == "read" || e.Call.Name == "write")
}

// isTiming: the event is there, or not, because of when things happened.
func isTiming(e *Event) bool {
	return loopKinds[e.Kind] || loopSteps[e.Step] || e.isWait() || e.isLook() || e.isWake()
}

// quiet says of each event whether it is in something that the loop called and that did nothing.
func (s *side) quiet() []bool {
	n := len(s.events)
	busy, looked, quiet := make([]bool, n), make([]bool, n), make([]bool, n)
	for i := n - 1; i >= 0; i-- {
		e := &s.events[i]
		if e.Kind != moment.KindFunction && !isTiming(e) {
			busy[i] = true
		}
		if e.Caller == none || e.Kind == moment.KindThread {
			continue
		}
		busy[e.Caller] = busy[e.Caller] || busy[i]
		looked[e.Caller] = looked[e.Caller] || looked[i] || e.isLook() && !e.isWait()
	}
	for i := range s.events {
		e := &s.events[i]
		spurious := e.Kind == moment.KindEvent || e.Kind == moment.KindTimer || s.isLoopCall(i) ||
			e.Kind == moment.KindFunction && (looked[i] || readySteps[e.Step])
		quiet[i] = e.Caller != none && quiet[e.Caller] || spurious && !busy[i]
	}
	return quiet
}
