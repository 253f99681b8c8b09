package startup

import (
	"testing"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
)

// stillDog is a guard dog without a thread: the test says when it looks, and what time it is.
type stillDog struct {
	*GuardDog
	t      *testing.T
	store  *stats.Store
	start  time.Time
	stalls []string
	killed []string
}

func newStillDog(t *testing.T, c WatchdogConfig) *stillDog {
	store := stats.NewStore()
	own := store.Scope("workers.")
	d := &stillDog{t: t, store: store}
	d.GuardDog = &GuardDog{name: "workers", config: c, interval: c.step(), scope: store.Scope("server."),
		miss: own.Counter("watchdog_miss"), mega: own.Counter("watchdog_mega_miss"),
		onMegaMiss: func(who string, quiet time.Duration) {
			d.stalls = append(d.stalls, who+" "+quiet.Round(100*time.Millisecond).String())
		},
		onKill: func(who string) { d.killed = append(d.killed, who) }}
	return d
}

// watch begins to watch a thread, which touches once as it begins.
func (d *stillDog) watch(name string) (*eventloop.Dispatcher, *eventloop.WatchDog) {
	loop := eventloop.New(nil, name)
	d.t.Cleanup(func() { loop.Close(nil) })
	dog := d.CreateWatchDog(nil, loop, name)
	d.start = time.Now()
	return loop, dog
}

// after looks when so much time has passed since the last watch began.
func (d *stillDog) after(passed time.Duration) { d.look(d.start.Add(passed)) }

func (d *stillDog) counts(miss, mega uint64) {
	d.t.Helper()
	found := map[string]uint64{}
	for _, name := range []string{"workers.watchdog_", "server.worker_0.watchdog_"} {
		found[name+"miss"] = d.store.Scope("").Counter(name + "miss").Value()
		found[name+"mega_miss"] = d.store.Scope("").Counter(name + "mega_miss").Value()
		if found[name+"miss"] != miss || found[name+"mega_miss"] != mega {
			d.t.Errorf("want %d misses and %d mega misses: %v", miss, mega, found)
		}
	}
}

var patience = WatchdogConfig{Miss: 200 * time.Millisecond, MegaMiss: time.Second}

func TestAStallIsCountedAndToldOnceHoweverLongItLasts(t *testing.T) {
	d := newStillDog(t, patience)
	_, dog := d.watch("worker_0")
	d.after(0) // takes the first touch away
	d.after(200 * time.Millisecond)
	d.counts(0, 0)
	d.after(201 * time.Millisecond)
	d.counts(1, 0)
	d.after(900 * time.Millisecond)
	d.counts(1, 0)
	d.after(1001 * time.Millisecond)
	d.counts(1, 1)
	d.after(time.Hour)
	d.counts(1, 1)
	dog.Touch()
	d.after(time.Hour + time.Second)
	d.after(time.Hour + time.Second + 150*time.Millisecond)
	d.counts(1, 1)
	d.after(time.Hour + time.Second + 300*time.Millisecond)
	d.counts(2, 1)
	d.after(2 * time.Hour)
	same(t, d.stalls, []string{"worker_0 1s", "worker_0 59m59s"})
}

func TestAThreadThatTouchesIsNeverCounted(t *testing.T) {
	d := newStillDog(t, patience)
	_, dog := d.watch("worker_0")
	for n := range 100 {
		dog.Touch()
		d.after(time.Duration(n) * 5 * time.Second)
	}
	d.counts(0, 0)
}

func TestStopWatchingEndsIt(t *testing.T) {
	d := newStillDog(t, patience)
	loop, dog := d.watch("worker_0")
	d.after(0)
	d.StopWatching(nil, loop, dog)
	d.after(time.Hour)
	d.counts(0, 0)
	loop.Post(nil, step.None, func() {})
	loop.Run(nil, eventloop.NonBlock)
	if dog.Look() {
		t.Error("its loop still touches it")
	}
}

func TestKillNamesTheThread(t *testing.T) {
	c := patience
	c.Kill = 2 * time.Second
	d := newStillDog(t, c)
	d.watch("worker_0")
	d.after(0)
	d.after(2 * time.Second)
	same(t, d.killed, nil)
	d.after(2*time.Second + time.Millisecond)
	same(t, d.killed, []string{"worker_0"})
}

func TestMultiKillWantsTwoThreadsAtLeastAndThatPartOfAll(t *testing.T) {
	for _, c := range []struct {
		threads, silent int
		percent         float64
		killed          bool
	}{{1, 1, 0, false}, {2, 2, 0, true}, {2, 1, 0, false}, {5, 2, 0, true},
		{5, 2, 60, false}, {5, 3, 60, true}, {3, 2, 51, true}, {3, 2, 67, false}} {
		d := newStillDog(t, WatchdogConfig{MultiKill: time.Second, MultiKillThreshold: c.percent})
		var dogs []*eventloop.WatchDog
		for range c.threads {
			_, dog := d.watch("worker_0")
			dogs = append(dogs, dog)
		}
		d.after(0)
		for _, dog := range dogs[c.silent:] {
			dog.Touch()
		}
		d.after(1001 * time.Millisecond)
		if (len(d.killed) > 0) != c.killed {
			t.Errorf("%d of %d silent, threshold %v%%: killed %v", c.silent, c.threads, c.percent, d.killed)
		}
	}
}

func TestTheDogLooksAsOftenAsItsShortestPatience(t *testing.T) {
	for _, c := range []struct {
		config WatchdogConfig
		want   time.Duration
	}{{patience, 200 * time.Millisecond},
		{WatchdogConfig{Miss: time.Second, MegaMiss: time.Minute, Kill: time.Millisecond}, time.Millisecond},
		{WatchdogConfig{MegaMiss: time.Second, MultiKill: 2 * time.Second}, time.Second}} {
		if got := c.config.step(); got != c.want {
			t.Errorf("%+v: %v", c.config, got)
		}
	}
}

// A loop touches before each post and timer, and a timer of its own touches when nothing else happens.
func TestALoopTouchesByItselfAndByAllItDoes(t *testing.T) {
	d := newStillDog(t, WatchdogConfig{Miss: 4 * time.Millisecond})
	loop, dog := d.watch("worker_0")
	for what, f := range map[string]func(){
		"a post":    func() { loop.Post(nil, step.None, func() {}) },
		"a timer":   func() { loop.CreateTimer("test", func() {}).Enable(0) },
		"a delete":  func() { loop.DeferredDelete(func() {}) },
		"idle time": func() {},
	} {
		for dog.Look() {
		}
		f()
		eventually(t, what+" touches", func() bool { loop.Run(nil, eventloop.NonBlock); return dog.Look() })
	}
}

func TestKillTimeoutsOfAFleetDiffer(t *testing.T) {
	found := map[time.Duration]bool{}
	for range 50 {
		found[parsedWatchdog(t, "{kill_timeout: 1s, max_kill_timeout_jitter: 10s}").Kill] = true
	}
	for kill := range found {
		if kill <= time.Second || kill > 11*time.Second {
			t.Error(kill)
		}
	}
	if len(found) < 2 {
		t.Error("no jitter")
	}
	if c := parsedWatchdog(t, "{max_kill_timeout_jitter: 10s}"); c.Kill != 0 {
		t.Error("jitter alone kills nobody", c.Kill)
	}
}

func TestWatchdogTimeoutsHaveEnvoysDefaults(t *testing.T) {
	want := WatchdogConfig{Miss: 200 * time.Millisecond, MegaMiss: time.Second}
	if got := parsedWatchdog(t, "{}"); got != want {
		t.Errorf("%+v", got)
	}
	want = WatchdogConfig{time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 12.5}
	if got := parsedWatchdog(t, "{miss_timeout: 1s, megamiss_timeout: 2s, kill_timeout: 3s, "+
		"multikill_timeout: 4s, multikill_threshold: {value: 12.5}}"); got != want {
		t.Errorf("%+v", got)
	}
}

func parsedWatchdog(t *testing.T, yaml string) (c WatchdogConfig) {
	serve(t, "{watchdog: "+yaml+"}", nil, func(d *Demo) {
		c = d.Instance.MainGuardDog.config
		if own := d.Instance.WorkersGuardDog.config; own.Miss != c.Miss {
			t.Errorf("watchdog is for both: %+v", own)
		}
	})
	return c
}
