package startup

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"envoywalk/trace"
	"envoywalk/trace/live"
)

// The trace of this process, in a browser, while it is recorded. These pages are not Envoy's. They ask
// nothing of the main thread: whoever watches it should not keep it busy.

// hubFor makes the hub of a process that records for a page, nil for any other.
func hubFor(specs []string) *live.Hub {
	for _, spec := range specs {
		if name, _, _ := strings.Cut(spec, "="); name == "live" || name == "html" {
			return live.New()
		}
	}
	return nil
}

// record makes the recorder. What it tells goes to the sinks and, if somebody may watch, to the hub.
func (t *tracing) record(c trace.Config) {
	if t.live != nil {
		c.Processors = append(slices.Clip(c.Processors), t.live.Processor(time.Time{}))
		c.Armed = t.live.Armed
	}
	t.recorder = trace.New(c)
	if t.live != nil {
		t.live.Arms(t.recorder.Arm)
		t.live.Losses(t.recorder.Dropped)
	}
}

// unwatched: without an admin there is nowhere to watch.
func (i *Instance) unwatched() {
	if i.live == nil {
		return
	}
	i.live.Off()
	if slices.Contains(i.Options.Trace, "live") {
		i.main.Warn("--trace live: nobody can watch, because the configuration gives no admin address")
	}
}

func (a *Admin) tracePages() []Page {
	page, events, arm := a.traceOff, a.traceOff, a.traceOff
	if hub := a.instance.live; hub != nil {
		page, events, arm = hub.Page, hub.Events, hub.Arm
	}
	return []Page{
		{Path: live.PagePath, Help: "watch this server at work, live (not Envoy's)", Answer: page},
		{Path: live.ArmPath, Help: "trace only the next connections (not Envoy's)", Mutates: true,
			Answer: arm},
		{Path: live.EventsPath, Help: "the live trace, as server-sent events (not Envoy's)",
			Answer: events},
	}
}

// traceOff answers for the pages of a server that records nothing that they could show.
func (a *Admin) traceOff(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, "This server is not being traced for a page.\n"+
		"Start it with --trace live, or with --trace html=FILE to keep the page too, and come back.\n")
}

// tellWhereToWatch says at start-up where the page is.
func (a *Admin) tellWhereToWatch() {
	switch {
	case a.instance.live == nil:
	case a.bound.IsPipe():
		a.log.Info("live trace: %s, over the unix socket %s", live.PagePath, a.bound.Path())
	default:
		a.log.Info("live trace: http://%s%s", a.bound, live.PagePath)
	}
}
