package listensocket

import (
	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	"google.golang.org/protobuf/proto"

	startup "envoywalk/chapters/01-startup"
)

// dumpListenerConfigs is what /config_dump shows of the listeners. One that came through the API
// counts as warming until the workers start.
//
// Envoy: Server::ListenerManagerImpl::dumpListenerConfigs
func (m *ListenerManager) dumpListenerConfigs() proto.Message {
	dump := &adminv3.ListenersConfigDump{}
	for _, l := range m.Active {
		config, since := startup.Pack(l.Config), startup.Timestamp(l.since)
		if !l.viaAPI {
			dump.StaticListeners = append(dump.StaticListeners,
				&adminv3.ListenersConfigDump_StaticListener{Listener: config, LastUpdated: since})
			continue
		}
		state := &adminv3.ListenersConfigDump_DynamicListenerState{Listener: config, LastUpdated: since}
		dynamic := &adminv3.ListenersConfigDump_DynamicListener{Name: l.Name, WarmingState: state}
		if m.workersStarted {
			dynamic.WarmingState, dynamic.ActiveState = nil, state
		}
		dump.DynamicListeners = append(dump.DynamicListeners, dynamic)
	}
	for _, l := range m.draining {
		dump.DynamicListeners = append(dump.DynamicListeners, &adminv3.ListenersConfigDump_DynamicListener{
			Name: l.Name, DrainingState: &adminv3.ListenersConfigDump_DynamicListenerState{
				Listener: startup.Pack(l.Config), LastUpdated: startup.Timestamp(l.since)}})
	}
	return dump
}

// InitManagers are those of the listeners that are not active yet, for /init_dump: all, until the
// workers start, and none after that, for a listener that is added later is not waited for.
func (m *ListenerManager) InitManagers() (all []*startup.InitManager) {
	if m.workersStarted {
		return nil
	}
	for _, l := range m.Active {
		all = append(all, l.init)
	}
	return all
}
