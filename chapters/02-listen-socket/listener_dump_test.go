package listensocket

import (
	"testing"
	"time"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"

	startup "envoywalk/chapters/01-startup"
)

func TestTheDumpTellsStaticListenersFromThoseThatCameLater(t *testing.T) {
	since := time.Date(2021, 1, 11, 1, 2, 3, 4567890, time.UTC)
	listener := func(name string, viaAPI bool) *Listener {
		return &Listener{Name: name, Config: &listenerv3.Listener{Name: name}, since: since, viaAPI: viaAPI,
			init: startup.NewInitManager(name)}
	}
	state := func(name string) *adminv3.ListenersConfigDump_DynamicListenerState {
		return &adminv3.ListenersConfigDump_DynamicListenerState{
			Listener: startup.Pack(&listenerv3.Listener{Name: name}), LastUpdated: startup.Timestamp(since)}
	}
	m := &ListenerManager{Active: []*Listener{listener("s", false), listener("d", true)},
		draining: []*Listener{listener("old", true)}}
	want := &adminv3.ListenersConfigDump{
		StaticListeners: []*adminv3.ListenersConfigDump_StaticListener{
			{Listener: state("s").Listener, LastUpdated: state("s").LastUpdated}},
		DynamicListeners: []*adminv3.ListenersConfigDump_DynamicListener{
			{Name: "d", WarmingState: state("d")}, {Name: "old", DrainingState: state("old")}}}
	if got := m.dumpListenerConfigs(); !proto.Equal(got, want) || len(m.InitManagers()) != 2 {
		t.Errorf("before the workers start: %v", got)
	}
	m.workersStarted = true
	want.DynamicListeners[0] = &adminv3.ListenersConfigDump_DynamicListener{Name: "d", ActiveState: state("d")}
	if got := m.dumpListenerConfigs(); !proto.Equal(got, want) || len(m.InitManagers()) != 0 {
		t.Errorf("after: %v", got)
	}
	if ms := want.StaticListeners[0].LastUpdated.Nanos; ms != 4e6 {
		t.Errorf("a moment is told in milliseconds: %d ns", ms)
	}
}
