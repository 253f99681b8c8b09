package startup

import (
	"testing"
	"time"

	"envoywalk/internal/stats"
)

// draining is a drain manager whose drain began so long ago, of 600 s.
func draining(s DrainStrategy, modifyOnly bool, ago time.Duration) *drainManager {
	i := &Instance{Options: &Options{DrainTime: 600, DrainStrategy: s}, started: time.Now().Add(-ago),
		server: healthy()}
	d := &drainManager{instance: i, modifyOnly: modifyOnly}
	d.deadline.Store(int64(600 * time.Second))
	return d
}

func TestTheChanceToCloseGrowsWithTheDrain(t *testing.T) {
	const asked = 2000
	for _, c := range []struct {
		strategy DrainStrategy
		ago      time.Duration
		low, top int // of 2000 that ask
	}{{DrainGradually, 0, 0, 20}, {DrainGradually, 150 * time.Second, 400, 600},
		{DrainGradually, 300 * time.Second, 880, 1120}, {DrainGradually, 601 * time.Second, asked, asked},
		{DrainImmediately, 0, asked, asked}} {
		d, closing := draining(c.strategy, false, c.ago), 0
		for range asked {
			if d.DrainClose() {
				closing++
			}
		}
		if closing < c.low || closing > c.top {
			t.Errorf("strategy %d after %v: %d of %d close, want %d to %d",
				c.strategy, c.ago, closing, asked, c.low, c.top)
		}
	}
}

func TestFailedHealthChecksCloseWhatIsNotModifyOnly(t *testing.T) {
	for _, modifyOnly := range []bool{false, true} {
		d := NewListenerDrainManager(&Instance{Options: &Options{}, server: healthy()}, modifyOnly).(*drainManager)
		if d.DrainClose() || d.Draining() {
			t.Error("nothing drains, and it says so")
		}
		d.instance.server.fail(true)
		if d.DrainClose() == modifyOnly {
			t.Errorf("modify only %v: %v while health checks fail", modifyOnly, d.DrainClose())
		}
	}
}

func TestADrainSequenceEndsWithTheDrainTime(t *testing.T) {
	for _, seconds := range []string{"0", "1"} {
		var began time.Time
		serve(t, "{}", nil, func(d *Demo) {
			done := make(chan struct{})
			d.OnMain(func() {
				began = time.Now()
				d.Instance.DrainManager.StartDrainSequence(func() { close(done) })
				if !d.Instance.DrainManager.Draining() {
					t.Error("it does not say that it drains")
				}
			})
			<-done
			if !d.Instance.DrainManager.DrainClose() {
				t.Error("the drain time is over, and a connection may stay")
			}
		}, "--drain-time-s", seconds)
		if took := time.Since(began); seconds == "1" && took < time.Second {
			t.Errorf("it ended after %v", took)
		}
	}
}

// healthy are server stats of a server that answers health checks well.
func healthy() *serverStats {
	s := &serverStats{live: stats.NewStore().Scope("server.").Gauge("live")}
	s.fail(false)
	return s
}
