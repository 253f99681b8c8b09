package startup

import (
	"strconv"

	"google.golang.org/protobuf/types/known/structpb"

	eventloop "envoywalk/chapters/00-event-loop"
)

// GlobalConnectionLimit is the runtime key of the process-wide limit of accepted connections.
const GlobalConnectionLimit = "overload.global_downstream_max_connections"

// ListenerConnectionLimit is the runtime key of one listener's.
func ListenerConnectionLimit(listener string) string {
	return "envoy.resource_limits.listener." + listener + ".connection_limit"
}

// Runtime is the set of values that may change while the server runs. Every thread has its own snapshot.
//
// Envoy: Runtime::LoaderImpl
type Runtime struct {
	snapshot *Slot
}

// newRuntime flattens the static layers, later ones over earlier ones, into one snapshot.
func newRuntime(i *Instance) *Runtime {
	i.main.Info("runtime: %v", i.Bootstrap().GetLayeredRuntime())
	values := map[string]string{}
	for _, layer := range i.Bootstrap().GetLayeredRuntime().GetLayers() {
		flatten(values, "", layer.GetStaticLayer())
	}
	r := &Runtime{snapshot: i.ThreadLocal.AllocateSlot()}
	r.snapshot.Set(func(*eventloop.Dispatcher) any { return values })
	return r
}

func flatten(into map[string]string, prefix string, s *structpb.Struct) {
	for key, v := range s.GetFields() {
		if nested := v.GetStructValue(); nested != nil {
			flatten(into, prefix+key+".", nested)
			continue
		}
		if text, ok := v.GetKind().(*structpb.Value_StringValue); ok {
			into[prefix+key] = text.StringValue
			continue
		}
		into[prefix+key] = strconv.FormatFloat(v.GetNumberValue(), 'f', -1, 64)
	}
}

// Integer returns the value of key in the calling thread's snapshot, or otherwise. d is that thread's
// dispatcher.
func (r *Runtime) Integer(d *eventloop.Dispatcher, key string, otherwise uint64) uint64 {
	values, _ := r.snapshot.Get(d).(map[string]string)
	n, err := strconv.ParseUint(values[key], 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}
