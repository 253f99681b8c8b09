package startup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/stats"
)

// NoLimit is what the connection limits are when nobody set them. 0 is a limit: nobody gets in.
const NoLimit = math.MaxUint64

// GlobalConnectionLimit is the runtime key of the process-wide limit of accepted connections.
const GlobalConnectionLimit = "overload.global_downstream_max_connections"

// ListenerConnectionLimit is the runtime key of one listener's.
func ListenerConnectionLimit(listener string) string {
	return "envoy.resource_limits.listener." + listener + ".connection_limit"
}

// Runtime is the set of values that may change while the server runs. Main owns the layers; every
// thread has its own snapshot, which nobody changes once it is made.
//
// Envoy: Runtime::LoaderImpl
type Runtime struct {
	snapshot *Slot
	layers   []runtimeLayer
	admin    int // the layer that /runtime_modify writes, -1 if there is none
	stats    runtimeStats
}

// runtimeLayer is one layer's keys, flattened; later layers win.
type runtimeLayer struct {
	name   string
	values map[string]runtimeEntry
}

// runtimeEntry is a value as it was written, and as a whole number where it is one.
//
// Envoy: Runtime::Snapshot::Entry
type runtimeEntry struct {
	raw       string
	integer   uint64
	isInteger bool
}

// runtimeStats are the runtime.* stats that can change here.
//
// Envoy: ALL_RUNTIME_STATS
type runtimeStats struct {
	loadSuccess                      *stats.Counter
	numKeys, numLayers, adminsActive *stats.Gauge
}

// newRuntime reads the layers into a first snapshot. With nothing configured there are two empty
// layers, so that /runtime_modify has one to write.
//
// Envoy: Runtime::LoaderImpl::LoaderImpl, Config::translateRuntime
func newRuntime(i *Instance) (*Runtime, error) {
	config := i.Bootstrap().GetLayeredRuntime()
	if config == nil {
		config = &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{
			{Name: "base", LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{}},
			{Name: "admin", LayerSpecifier: &bootstrapv3.RuntimeLayer_AdminLayer_{}}}}
	}
	i.main.Info("runtime: %s", jsonOf(config))
	scope := i.Stats.Scope("runtime.")
	r := &Runtime{snapshot: i.ThreadLocal.AllocateSlot("runtime"), admin: -1, stats: runtimeStats{
		loadSuccess: scope.Counter("load_success"), numKeys: scope.Gauge("num_keys"),
		numLayers: scope.Gauge("num_layers"), adminsActive: scope.Gauge("admin_overrides_active")}}
	for n, layer := range config.GetLayers() {
		if err := r.addLayer(n, layer); err != nil {
			return nil, i.At(err, fmt.Sprintf("layered_runtime.layers[%d]", n), "")
		}
	}
	r.load()
	return r, nil
}

func (r *Runtime) addLayer(n int, config *bootstrapv3.RuntimeLayer) error {
	layer := runtimeLayer{config.GetName(), map[string]runtimeEntry{}}
	for _, other := range r.layers {
		if other.name == layer.name {
			return fmt.Errorf("Duplicate layer name: %s", layer.name)
		}
	}
	if _, admin := config.GetLayerSpecifier().(*bootstrapv3.RuntimeLayer_AdminLayer_); admin {
		if r.admin >= 0 {
			return errors.New("Too many admin layers specified in LayeredRuntime, " +
				"at most one may be specified")
		}
		r.admin = n
	}
	r.layers = append(r.layers, layer)
	return flatten(layer.values, "", config.GetStaticLayer())
}

// flatten writes nested keys with dots between them. What is neither text nor number nor boolean is
// refused; a fraction ({numerator, denominator}) is one value.
//
// Envoy: Runtime::ProtoLayer::walkProtoValue
func flatten(into map[string]runtimeEntry, prefix string, s *structpb.Struct) error {
	for key, v := range s.GetFields() {
		key = prefix + key
		switch v.GetKind().(type) {
		case *structpb.Value_StructValue:
			nested := v.GetStructValue()
			if isFraction(nested) {
				text, _ := json.Marshal(nested.AsMap())
				into[key] = runtimeEntry{raw: string(text)}
				continue
			}
			if err := flatten(into, key+".", nested); err != nil {
				return err
			}
		case *structpb.Value_StringValue:
			into[key] = newRuntimeEntry(v.GetStringValue())
		case *structpb.Value_NumberValue:
			into[key] = newRuntimeEntry(strconv.FormatFloat(v.GetNumberValue(), 'f', -1, 64))
		case *structpb.Value_BoolValue:
			into[key] = newRuntimeEntry(strconv.FormatBool(v.GetBoolValue()))
		default:
			return fmt.Errorf("Invalid runtime entry value for %s", key)
		}
	}
	return nil
}

func isFraction(s *structpb.Struct) bool {
	f := s.GetFields()
	return len(f) == 0 || f["numerator"] != nil || f["denominator"] != nil
}

// newRuntimeEntry: 3.1 counts as 3 where a whole number is asked for, as in Envoy; -1 and true do
// not count.
//
// Envoy: Runtime::SnapshotImpl::createEntry
func newRuntimeEntry(raw string) runtimeEntry {
	e := runtimeEntry{raw: raw}
	text := strings.TrimSpace(raw)
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		e.integer, e.isInteger = n, true
	} else if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f < math.MaxUint64 {
		e.integer, e.isInteger = uint64(f), true
	}
	return e
}

// load makes a snapshot of all layers and gives it to every thread.
//
// Envoy: Runtime::LoaderImpl::loadNewSnapshot
func (r *Runtime) load() {
	values := map[string]runtimeEntry{}
	for _, layer := range r.layers {
		for key, entry := range layer.values {
			values[key] = entry
		}
	}
	r.snapshot.Set(func(*eventloop.Dispatcher) any { return values })
	r.stats.loadSuccess.Inc()
	r.stats.numKeys.Set(uint64(len(values)))
	r.stats.numLayers.Set(uint64(len(r.layers)))
}

// MergeValues writes overrides into the admin layer; an empty value takes one back. Main thread.
// It fails where the configuration has no such layer.
//
// Envoy: Runtime::LoaderImpl::mergeValues
func (r *Runtime) MergeValues(overrides map[string]string) error {
	if r.admin < 0 {
		return errors.New("No admin layer specified")
	}
	own := r.layers[r.admin].values
	for key, value := range overrides {
		delete(own, key)
		if value != "" {
			own[key] = newRuntimeEntry(value)
		}
	}
	r.stats.adminsActive.Set(uint64(min(1, len(own))))
	r.load()
	return nil
}

// Integer returns the value of key in the calling thread's snapshot, or otherwise. d is that
// thread's dispatcher.
//
// Envoy: Runtime::SnapshotImpl::getInteger
func (r *Runtime) Integer(d *eventloop.Dispatcher, key string, otherwise uint64) uint64 {
	values, _ := r.snapshot.Get(d).(map[string]runtimeEntry)
	if e := values[key]; e.isInteger {
		return e.integer
	}
	return otherwise
}

// FeatureEnabled returns the boolean value of key in the calling thread's snapshot, or otherwise. d is
// that thread's dispatcher.
//
// Envoy: Runtime::SnapshotImpl::getBoolean
func (r *Runtime) FeatureEnabled(d *eventloop.Dispatcher, key string, otherwise bool) bool {
	values, _ := r.snapshot.Get(d).(map[string]runtimeEntry)
	switch strings.ToLower(strings.TrimSpace(values[key].raw)) {
	case "true":
		return true
	case "false":
		return false
	}
	return otherwise
}

// jsonOf shows configuration on one line of the log, where Envoy writes YAML on several.
func jsonOf(config *bootstrapv3.LayeredRuntime) string {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(config)
	var line bytes.Buffer
	if err == nil {
		err = json.Compact(&line, text)
	}
	if err != nil {
		return err.Error()
	}
	return line.String()
}
