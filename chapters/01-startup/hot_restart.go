package startup

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// noHotRestart is the restarter of a process that has no parent and will have no child.
//
// Envoy: Server::HotRestartNopImpl
type noHotRestart struct{ lane func() *trace.Lane }

// Envoy: Server::HotRestartImpl::initialize
func (h *noHotRestart) Initialize(i *Instance) {
	defer i.Lane().Enter(step.HotRestartInitialize).Exit()
	h.lane = i.Lane
}

func (h *noHotRestart) Version() string { return "disabled" }

// Envoy: Server::HotRestartingChild::duplicateParentListenSocket
func (h *noHotRestart) DuplicateParentListenSocket(url string) int {
	defer h.lane().Enter(step.DuplicateParentListenSocket).Of(url).Exit()
	return -1
}

// Envoy: Server::HotRestartImpl::drainParentListeners
func (h *noHotRestart) DrainParentListeners() {
	defer h.lane().Enter(step.DrainParentListeners).Exit()
}

func (h *noHotRestart) SendParentAdminShutdownRequest() {}

func (h *noHotRestart) SendParentTerminateRequest() {}
func (h *noHotRestart) Shutdown()                   {}

// drainManager is the server's own drain manager; every listener gets one of its own later.
//
// Envoy: Server::DrainManagerImpl
type drainManager struct {
	instance *Instance
	parent   *eventloop.Timer
}

// Envoy: ProdComponentFactory::createDrainManager
func newDrainManager(i *Instance) DrainManager {
	defer i.Lane().Enter(step.CreateGlobalDrainManager).Exit()
	return &drainManager{instance: i}
}

// StartParentShutdownSequence arms the timer after which a hot-restart parent is told to go.
//
// Envoy: Server::DrainManagerImpl::startParentShutdownSequence
func (d *drainManager) StartParentShutdownSequence() {
	defer d.instance.Lane().Enter(step.StartParentShutdownSequence).Exit()
	d.parent = d.instance.Dispatcher.CreateTimer("parent shutdown", func() {
		d.instance.HotRestart.SendParentTerminateRequest()
	})
	d.parent.Enable(time.Duration(d.instance.Options.ParentShutdownTime) * time.Second)
}
