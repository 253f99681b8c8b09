package startup

import (
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
