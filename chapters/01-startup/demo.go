package startup

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

//go:embed envoy.yaml
var demoConfig string

const tryNext = "Next: write an envoy.yaml and run this with -c envoy.yaml; SIGTERM (Ctrl-C) ends it."

// demoConfig is the configuration of a run without one.
func (c Chapter) demoConfig() string {
	if c.Prepare == nil {
		return c.Config
	}
	return c.Prepare(c.Config)
}

// Demo is a run without a configuration: the chapter's own envoy.yaml, a client of our own, and
// an end. It runs on a thread of its own; of that the trace shows only what it posts to the
// server.
type Demo struct {
	Instance *Instance
	lane     *trace.Lane
	lines    []string
	ended    chan struct{} // closed when the client's thread is done; nil before it began
}

// Say keeps a line for the end of the run, after the trace.
func (d *Demo) Say(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// OnMain runs f on the main thread and waits for it.
func (d *Demo) OnMain(f func()) {
	done := make(chan struct{})
	d.Instance.Dispatcher.PostOutside(d.lane, "", func() { f(); close(done) })
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
}

// Listeners are the server's, with their true addresses.
func (d *Demo) Listeners() (all []ListenerInfo) {
	d.OnMain(func() { all = d.Instance.ListenerManager.Listeners() })
	return all
}

// serveDemo starts the client as soon as all ports are up and the main loop runs: by post, because
// with static clusters the ports are up before the loop is, and a client that ends the server must not
// be quicker than the server's start.
func (i *Instance) serveDemo() {
	if !i.Options.Demo {
		return
	}
	i.Dispatcher.Post(i.Dispatcher, step.None, func() {
		i.demo.ended = make(chan struct{})
		go i.demo.run(i.Lane().Current())
	})
}

func (d *Demo) run(cause uint64) {
	defer close(d.ended)
	d.lane = eventloop.LockThread(d.Instance.Recorder, "client", cause)
	d.lane.StartupDone()
	d.Instance.Seams.Demo(d)
	d.lane.ReadClock()
	d.Instance.Dispatcher.PostOutside(d.lane, "", d.Instance.Shutdown)
	d.lane.End()
}

// wait waits for the client's thread, if one began.
func (d *Demo) wait() {
	if d != nil && d.ended != nil {
		<-d.ended
	}
}

// finished: this run was a demo, and nobody ended it before its client was done.
func (d *Demo) finished() bool { return d != nil && len(d.lines) > 0 }

// epilogue is what a demo says after its trace.
func (d *Demo) epilogue(c Chapter) string { return strings.Join(append(d.lines, c.Try), "\n") + "\n" }
