package config

import (
	"fmt"
	"slices"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// schema is everything that can be reached from Bootstrap through fields that are accepted.
type schema struct {
	table    *fateTable
	messages map[protoreflect.FullName]protoreflect.MessageDescriptor
	enums    map[protoreflect.FullName]protoreflect.EnumDescriptor
}

func reachable(t *testing.T) *schema {
	table, err := loadFates()
	if err != nil {
		t.Fatal(err)
	}
	s := &schema{table, map[protoreflect.FullName]protoreflect.MessageDescriptor{},
		map[protoreflect.FullName]protoreflect.EnumDescriptor{}}
	s.visit((&bootstrapv3.Bootstrap{}).ProtoReflect().Descriptor())
	return s
}

func (s *schema) visit(md protoreflect.MessageDescriptor) {
	if s.messages[md.FullName()] != nil || md.FullName().Parent() == "google.protobuf" {
		return
	}
	s.messages[md.FullName()] = md
	if holder(md) {
		for i := range extensions {
			if extensions[i].holder == md.FullName() {
				s.visit(extensions[i].msg.ProtoReflect().Descriptor())
			}
		}
	}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if s.table.of(md).field(fd).chapter == 0 {
			continue
		}
		if fd.IsMap() {
			fd = fd.MapValue()
		}
		if fd.Enum() != nil {
			s.enums[fd.Enum().FullName()] = fd.Enum()
		}
		if fd.Message() != nil {
			s.visit(fd.Message())
		}
	}
}

func TestEveryFieldOfEveryAcceptedMessageHasAFate(t *testing.T) {
	s := reachable(t)
	for name, md := range s.messages {
		m := s.table.messages[name]
		if m == nil {
			t.Errorf("message %s is not in fates/", name)
			m = none
		}
		for i := range md.Fields().Len() {
			f := md.Fields().Get(i).Name()
			if _, ok := m.fields[f]; !ok {
				t.Errorf("MISSING %s %s", name, f)
			}
		}
		for f := range m.fields {
			if md.Fields().ByName(f) == nil {
				t.Errorf("%s has no field %s", name, f)
			}
		}
	}
}

func TestEveryValueOfEveryAcceptedEnumHasAFate(t *testing.T) {
	s := reachable(t)
	for name, ed := range s.enums {
		m := s.table.messages[name]
		if m == nil {
			t.Errorf("enum %s is not in fates/", name)
			continue
		}
		for i := range ed.Values().Len() {
			if v := ed.Values().Get(i).Name(); m.fields[v] == (fate{}) && !refusedPlainly(m, v) {
				t.Errorf("MISSING %s %s", name, v)
			}
		}
		for v := range m.fields {
			if ed.Values().ByName(v) == nil {
				t.Errorf("%s has no value %s", name, v)
			}
		}
	}
}

func refusedPlainly(m *messageFates, name protoreflect.Name) bool {
	_, ok := m.fields[name]
	return ok
}

func TestTheFateTableHoldsNothingThatCannotBeReached(t *testing.T) {
	s := reachable(t)
	for name := range s.table.messages {
		if s.messages[name] == nil && s.enums[name] == nil {
			t.Errorf("%s cannot be reached from Bootstrap", name)
		}
	}
}

func TestEveryLaterChapterSaysWhatItDoes(t *testing.T) {
	s := reachable(t)
	for name, m := range s.table.messages {
		for field, f := range m.fields {
			if f.chapter > 1 && f.what == "" {
				t.Errorf("%s.%s: no phrase", name, field)
			}
		}
	}
}

func TestExtensionNamesAreUniqueWhereTheyStand(t *testing.T) {
	var seen []string
	for _, e := range extensions {
		for _, n := range append(slices.Clone(e.names), string(e.typeName())) {
			key := fmt.Sprint(e.holder, " ", n)
			if slices.Contains(seen, key) {
				t.Errorf("%s twice", key)
			}
			seen = append(seen, key)
		}
	}
}
