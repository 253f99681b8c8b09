package startup

import (
	"net/http"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// fieldMask is a set of paths as a tree: what is below a field that has no fields here is all of it.
//
// Envoy: FieldMaskUtil of protobuf
type fieldMask map[string]fieldMask

// parseMask reads paths such as name,address.socket_address.
func parseMask(text string) fieldMask {
	mask := fieldMask{}
	for path := range strings.SplitSeq(text, ",") {
		if path != "" {
			mask.add(strings.Split(path, "."))
		}
	}
	return mask
}

// add: a shorter path covers all longer ones, whichever comes first.
func (m fieldMask) add(path []string) {
	for n, name := range path {
		below, known := m[name]
		switch {
		case n == len(path)-1:
			m[name] = fieldMask{}
		case known && len(below) == 0:
			return
		case !known:
			m[name] = fieldMask{}
		}
		m = m[name]
	}
}

// trimMessage clears all fields that the mask does not name. An empty mask leaves all.
func trimMessage(mask string, m protoreflect.Message) error {
	return parseMask(mask).trim(mask, m)
}

// trim refuses to look into the items of a list, where Envoy 1.17 ends in an assertion of protobuf's;
// the sentence is a later Envoy's.
func (m fieldMask) trim(mask string, message protoreflect.Message) (err error) {
	if len(m) == 0 {
		return nil
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		below, named := m[string(field.Name())]
		switch {
		case !named:
			message.Clear(field)
		case len(below) == 0 || field.Message() == nil:
		case field.Cardinality() == protoreflect.Repeated:
			err = &refusal{http.StatusBadRequest, "FieldMask " + mask + " could not be successfully used."}
		default:
			err = below.trim(mask, message.Mutable(field).Message())
		}
		return err == nil
	})
	return err
}

// trimResource is trimMessage for an item of a dump, most of which is one Any: a path through the
// Any goes on in the message that it holds.
//
// Envoy: trimResourceMessage of config_dump_handler.cc
func trimResource(mask string, m protoreflect.Message) error {
	outer, inner := fieldMask{}, fieldMask{}
	var opaque protoreflect.FieldDescriptor
	for path := range strings.SplitSeq(mask, ",") {
		names := strings.Split(path, ".")
		field := m.Descriptor().Fields().ByName(protoreflect.Name(names[0]))
		if holdsAny(field) {
			opaque = field
			if len(names) > 1 {
				inner.add(names[1:])
			}
			names = names[:1]
		}
		if path != "" {
			outer.add(names)
		}
	}
	if opaque != nil && m.Has(opaque) {
		if err := inner.trimInside(mask, m.Mutable(opaque).Message().Interface().(*anypb.Any)); err != nil {
			return err
		}
	}
	return outer.trim(mask, m)
}

func holdsAny(field protoreflect.FieldDescriptor) bool {
	return field != nil && field.Message() != nil && field.Cardinality() != protoreflect.Repeated &&
		field.Message().FullName() == "google.protobuf.Any"
}

func (m fieldMask) trimInside(mask string, packed *anypb.Any) error {
	held, err := packed.UnmarshalNew()
	if err != nil {
		return err
	}
	if err := m.trim(mask, held.ProtoReflect()); err != nil {
		return err
	}
	packed.Value = Pack(held).Value
	return nil
}
