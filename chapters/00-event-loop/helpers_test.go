package eventloop

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// world is a recorder and one dispatcher on the test's own thread.
type world struct {
	*Dispatcher
	t    *testing.T
	rec  *trace.Recorder
	sink *tracetest.SpanRecorder
	lane *trace.Lane
}

func newWorld(t *testing.T) *world {
	runtime.LockOSThread()
	w := &world{t: t, sink: tracetest.NewSpanRecorder()}
	w.rec = trace.New(trace.Config{Service: t.Name(), Processors: []sdk.SpanProcessor{w.sink}})
	w.lane = w.rec.Thread("main", kernel.Gettid(), 0)
	w.Dispatcher = New(w.lane, "main")
	return w
}

// ended closes the dispatcher and the recorder and returns the spans.
func (w *world) ended() spans {
	w.Close(w.lane)
	w.lane.End()
	w.rec.Close(context.Background())
	runtime.UnlockOSThread()
	return w.sink.Ended()
}

// quiet is a dispatcher without a trace, closed with the test.
func quiet(t *testing.T) *Dispatcher {
	d := New(nil, "main")
	t.Cleanup(func() { d.Close(nil) })
	return d
}

// start runs d on a thread of its own; the result waits until Run has returned.
func start(d *Dispatcher, rec *trace.Recorder, r RunType) (join func()) {
	done, cause := make(chan struct{}), d.Lane().LastID()
	d.Lane().Flush() // the test's thread has no loop that would
	go func() {
		defer close(done)
		lane := LockThread(rec, "wrk:"+d.Name, cause)
		d.Run(lane, r)
		lane.End()
	}()
	return func() { <-done }
}

// busy makes the loop of d, which runs, stand still inside a post until release is called.
func busy(d *Dispatcher) (release func()) {
	inside, gate := make(chan struct{}), make(chan struct{})
	d.Post(nil, step.None, func() { close(inside); <-gate })
	<-inside
	return func() { close(gate) }
}

// asleep returns once the loop's thread is inside epoll_pwait, by the kernel's word.
func asleep(d *Dispatcher) {
	tid := make(chan int)
	d.Post(nil, step.None, func() { tid <- kernel.Gettid() })
	file := fmt.Sprintf("/proc/self/task/%d/syscall", <-tid)
	inside := fmt.Sprintf("%d %#x ", epollPwait, d.scheduler.epfd)
	for raw := ""; !strings.HasPrefix(raw, inside); {
		b, _ := os.ReadFile(file)
		raw = string(b)
		runtime.Gosched()
	}
}

var epollPwait = map[string]int{"amd64": 281, "arm64": 22}[runtime.GOARCH]

// steppedClock replaces the loop's clock by one that the test moves.
func steppedClock(d *Dispatcher) *time.Duration {
	now := new(time.Duration)
	d.scheduler.now = func() time.Duration { return *now }
	return now
}

// eventfd is a file that the test makes ready by ringing it.
func eventfd(t *testing.T) int {
	fd, errno := kernel.Eventfd(nil)
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { kernel.Close(nil, fd) })
	return fd
}

func ring(fd int) { kernel.EventfdWrite(nil, fd) }

type spans []sdk.ReadOnlySpan

func (ss spans) all(name string) (found spans) {
	for _, s := range ss {
		if s.Name() == name {
			found = append(found, s)
		}
	}
	return found
}

// calls are the calls of that name on the fd with that label.
func (ss spans) calls(name, label string) (found spans) {
	for _, s := range ss.all(name) {
		if attr(s, trace.KeyFDLabel) == label {
			found = append(found, s)
		}
	}
	return found
}

func attr(s sdk.ReadOnlySpan, key attribute.Key) string {
	for _, kv := range s.Attributes() {
		if kv.Key == key {
			return kv.Value.Emit()
		}
	}
	return ""
}

func number(s sdk.ReadOnlySpan, key attribute.Key) int64 {
	n, _ := strconv.ParseInt(attr(s, key), 10, 64)
	return n
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// within fails the test, with all stacks, if f has not returned by then: a loop that hangs or spins.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	timer := time.AfterFunc(limit, func() {
		buf := make([]byte, 1<<20)
		panic(fmt.Sprintf("%s: not done after %v\n%s", t.Name(), limit, buf[:runtime.Stack(buf, true)]))
	})
	defer timer.Stop()
	f()
}
