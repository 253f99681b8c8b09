package config

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const bootstrapType = "envoy.config.bootstrap.v3.Bootstrap"

// walker fills messages from one source after another and collects what there is to say.
type walker struct {
	opts    Options
	fates   *fateTable
	doc     *document
	base    *node // the root of the source that this one is merged over, or nil
	later   []Field
	unknown []Field
	pending []pending
}

// pending is an extension's message: it is validated after the bootstrap that holds it.
type pending struct {
	msg  proto.Message
	doc  *document
	at   *place
	path string // after the merge
}

func (w *walker) bootstrap(m proto.Message, root *node) error {
	top := &place{index: -1, src: root}
	if root.kind != object {
		return w.unparsable(top, "Root element must be a message.", root,
			"a configuration is a map: remove the '-' or the brackets")
	}
	return w.message(m.ProtoReflect(), root, top, false)
}

// message fills m from an object. quiet: an outer field was reported as later already.
func (w *walker) message(m protoreflect.Message, n *node, at *place, quiet bool) error {
	md := m.Descriptor()
	at.md = md
	fates := w.fates.of(md)
	var seen [4]uint64 // one bit per field: a field may come once, under one spelling
	for i := range n.kids {
		k := &n.kids[i]
		fd := fieldOf(md, k.key)
		if fd == nil {
			if err := w.unknownField(md, k, at); err != nil {
				return err
			}
			continue
		}
		bit := uint64(1) << (fd.Index() % 64)
		if word := &seen[fd.Index()/64%4]; *word&bit != 0 {
			return w.refuse(at, &k.node, w.doc.atKey(k), at.loc()+k.key+": given twice.",
				"both spellings of "+string(fd.Name())+" are set")
		} else {
			*word |= bit
		}
		if k.kind == null && !isMessage(fd, "google.protobuf.Value") {
			continue
		}
		if err := w.member(m, fd, k, at, fates.field(fd), quiet); err != nil {
			return err
		}
	}
	return w.finish(m, n, at, quiet)
}

// fieldOf finds a field by its proto name or its JSON name.
func fieldOf(md protoreflect.MessageDescriptor, key string) protoreflect.FieldDescriptor {
	if fd := md.Fields().ByName(protoreflect.Name(key)); fd != nil {
		return fd
	}
	return md.Fields().ByJSONName(key)
}

// member decides the fate of one set field, then fills it.
func (w *walker) member(m protoreflect.Message, fd protoreflect.FieldDescriptor, k *kid,
	at *place, f fate, quiet bool) error {
	if od := fd.ContainingOneof(); od != nil && !od.IsSynthetic() {
		if set := m.WhichOneof(od); set != nil && set != fd {
			return w.unparsable(at, fmt.Sprintf("invalid value oneof field '%s' is already set."+
				" Cannot set '%s' for type oneof", od.Name(), fd.Name()), &k.node,
				fmt.Sprintf("set either %s or %s", set.Name(), fd.Name()))
		}
	}
	here := at.child(string(fd.Name()), -1, &k.node)
	if f.chapter == 0 {
		return w.refusedField(m, fd, k, here, f)
	}
	if holder(fd.ContainingMessage()) && fd.Name() == "typed_config" {
		return nil // read last, because finding its type may need the name
	}
	if f.chapter > w.opts.Chapter && !quiet {
		quiet = true
		w.addLater(string(fd.FullName()), here, w.doc.atKey(k), f)
	}
	return w.field(m, fd, &k.node, at, quiet)
}

// addLater notes one field that this binary loads and does not act on.
func (w *walker) addLater(name string, at *place, pos Position, f fate) {
	w.later = append(w.later, Field{name, at.path(w.base), pos, f.chapter, f.what})
}

// field fills a field of any shape.
func (w *walker) field(m protoreflect.Message, fd protoreflect.FieldDescriptor, n *node,
	at *place, quiet bool) error {
	switch {
	case fd.IsMap():
		return w.mapField(m, fd, n, at, quiet)
	case fd.IsList():
		return w.listField(m, fd, n, at, quiet)
	case n.kind == list && !isMessage(fd, "google.protobuf.ListValue") &&
		!isMessage(fd, "google.protobuf.Value"):
		return w.refuse(at, n, w.doc.at(n), at.loc()+string(fd.Name())+
			": Proto field is not repeating, cannot start list.", "remove the '-' or the brackets")
	}
	here := at.child(string(fd.Name()), -1, n)
	if fd.Message() != nil {
		v := m.NewField(fd)
		if err := w.messageValue(v.Message(), n, here, quiet); err != nil {
			return err
		}
		m.Set(fd, v)
		return nil
	}
	v, err := w.scalar(fd, n, here)
	if err == nil && v.IsValid() {
		m.Set(fd, v)
	}
	return err
}

// listField takes a list, and also a single value where a list is expected, as Envoy's parser.
func (w *walker) listField(m protoreflect.Message, fd protoreflect.FieldDescriptor, n *node,
	at *place, quiet bool) error {
	items := []kid{{node: *n}}
	if n.kind == list {
		n.kids = withoutNull(n.kids) // so that indexes count what the message will hold
		items = n.kids
	}
	out := m.Mutable(fd).List()
	for i := range items {
		item := &items[i].node
		here := at.child(string(fd.Name()), i, item)
		if fd.Message() == nil {
			v, err := w.scalar(fd, item, here)
			if err != nil {
				return err
			}
			if v.IsValid() {
				out.Append(v)
			}
			continue
		}
		v := out.NewElement()
		if err := w.messageValue(v.Message(), item, here, quiet); err != nil {
			return err
		}
		out.Append(v)
	}
	return nil
}

func withoutNull(kids []kid) []kid {
	out := kids[:0]
	for _, k := range kids {
		if k.kind != null {
			out = append(out, k)
		}
	}
	return out
}

func (w *walker) mapField(m protoreflect.Message, fd protoreflect.FieldDescriptor, n *node,
	at *place, quiet bool) error {
	if n.kind != object {
		return w.invalid(at.child(string(fd.Name()), -1, n), n, "TYPE_MESSAGE",
			"this is a map: write key: value")
	}
	out := m.Mutable(fd).Map()
	for i := range n.kids {
		k := &n.kids[i]
		here := at.entry(string(fd.Name()), k.key, &k.node)
		if k.kind == null {
			continue
		}
		key, err := w.scalar(fd.MapKey(), &node{kind: text, text: k.key, line: k.kline,
			col: k.kcol}, here)
		if err != nil {
			return err
		}
		v := out.NewValue()
		if fd.MapValue().Message() != nil {
			err = w.messageValue(v.Message(), &k.node, here, quiet)
		} else {
			v, err = w.scalar(fd.MapValue(), &k.node, here)
		}
		if err != nil {
			return err
		}
		if v.IsValid() {
			out.Set(key.MapKey(), v)
		}
	}
	return nil
}

// messageValue fills a message from whatever JSON form it has.
func (w *walker) messageValue(m protoreflect.Message, n *node, at *place, quiet bool) error {
	if done, err := w.wellKnown(m, n, at); done || err != nil {
		return err
	}
	if n.kind != object {
		return w.invalid(at, n, "TYPE_MESSAGE",
			at.field+" is a map: indent its fields below")
	}
	return w.message(m, n, at, quiet)
}

func isMessage(fd protoreflect.FieldDescriptor, name protoreflect.FullName) bool {
	return fd.Message() != nil && fd.Message().FullName() == name
}
