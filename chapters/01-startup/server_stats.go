package startup

import (
	"runtime"
	"time"

	"envoywalk/internal/stats"
	"envoywalk/internal/step"
)

// State is what /server_info and server.state call the state of the process.
type State uint64

const (
	Live State = iota
	Draining
	PreInitializing
	InitializingState
)

var stateNames = [...]string{"LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"}

func (s State) String() string { return stateNames[s] }

// serverStats are the server.* stats.
//
// Envoy: ALL_SERVER_STATS
type serverStats struct {
	scope              *stats.Scope
	concurrency        *stats.Gauge
	liveGauge          *stats.Gauge
	state              *stats.Gauge
	uptime             *stats.Gauge
	allocated          *stats.Gauge
	heapSize           *stats.Gauge
	totalConnections   *stats.Gauge
	parentConnections  *stats.Gauge
	unknownFields      *stats.Counter
	initializationTime *stats.Histogram
	workersUp          bool
}

func newServerStats(i *Instance) *serverStats {
	s := i.Stats.Scope("server.")
	st := &serverStats{scope: s, concurrency: s.Gauge("concurrency"), liveGauge: s.Gauge("live"),
		state: s.Gauge("state"), uptime: s.Gauge("uptime"), allocated: s.Gauge("memory_allocated"),
		heapSize: s.Gauge("memory_heap_size"), totalConnections: s.Gauge("total_connections"),
		parentConnections:  s.Gauge("parent_connections"),
		unknownFields:      s.Counter("static_unknown_fields"),
		initializationTime: s.Histogram("initialization_time_ms")}
	st.concurrency.Set(uint64(i.Options.Concurrency))
	s.Gauge("hot_restart_epoch").Set(uint64(i.Options.RestartEpoch))
	s.Gauge("version").Set(0x5c801b)
	st.unknownFields.Add(uint64(len(i.Config.Unknown)))
	st.fail(false)
	st.state.Set(uint64(PreInitializing))
	return st
}

// fail makes the server answer health checks with failure, or again with success.
func (s *serverStats) fail(failed bool) {
	if failed {
		s.liveGauge.Set(0)
		return
	}
	s.liveGauge.Set(1)
}

func (s *serverStats) live() { s.workersUp = true }

// State is derived from how far the server is: nobody keeps it, nobody can forget to change it.
//
// Envoy: Server::Utility::serverState
func (i *Instance) State() State {
	switch {
	case i.InitManager.State() == Uninitialized:
		return PreInitializing
	case i.InitManager.State() == Initializing:
		return InitializingState
	case i.server.liveGauge.Value() == 0:
		return Draining
	}
	return Live
}

// updateServerStats refreshes the server.* gauges.
//
// Envoy: Server::InstanceImpl::updateServerStats
func (i *Instance) updateServerStats() {
	defer i.Lane().Enter(step.UpdateServerStats).Exit()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	i.server.uptime.Set(uint64(time.Since(i.started).Seconds()))
	i.server.allocated.Set(m.HeapAlloc)
	i.server.heapSize.Set(m.HeapSys)
	i.server.state.Set(uint64(i.State()))
}
