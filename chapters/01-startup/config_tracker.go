package startup

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
)

// ConfigTracker knows who can tell which part of the running configuration. /config_dump asks them.
// Main thread.
//
// Envoy: Server::ConfigTrackerImpl
type ConfigTracker struct {
	parts map[string]func() proto.Message
}

// EndpointsKey is the key of the part that is dumped only when ?include_eds asks for it.
const EndpointsKey = "endpoint"

// Add registers who tells the part of that key: one of the dumps of admin.v3, such as
// ClustersConfigDump for "clusters". The parts are dumped in the order of their keys. tell runs on
// main; the message it returns is the asker's to change. Add reports whether the key was free.
//
// Envoy: ConfigTrackerImpl::add
func (t *ConfigTracker) Add(key string, tell func() proto.Message) bool {
	if t.parts[key] != nil {
		return false
	}
	if t.parts == nil {
		t.parts = map[string]func() proto.Message{}
	}
	t.parts[key] = tell
	return true
}

// ConfigTracker is where parts of the server register what /config_dump shows of them.
func (i *Instance) ConfigTracker() *ConfigTracker { return &i.tracker }

// tell asks all parts.
func (t *ConfigTracker) tell(endpoints bool) (all []proto.Message) {
	for _, key := range slices.Sorted(maps.Keys(t.parts)) {
		if key != EndpointsKey || endpoints {
			all = append(all, t.parts[key]())
		}
	}
	return all
}
