package push

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strconv"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// run sends batches until it is stopped and nothing is left.
func (p *Pusher) run() {
	defer close(p.done)
	batch := make([]sdk.ReadOnlySpan, 0, batchSpans)
	age := time.NewTimer(batchAge)
	age.Stop()
	for {
		var sent chan struct{}
		select {
		case s := <-p.spans:
			if batch = append(batch, s); len(batch) == 1 {
				age.Reset(batchAge)
			}
			if len(batch) < batchSpans {
				continue
			}
		case <-age.C:
		case sent = <-p.flush:
			batch = p.rest(batch)
		case <-p.stop:
			p.send(p.rest(batch))
			p.loss.end()
			return
		}
		age.Stop()
		p.send(batch)
		clear(batch)
		batch = batch[:0]
		if sent != nil {
			close(sent)
		}
	}
}

// rest takes what waits already.
func (p *Pusher) rest(batch []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	for {
		select {
		case s := <-p.spans:
			batch = append(batch, s)
		default:
			return batch
		}
	}
}

// again is how long after a batch was given up the next one is tried; what comes between is lost at once, so
// that a collector that is gone does not stop the trace.
const again = time.Second

func (p *Pusher) send(batch []sdk.ReadOnlySpan) {
	if len(batch) == 0 {
		return
	}
	patience := p.patience
	if since, down := p.loss.down(); down {
		if since < again {
			p.loss.add(len(batch), nil)
			return
		}
		patience = min(patience, again)
	}
	err := p.try(batch, patience)
	refused := rejected(err)
	switch {
	case err == nil:
		p.loss.took(len(batch))
	case refused >= 0:
		p.loss.took(len(batch) - refused)
		p.loss.refuse(refused, err)
	default:
		p.loss.add(len(batch), err)
	}
}

// try sends a batch, again and again where nobody listens yet.
func (p *Pusher) try(batch []sdk.ReadOnlySpan, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := p.exporter.ExportSpans(ctx, batch)
		var dial *net.OpError
		if err == nil || !errors.As(err, &dial) || dial.Op != "dial" {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

var partial = regexp.MustCompile(`partial success: .*\(([0-9]+) spans rejected\)`)

// rejected is how many spans of a batch the collector refused while it took the others, -1 if err says
// nothing of the kind. The exporter tells it in words only.
func rejected(err error) int {
	if err == nil {
		return -1
	}
	found := partial.FindStringSubmatch(err.Error())
	if found == nil {
		return -1
	}
	n, _ := strconv.Atoi(found[1])
	return n
}
