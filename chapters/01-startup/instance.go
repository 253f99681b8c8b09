package startup

import (
	"fmt"
	"strings"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/accesslog"
	"envoywalk/internal/config"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/trace"
	"envoywalk/trace/live"
	"envoywalk/trace/sink"
)

// Instance is the server: one a process. Everything in it belongs to the main thread, but for
// what has a lock of its own (stats, log).
//
// Envoy: Server::InstanceImpl
type Instance struct {
	Seams      *Seams
	Options    *Options
	Log        *log.Logger
	Recorder   *trace.Recorder
	Dispatcher *eventloop.Dispatcher
	Stats      *stats.Store
	Config     *config.Result

	ThreadLocal     *ThreadLocal
	InitManager     *InitManager
	Runtime         *Runtime
	ListenerManager ListenerManager
	Handler         ConnectionHandler
	ClusterManager  ClusterManager
	AccessLogs      *accesslog.Manager
	HotRestart      HotRestart
	DrainManager    DrainManager
	Overload        OverloadManager
	MainGuardDog    *GuardDog
	WorkersGuardDog *GuardDog
	Admin           *Admin

	main    *log.Component
	sinks   *sink.Sinks // nil without --trace
	live    *live.Hub   // nil where no page can show the trace
	server  *serverStats
	stages  lifecycle
	started time.Time
	node    *corev3.Node
	flush   *eventloop.Timer
	demo    *Demo
	undo    []func()
	tracker ConfigTracker // who can tell a part of the running configuration
	stop    *shutdown     // nil until somebody asks for it
	cut     int           // connections that the end found still open
}

// newInstance builds the server. What goes wrong is logged, what was built is taken down again,
// and the error is returned.
//
// Envoy: Server::InstanceImpl::InstanceImpl
func newInstance(lane *trace.Lane, s *Seams, t *tracing, o *Options, logger *log.Logger) (*Instance, error) {
	defer lane.Enter(step.InstanceCtor).Exit()
	api := newAPI(lane, t.recorder)
	i := &Instance{Seams: s, Options: o, Log: logger, Recorder: t.recorder, Stats: api.stats,
		Dispatcher: allocateDispatcher(lane, "main_thread"), main: logger.Component(log.Main), sinks: t.sinks,
		live: t.live, started: time.Now(), InitManager: NewInitManager("Server")}
	i.demo, t.demo = &Demo{Instance: i}, nil
	if o.Demo {
		t.demo = i.demo
	}
	i.ThreadLocal = NewThreadLocal(i.Dispatcher)
	i.Handler = s.MainHandler(i)
	i.AccessLogs = accesslog.NewManager(i.main, i.Stats)
	i.HotRestart = s.HotRestart(o)
	i.HotRestart.Initialize(i)
	i.DrainManager = s.DrainManager(i)
	if err := i.tryInitialize(); err != nil {
		i.main.Critical("error initializing configuration '%s': %s", o.ConfigPath, sentence(err))
		for _, f := range i.undo {
			f()
		}
		i.terminate()
		return nil, err
	}
	i.undo = nil
	return i, nil
}

// tryInitialize is initialize for a machine that may not have room for so many event loops. Each takes two
// fds and each worker has one.
func (i *Instance) tryInitialize() (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *eventloop.NoLoopError:
			err = fmt.Errorf("cannot make an event loop for each of %d workers: %s\n"+
				"  hint: a worker takes 2 fds and more for listeners: fewer workers (--concurrency), "+
				"or a higher limit (ulimit -n)", i.Options.Concurrency, kernel.Describe(p.Errno))
		default:
			panic(p)
		}
	}()
	return i.initialize()
}

// OnRefusal keeps what is to be taken back if the start is refused. Closing fds is not enough for
// everything: the file of a unix socket stays. A server that did start leaves it behind, as Envoy
// does.
func (i *Instance) OnRefusal(f func()) { i.undo = append(i.undo, f) }

// allocateDispatcher makes the dispatcher that the main thread will later run.
//
// Envoy: Api::Impl::allocateDispatcher
func allocateDispatcher(lane *trace.Lane, name string) *eventloop.Dispatcher {
	defer lane.Enter(step.MainDispatcher).Of(name).Exit()
	return eventloop.New(lane, name)
}

// Lane is the main thread's.
func (i *Instance) Lane() *trace.Lane { return i.Dispatcher.Lane() }

// Bootstrap is the configuration.
func (i *Instance) Bootstrap() *bootstrapv3.Bootstrap { return i.Config.Bootstrap }

// Run serves until shutdown. The main dispatcher runs in here. It reports whether the end was in
// order: a second signal may have cut connections off.
//
// Envoy: Server::InstanceImpl::run
func (i *Instance) Run() bool {
	defer i.Lane().Enter(step.InstanceRun).Exit()
	r := newRunHelper(i)
	i.main.Info("starting main dispatch loop")
	watchdog := i.MainGuardDog.CreateWatchDog(i.Lane(), i.Dispatcher, "main_thread")
	i.Dispatcher.Post(i.Dispatcher, step.None, func() { i.notifyCallbacksForStage(StageStartup, func() {}) })
	i.Dispatcher.Run(i.Lane(), eventloop.Block)
	i.main.Info("main dispatch loop exited")
	i.MainGuardDog.StopWatching(i.Lane(), i.Dispatcher, watchdog)
	r.close()
	i.terminate()
	return !i.wasCutShort()
}

// startWorkers is called when nothing is missing any more.
//
// Envoy: Server::InstanceImpl::startWorkers
func (i *Instance) startWorkers() {
	defer i.Lane().Enter(step.InstanceStartWorkers).Exit()
	i.ListenerManager.StartWorkers(i.workersStarted)
}

// workersStarted runs when every listener is on every worker: all ports are up.
//
// Envoy: the callback in Server::InstanceImpl::startWorkers
func (i *Instance) workersStarted() {
	defer i.Lane().Enter(step.WorkersStartedCallback).Exit()
	if i.shuttingDown() {
		return
	}
	i.server.initializationTime.RecordValue(uint64(time.Since(i.started).Milliseconds()))
	i.updateServerStats()
	i.HotRestart.DrainParentListeners()
	i.DrainManager.StartParentShutdownSequence()
	i.Lane().StartupDone()
	i.main.Info("all workers have all listeners")
	i.serveDemo()
}

// terminate takes down what was built, in Envoy's order; workers are stopped and joined before
// anything they could still use goes.
//
// Envoy: Server::InstanceImpl::terminate
func (i *Instance) terminate() {
	defer i.Lane().Enter(step.InstanceTerminate).Exit()
	i.ThreadLocal.ShutdownGlobalThreading()
	if i.Overload != nil {
		i.Overload.Stop()
	}
	if i.ListenerManager != nil {
		i.cut = i.ListenerManager.StopWorkers()
	}
	i.Stats.Flush()
	if i.ClusterManager != nil {
		i.ClusterManager.Shutdown()
	}
	i.Handler.Close()
	i.Admin.close()
	i.AccessLogs.Close()
	i.WorkersGuardDog.Stop(i.Lane())
	i.MainGuardDog.Stop(i.Lane())
	i.ThreadLocal.ShutdownThread(i.Dispatcher)
	i.HotRestart.Shutdown()
	i.Dispatcher.Close(i.Lane())
	i.main.Info("exiting")
}

// sentence is the first line of an error: Envoy's words. The rest says where and what to do.
func sentence(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// At adds to an error where in the configuration its cause stands. Envoy's sentence stays first.
func (i *Instance) At(err error, path, hint string) error {
	if err == nil || i.Config == nil {
		return err
	}
	return i.Config.ErrorAt(err, path, hint)
}

// tellLater tells, once at start-up, which set fields this binary will not act on.
func (i *Instance) tellLater() {
	if len(i.Config.Later) == 0 || i.Options.Demo {
		return
	}
	chapters := map[int][]string{}
	for _, f := range i.Config.Later {
		chapters[f.Chapter] = append(chapters[f.Chapter], fmt.Sprintf("%s (%s)", f.Path, f.Pos))
	}
	for n := i.Seams.Chapter.Number + 1; n < 10; n++ {
		if fields := chapters[n]; len(fields) > 0 {
			i.main.Warn("%d field(s) are loaded and checked but acted on only from chapter %02d on, "+
				"first: %s", len(fields), n, fields[0])
		}
	}
}
