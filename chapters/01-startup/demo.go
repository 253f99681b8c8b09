package startup

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"envoywalk/internal/step"
)

//go:embed envoy.yaml
var demoConfig string

const tryNext = "Next: write an envoy.yaml and run this with -c envoy.yaml; SIGTERM (Ctrl-C) ends it."

// Demo is a run without a configuration: the chapter's own envoy.yaml, a client of our own, and an end. It
// runs on a goroutine of its own, outside the trace, like any client would.
type Demo struct {
	Instance *Instance
	lines    []string
}

// Say keeps a line for the end of the run, after the trace.
func (d *Demo) Say(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// OnMain runs f on the main thread and waits for it.
func (d *Demo) OnMain(f func()) {
	done := make(chan struct{})
	d.Instance.Dispatcher.PostOutside(nil, step.None, func() { f(); close(done) })
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
}

// serveDemo starts the client as soon as all ports are up.
func (i *Instance) serveDemo() {
	if !i.Options.Demo {
		return
	}
	go func() {
		i.Seams.Demo(i.demo)
		i.Dispatcher.PostOutside(nil, step.None, i.Shutdown)
	}()
}

// epilogue is what a demo says after its trace.
func (d *Demo) epilogue(c Chapter) string { return strings.Join(append(d.lines, c.Try), "\n") + "\n" }
