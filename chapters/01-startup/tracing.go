package startup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"envoywalk/internal/kernel"
	"envoywalk/trace"
	"envoywalk/trace/live"
	"envoywalk/trace/sink"
)

// tracing is the recorder of this process and where its spans go.
type tracing struct {
	recorder *trace.Recorder
	sinks    *sink.Sinks
	live     *live.Hub // nil where no page can show the trace
	demo     *Demo     // set by the run that is one
}

// openTrace reads what it needs from the command line before anything else does, so that even the
// reading of the command line can be seen.
func openTrace(c Chapter, args []string) (*tracing, error) {
	o, err := ParseOptions(c, args)
	if err != nil || len(o.Trace) == 0 {
		return &tracing{}, nil // the walk itself will say what is wrong
	}
	sinks, err := sink.Open(o.Trace, sink.Options{Chapter: c.Number, All: o.All, Envoy: o.Envoy,
		Kinds: o.Kinds, Threads: o.Thread, Stdout: os.Stdout,
		Tell: func(s string) { fmt.Fprintln(os.Stderr, s) }, Nonblock: kernel.O_NONBLOCK})
	if err != nil {
		return nil, err
	}
	t := &tracing{sinks: sinks, live: hubFor(o.Trace)}
	if len(sinks.Processors) == 0 && t.live == nil {
		return &tracing{}, nil // none, and no other
	}
	t.record(trace.Config{Service: "envoywalk " + c.Name, Processors: sinks.Processors, Sample: o.Sample})
	return t, nil
}

// close gives the sinks what is left, says on stderr what became of it, and returns the exit
// status.
func (t *tracing) close(code int) int {
	if t.recorder == nil {
		return code
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go t.watch(ctx, cancel, sinkPatience)
	s, err := t.recorder.Close(ctx)
	if errors.Is(err, trace.ErrStuck) {
		fmt.Fprintln(os.Stderr, "trace: "+err.Error()) // the sinks' locks may be held for ever
		return max(code, 1)
	}
	t.sinks.Stats(s)
	bytes, closing := t.sinks.Close()
	if err == nil {
		err = closing
	}
	var said []string
	if s.Dropped > 0 {
		said = append(said, fmt.Sprintf("dropped %d records that the sink could not keep up with", s.Dropped))
	}
	if s.SampledOut > 0 {
		said = append(said, fmt.Sprintf("left out %d spans of connections that nobody asked for "+
			"(--trace-sample, or the page was armed)", s.SampledOut))
	}
	if bytes > 0 {
		said = append(said, fmt.Sprintf("wrote %d spans, %s", s.Spans, size(bytes)))
	}
	if err != nil {
		said = append(said, err.Error())
	}
	if len(said) > 0 {
		fmt.Fprintln(os.Stderr, "trace: "+strings.Join(said, "; "))
	}
	return code
}

// sinkPatience is how long a sink may take nothing while the trace is closed.
const sinkPatience = 10 * time.Second

// watch gives a close up when it is stuck, and says every few seconds how far it is when it is not: a
// slow sink may have a long trace to write.
func (t *tracing) watch(ctx context.Context, giveUp func(), patience time.Duration) {
	told, since := t.recorder.Told(), time.Now()
	said := since
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
		now := time.Now()
		if n := t.recorder.Told(); n != told {
			told, since = n, now
		}
		if now.Sub(since) > patience {
			giveUp()
			return
		}
		if now.Sub(said) > 3*time.Second {
			said = now
			fmt.Fprintf(os.Stderr, "trace: still writing, %d spans so far\n", told)
		}
	}
}

func size(bytes int64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%d kB", (bytes+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
