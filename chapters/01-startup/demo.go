package startup

import (
	_ "embed"
	"fmt"
	"os"
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
	d := &Demo{Instance: i}
	go func() {
		i.Seams.Demo(d)
		i.Dispatcher.PostOutside(nil, step.None, func() {
			i.RegisterCallback(StageShutdownExit, func(done func()) {
				for _, line := range d.lines {
					fmt.Fprintln(os.Stderr, line)
				}
				done()
			})
			i.Shutdown()
		})
	}()
}
