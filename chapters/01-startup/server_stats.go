package startup

import (
	"math"
	"time"

	"envoywalk/internal/stats"
	"envoywalk/internal/step"
)

// State is what /server_info and server.state call the state of the process.
type State uint64

const (
	Live              State = iota // it serves
	Draining                       // it fails health checks on purpose
	PreInitializing                // the init manager was not asked yet
	InitializingState              // something has not said ready
)

var stateNames = [...]string{"LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"}

func (s State) String() string { return stateNames[s] }

// serverStats are the server.* stats.
//
// Envoy: ALL_SERVER_STATS
type serverStats struct {
	live, state, uptime               *stats.Gauge
	allocated, heapSize, physicalSize *stats.Gauge
	totalConnections                  *stats.Gauge
	initializationTime                *stats.Histogram
}

// noCertificate is what Envoy shows as days until the first certificate expires, while it has none.
const noCertificate = math.MaxInt32

// newServerStats also makes the stats that stay what they are here: there is no TLS, no dynamic
// configuration and no hot-restart parent, and a failed assertion ends a Go program.
func newServerStats(i *Instance) *serverStats {
	s := i.Stats.Scope("server.")
	st := &serverStats{live: s.Gauge("live"), state: s.Gauge("state"), uptime: s.Gauge("uptime"),
		allocated: s.Gauge("memory_allocated"), heapSize: s.Gauge("memory_heap_size"),
		physicalSize: s.Gauge("memory_physical_size"), totalConnections: s.Gauge("total_connections"),
		initializationTime: s.Histogram("initialization_time_ms")}
	for _, name := range [...]string{"debug_assertion_failures", "dynamic_unknown_fields",
		"envoy_bug_failures"} {
		s.Counter(name)
	}
	s.Counter("static_unknown_fields").Add(uint64(len(i.Config.Unknown)))
	s.Gauge("seconds_until_first_ocsp_response_expiring")
	for name, value := range map[string]uint64{"concurrency": uint64(i.Options.Concurrency),
		"days_until_first_cert_expiring": noCertificate, "hot_restart_epoch": uint64(i.Options.RestartEpoch),
		"parent_connections": 0, "stats_recent_lookups": 0, "version": 0x5c801b} {
		s.Gauge(name).Set(value)
	}
	st.fail(false)
	st.state.Set(uint64(PreInitializing))
	return st
}

// fail makes the server answer health checks with failure, or again with success.
func (s *serverStats) fail(failed bool) {
	if failed {
		s.live.Set(0)
		return
	}
	s.live.Set(1)
}

// failing: health checks are to be answered with failure. Any thread may ask.
func (s *serverStats) failing() bool { return s.live.Value() == 0 }

// State is derived from how far the server is: nobody keeps it, nobody can forget to change it.
//
// Envoy: Server::Utility::serverState
func (i *Instance) State() State {
	switch {
	case i.InitManager.State() == Uninitialized:
		return PreInitializing
	case i.InitManager.State() == Initializing:
		return InitializingState
	case i.server.failing():
		return Draining
	}
	return Live
}

// updateServerStats refreshes the server.* gauges.
//
// Envoy: Server::InstanceImpl::updateServerStats
func (i *Instance) updateServerStats() {
	defer i.Lane().Enter(step.UpdateServerStats).Exit()
	memory := readMemory()
	i.server.uptime.Set(uint64(time.Since(i.started).Seconds()))
	i.server.allocated.Set(memory.inUse)
	i.server.heapSize.Set(memory.asked)
	i.server.physicalSize.Set(memory.asked - memory.released)
	i.server.totalConnections.Set(i.ListenerManager.NumConnections())
	i.server.state.Set(uint64(i.State()))
}
