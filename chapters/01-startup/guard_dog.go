package startup

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/kernel"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// GuardDog watches threads from a thread of its own: who gives no sign of life for too long is
// counted, and, where the configuration says so, takes the process down.
//
// Envoy: Server::GuardDogImpl
type GuardDog struct {
	name       string
	config     WatchdogConfig
	interval   time.Duration
	recorder   *trace.Recorder
	scope      *stats.Scope // server.
	miss, mega *stats.Counter
	dispatcher *eventloop.Dispatcher
	onMegaMiss func(who string, quiet time.Duration)
	onKill     func(who string) // ends the process; a test's may not
	stopped    chan struct{}

	mu      sync.Mutex
	watched []*watched
}

// watched is one thread: what it touches, and what was already told of its silence.
type watched struct {
	dog          *eventloop.WatchDog
	lastTouch    time.Time
	miss, mega   *stats.Counter
	missed, huge bool
}

// NewGuardDog starts the thread. name is main_thread or workers.
//
// Envoy: Server::GuardDogImpl::GuardDogImpl
func NewGuardDog(i *Instance, name string, c WatchdogConfig) *GuardDog {
	defer i.Lane().Enter(step.GuardDogCtor).Of(name).Exit()
	own := i.Stats.Scope(name + ".")
	g := &GuardDog{name: name, config: c, interval: c.step(), recorder: i.Recorder,
		scope: i.Stats.Scope("server."), miss: own.Counter("watchdog_miss"),
		mega: own.Counter("watchdog_mega_miss"), onMegaMiss: i.tellStall, onKill: kill,
		stopped: make(chan struct{}), dispatcher: eventloop.New(i.Lane(), name+"_guarddog")}
	go g.run(i.Lane().Current())
	return g
}

// step is how often the dog looks: as often as its shortest patience.
func (c WatchdogConfig) step() time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for _, d := range [...]time.Duration{c.Miss, c.MegaMiss, c.Kill, c.MultiKill} {
		if d > 0 {
			shortest = min(shortest, d)
		}
	}
	return shortest
}

func (g *GuardDog) run(cause uint64) {
	defer close(g.stopped)
	lane := eventloop.LockThread(g.recorder, "dog:"+g.name+"_guarddog_thread", cause)
	lane.StartupDone()
	var look *eventloop.Timer
	look = g.dispatcher.CreateTimer("guard dog", func() {
		g.look(time.Now())
		look.Enable(g.interval)
	})
	look.Housekeeping = true
	look.Enable(g.interval)
	g.dispatcher.Run(lane, eventloop.RunUntilExit)
	g.dispatcher.Close(lane)
	lane.End()
	runtime.UnlockOSThread()
}

// CreateWatchDog begins to watch the thread of d, which must be the calling one.
//
// Envoy: Server::GuardDogImpl::createWatchDog
func (g *GuardDog) CreateWatchDog(lane *trace.Lane, d *eventloop.Dispatcher,
	thread string) *eventloop.WatchDog {
	defer lane.Enter(step.GuardDogCreateWatchdog).Of(thread).Exit()
	dog := &eventloop.WatchDog{Name: thread, TID: kernel.Gettid()}
	g.mu.Lock()
	g.watched = append(g.watched, &watched{dog: dog, lastTouch: time.Now(),
		miss: g.scope.Counter(thread + ".watchdog_miss"),
		mega: g.scope.Counter(thread + ".watchdog_mega_miss")})
	g.mu.Unlock()
	d.RegisterWatchdog(dog, g.interval/2)
	return dog
}

// StopWatching ends it: the thread's loop has ended.
//
// Envoy: Server::GuardDogImpl::stopWatching
func (g *GuardDog) StopWatching(lane *trace.Lane, d *eventloop.Dispatcher, dog *eventloop.WatchDog) {
	defer lane.Enter(step.GuardDogStopWatching).Of(dog.Name).Exit()
	d.RegisterWatchdog(nil, 0)
	g.mu.Lock()
	defer g.mu.Unlock()
	for n, w := range g.watched {
		if w.dog == dog {
			g.watched = append(g.watched[:n], g.watched[n+1:]...)
			return
		}
	}
}

// look goes round. A stall is counted once, and told once, however long it lasts.
//
// Envoy: Server::GuardDogImpl::step
func (g *GuardDog) look(now time.Time) {
	for _, w := range g.count(now) {
		g.onMegaMiss(w.dog.Name, now.Sub(w.lastTouch))
	}
}

// count counts, and returns who has become silent for very long.
func (g *GuardDog) count(now time.Time) (huge []*watched) {
	g.mu.Lock()
	defer g.mu.Unlock()
	silent := 0
	for _, w := range g.watched {
		if w.dog.Look() {
			w.lastTouch, w.missed, w.huge = now, false, false
			continue
		}
		quiet := now.Sub(w.lastTouch)
		if !w.missed && exceeds(quiet, g.config.Miss) {
			w.missed = true
			g.miss.Inc()
			w.miss.Inc()
		}
		if !w.huge && exceeds(quiet, g.config.MegaMiss) {
			w.huge = true
			g.mega.Inc()
			w.mega.Inc()
			huge = append(huge, w)
		}
		if exceeds(quiet, g.config.Kill) {
			g.onKill(w.dog.Name)
		}
		if exceeds(quiet, g.config.MultiKill) {
			silent++
		}
	}
	if enough := math.Ceil(g.config.MultiKillThreshold / 100 * float64(len(g.watched))); silent > 0 &&
		silent >= max(2, int(enough)) {
		g.onKill("several threads")
	}
	return huge
}

func exceeds(quiet, limit time.Duration) bool { return limit > 0 && quiet > limit }

// kill is the last resort: every goroutine's stack, then the end.
func kill(who string) {
	debug.SetTraceback("all")
	panic("guard dog: no sign of life from " + who)
}

// Stop ends the dog's thread and waits for it. A nil dog was never built.
func (g *GuardDog) Stop(lane *trace.Lane) {
	if g == nil {
		return
	}
	g.dispatcher.PostOutside(lane, "", func() { g.dispatcher.Exit(g.dispatcher) })
	<-g.stopped
}
