package startup

import (
	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/config"
	"envoywalk/internal/later"
	"envoywalk/internal/network"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
)

// Seams is what this chapter leaves open. Each field makes the part that an Instance needs; a later
// chapter's Wire replaces it. Until then the part does the decent thing and says so in the trace.
type Seams struct {
	Chapter Chapter

	ListenerManager func(*Instance) ListenerManager         // filled by 02
	MainHandler     func(*Instance) ConnectionHandler       // filled by 04
	ClusterManager  func(*Instance) (ClusterManager, error) // filled by 06
	HotRestart      func(*Options) HotRestart               // a later chapter: until then no parent exists
	DrainManager    func(*Instance) DrainManager
	OverloadManager func(*Instance) OverloadManager
	Demo            func(*Demo) // what a run without a configuration shows
}

// Chapter is what a binary knows of itself.
type Chapter struct {
	Number   int    // 1 to 7: what the configuration's fields are measured by
	Name     string // 04-threading
	Config   string // the envoy.yaml of a run without one
	ConfigOf string // the chapter whose folder has it
	Try      string // what to try next: the demo's last line

	// Prepare, if there is one, makes of Config what such a run loads: with the address of the
	// upstream that it brings along.
	Prepare func(config string) string
	// CheckListener, if there is one, finds what this binary could not build of the listener at path.
	CheckListener func(c *config.Result, l *listenerv3.Listener, path string) error
}

// ListenerManager owns all listeners and all workers. Everything on the main thread.
type ListenerManager interface {
	// AddOrUpdateListener takes one listener's configuration. place is where in the configuration
	// it stands. It reports whether anything changed.
	AddOrUpdateListener(config *listenerv3.Listener, place string) (bool, error)
	Listeners() []ListenerInfo
	NumConnections() uint64    // on all workers
	WorkerInfos() []WorkerInfo // any thread may ask
	// StartWorkers returns at once; done runs on main, once, when every listener is on every
	// worker.
	StartWorkers(done func())
	// StopListeners stops accepting, of all listeners or only of those with traffic_direction INBOUND.
	// Connections live on. Listeners of that direction that come later are not added.
	StopListeners(inboundOnly bool)
	// Drain stops all listeners for good. stopped runs on main when no worker accepts any more, and
	// after it empty, once, when no worker has a connection.
	Drain(stopped, empty func())
	// Flush asks every connection to close as soon as what was read for it is written.
	Flush()
	// StopWorkers returns when no worker thread is left, and says how many connections were still
	// open then: they were cut off.
	StopWorkers() (cut int)
}

// ListenerInfo is a listener as the admin shows it.
type ListenerInfo struct {
	Name    string
	Address *network.Address // the true one: port 0 has become a port
}

// WorkerInfo is a worker as a crash shows it.
type WorkerInfo struct {
	Dispatcher  *eventloop.Dispatcher
	Connections uint64
}

// ConnectionHandler is the main thread's: it only ever serves the admin listener.
type ConnectionHandler interface {
	// AddAdminListener binds and listens. serve is given each accepted fd and owns it.
	AddAdminListener(address *network.Address, serve func(fd int)) (*network.Address, error)
	Close()
}

// ClusterManager owns the clusters.
type ClusterManager interface {
	// SetInitializedCb calls back when all clusters are initialized: at once if they are.
	SetInitializedCb(func())
	Shutdown()
}

// HotRestart speaks with the process before and after this one.
type HotRestart interface {
	Initialize(*Instance)
	Version() string
	DuplicateParentListenSocket(url string) (fd int) // -1 when no parent has it
	SendParentAdminShutdownRequest()                 // the parent gives up its admin's port
	DrainParentListeners()
	SendParentTerminateRequest()
	Shutdown()
}

// DrainManager decides when connections are asked to leave.
type DrainManager interface {
	// DrainClose: a connection that could end now should. Any thread may ask.
	DrainClose() bool
	Draining() bool
	// StartDrainSequence begins to drain, once. done runs on main after --drain-time-s.
	StartDrainSequence(done func())
	StartParentShutdownSequence()
}

// OverloadManager watches resources and may tell listeners to stop accepting.
type OverloadManager interface {
	Start()
	Stop()
	// OnStopAccepting and OnRejectFraction register for the two actions that listeners follow.
	OnStopAccepting(func(stop bool))
	OnRejectFraction(func(fraction float64))
}

// Wire returns chapter 01's seams.
func Wire() *Seams {
	s := &Seams{Chapter: Chapter{Number: 1, Name: "01-startup", Config: demoConfig, ConfigOf: "01-startup",
		Try: tryNext}}
	s.ListenerManager = func(i *Instance) ListenerManager { return &countingListeners{instance: i} }
	s.MainHandler = func(i *Instance) ConnectionHandler { return &noHandler{instance: i} }
	s.ClusterManager = func(i *Instance) (ClusterManager, error) { return &noClusters{instance: i}, nil }
	s.HotRestart = func(*Options) HotRestart { return &noHotRestart{} }
	s.DrainManager = newDrainManager
	s.OverloadManager = func(*Instance) OverloadManager { return noOverload{} }
	s.Demo = func(d *Demo) {
		d.Say("The server started, ran its main loop, and has nothing to listen with: that is chapter 02.")
	}
	return s
}

// countingListeners stands in for chapter 02.
type countingListeners struct {
	instance *Instance
	n        int
}

func (c *countingListeners) AddOrUpdateListener(l *listenerv3.Listener, _ string) (bool, error) {
	c.n++
	later.Chapter(c.instance.Lane(), 2, "the listener "+l.GetName()+" would be built here, with its socket")
	return true, nil
}

func (c *countingListeners) Listeners() []ListenerInfo { return nil }
func (c *countingListeners) NumConnections() uint64    { return 0 }
func (c *countingListeners) WorkerInfos() []WorkerInfo { return nil }

func (c *countingListeners) StartWorkers(done func()) {
	later.Chapter(c.instance.Lane(), 4, "the worker threads would start here")
	done()
}

func (c *countingListeners) StopListeners(bool) {}

func (c *countingListeners) Drain(stopped, empty func()) {
	stopped()
	empty()
}

func (c *countingListeners) Flush()           {}
func (c *countingListeners) StopWorkers() int { return 0 }

// noHandler stands in for chapter 04.
type noHandler struct{ instance *Instance }

func (h *noHandler) AddAdminListener(a *network.Address, _ func(int)) (*network.Address, error) {
	later.Chapter(h.instance.Lane(), 4, "the admin socket would be bound and listened on here")
	return a, nil
}

func (h *noHandler) Close() {}

// noClusters stands in for chapter 06.
type noClusters struct{ instance *Instance }

func (c *noClusters) SetInitializedCb(done func()) {
	if len(c.instance.Bootstrap().GetStaticResources().GetClusters()) > 0 {
		later.Chapter(c.instance.Lane(), 6, "the clusters would be initialized before this")
	}
	done()
}

func (c *noClusters) Shutdown() {}

type noOverload struct{}

func (noOverload) Start()                         {}
func (noOverload) Stop()                          {}
func (noOverload) OnStopAccepting(func(bool))     {}
func (noOverload) OnRejectFraction(func(float64)) {}
