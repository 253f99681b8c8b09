package startup

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// trackOwnParts registers what this chapter knows of the configuration: all that was loaded. Given
// to a server as its file, the dumped bootstrap means the same, but for what is redacted.
//
// Envoy: InstanceImpl::dumpBootstrapConfig, SecretManagerImpl::dumpSecretConfigs
func (a *Admin) trackOwnParts() {
	a.instance.tracker.Add("bootstrap", func() proto.Message {
		return &adminv3.BootstrapConfigDump{LastUpdated: Timestamp(a.loaded),
			Bootstrap: proto.Clone(a.instance.Bootstrap()).(*bootstrapv3.Bootstrap)}
	})
	a.instance.tracker.Add("secrets", func() proto.Message {
		dump := &adminv3.SecretsConfigDump{}
		for _, s := range a.instance.Bootstrap().GetStaticResources().GetSecrets() {
			dump.StaticSecrets = append(dump.StaticSecrets,
				&adminv3.SecretsConfigDump_StaticSecret{Name: s.GetName(), Secret: Pack(s)})
		}
		return dump
	})
}

// Timestamp is a moment as Envoy's dumps have it: in milliseconds.
func Timestamp(t time.Time) *timestamppb.Timestamp {
	return timestamppb.New(t.Truncate(time.Millisecond))
}

// Pack puts a message into an Any, the same bytes every time.
func Pack(m proto.Message) *anypb.Any {
	packed := &anypb.Any{}
	// It fails only for a message that is not valid, which no loaded configuration is.
	anypb.MarshalFrom(packed, m, proto.MarshalOptions{Deterministic: true})
	return packed
}

// Envoy: ConfigDumpHandler::handlerConfigDump
func (a *Admin) configDump(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var parts []proto.Message
	err := a.OnMain(func() { parts = a.instance.tracker.tell(q.Has("include_eds")) })
	if a.Failed(w, err) {
		return
	}
	shown, err := selectConfigs(parts, q)
	var refused *refusal
	if errors.As(err, &refused) {
		refuse(w, refused.code, refused.reason)
		return
	}
	dump := &adminv3.ConfigDump{}
	for _, m := range shown {
		redact(m.ProtoReflect(), false)
		dump.Configs = append(dump.Configs, Pack(m))
	}
	a.WriteProto(w, dump)
}

// refusal is an answer other than what was asked for.
type refusal struct {
	code   int
	reason string
}

func (r *refusal) Error() string { return r.reason }

// selectConfigs is what ?resource and ?mask leave of all parts.
func selectConfigs(parts []proto.Message, q url.Values) ([]proto.Message, error) {
	trim := trimMessage
	if q.Has("resource") {
		resources, err := selectResources(parts, q.Get("resource"))
		if err != nil {
			return nil, err
		}
		parts, trim = resources, trimResource
	}
	if !q.Has("mask") {
		return parts, nil
	}
	for _, m := range parts {
		if err := trim(q.Get("mask"), m.ProtoReflect()); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// selectResources takes the items of one list, such as static_listeners, out of the first part that
// has it.
//
// Envoy: ConfigDumpHandler::addResourceToDump
func selectResources(parts []proto.Message, name string) (all []proto.Message, err error) {
	for _, part := range parts {
		m := part.ProtoReflect()
		field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if field == nil {
			continue
		}
		if !field.IsList() || field.Message() == nil {
			return nil, &refusal{http.StatusBadRequest,
				fmt.Sprintf("%s is not a repeated field. Use ?mask=%s to get only this field", name, name)}
		}
		for n := range m.Get(field).List().Len() {
			all = append(all, m.Get(field).List().Get(n).Message().Interface())
		}
		return all, nil
	}
	return nil, &refusal{http.StatusNotFound, name + " not found in config dump"}
}
