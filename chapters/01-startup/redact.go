package startup

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
)

const redacted = "[redacted]"

// redact takes private matter out of a message: below every field that Envoy's API marks as
// sensitive, texts become [redacted] and all else goes. It looks into each Any.
//
// Envoy: MessageUtil::redact
func redact(m protoreflect.Message, sensitive bool) {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		if redactAny(packed, sensitive) {
			return
		}
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		sensitive := sensitive || isSensitive(field)
		switch {
		case field.IsMap():
			redactMap(m, field, value.Map(), sensitive)
		case field.Message() != nil && field.IsList():
			for n := range value.List().Len() {
				redact(value.List().Get(n).Message(), sensitive)
			}
		case field.Message() != nil:
			redact(value.Message(), sensitive)
		case sensitive:
			redactScalar(m, field, value)
		}
		return true
	})
}

// redactAny reports whether the Any's message is known.
func redactAny(packed *anypb.Any, sensitive bool) bool {
	held, err := packed.UnmarshalNew()
	if err != nil {
		return false
	}
	redact(held.ProtoReflect(), sensitive)
	packed.Value = Pack(held).Value
	return true
}

func redactMap(m protoreflect.Message, field protoreflect.FieldDescriptor, values protoreflect.Map,
	sensitive bool) {
	if field.MapValue().Message() == nil {
		if sensitive {
			m.Clear(field)
		}
		return
	}
	values.Range(func(_ protoreflect.MapKey, value protoreflect.Value) bool {
		redact(value.Message(), sensitive)
		return true
	})
}

func redactScalar(m protoreflect.Message, field protoreflect.FieldDescriptor, value protoreflect.Value) {
	instead := protoreflect.ValueOfString(redacted)
	switch field.Kind() {
	case protoreflect.StringKind:
	case protoreflect.BytesKind:
		instead = protoreflect.ValueOfBytes([]byte(redacted))
	default:
		m.Clear(field)
		return
	}
	if !field.IsList() {
		m.Set(field, instead)
		return
	}
	for n := range value.List().Len() {
		value.List().Set(n, instead)
	}
}

// isSensitive looks for Envoy's annotation. The registry knows it because the API's packages bring it
// along.
//
// Envoy: udpa::annotations::sensitive
func isSensitive(field protoreflect.FieldDescriptor) bool {
	mark, err := protoregistry.GlobalTypes.FindExtensionByName("udpa.annotations.sensitive")
	if err != nil {
		return true // better to show too little
	}
	sensitive, _ := proto.GetExtension(field.Options(), mark).(bool)
	return sensitive
}
