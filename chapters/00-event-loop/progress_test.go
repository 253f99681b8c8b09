package eventloop

import (
	"testing"

	"envoywalk/internal/step"
)

func TestProgressTellsAWaitingLoopFromOneThatStandsStill(t *testing.T) {
	d := quiet(t)
	if p := d.Progress(); p != (Progress{}) {
		t.Errorf("before the first run: %+v", p)
	}
	d.Post(nil, step.None, func() {})
	if p := d.Progress(); p.Posts != 1 {
		t.Errorf("%+v, want the one post that nobody took", p)
	}
	join := start(d, nil, RunUntilExit)
	asleep(d)
	idle := d.Progress()
	if !idle.Waiting || idle.Posts != 0 || idle.TID == 0 || idle.Turns == 0 {
		t.Errorf("in its wait: %+v", idle)
	}
	release := busy(d)
	d.Post(nil, step.None, func() {})
	if p := d.Progress(); p.Waiting || p.Posts != 1 || p.Turns < idle.Turns {
		t.Errorf("in a callback: %+v, after %+v", p, idle)
	}
	release()
	d.Exit(nil)
	join()
}
