package config

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

const typePrefix = "type.googleapis.com/"

// finish does what needs a whole message: reading its extension, checks across fields.
func (w *walker) finish(m protoreflect.Message, n *node, at *place, quiet bool) error {
	if holder(m.Descriptor()) {
		if err := w.extension(m, n, at, quiet); err != nil {
			return err
		}
	}
	return w.check(m, n, at)
}

// extension finds out what an extension is, by the type of its Any, else by its name, and fills
// typed_config. A name alone, or an empty typed_config, means an empty message, as in Envoy.
//
// Envoy: Utility::getAndCheckFactory, translateToFactoryConfig
func (w *walker) extension(m protoreflect.Message, n *node, at *place, quiet bool) error {
	md := m.Descriptor()
	name := m.Get(md.Fields().ByName("name")).String()
	content, here := n, at
	k := n.entry("typed_config")
	given := k != nil && (k.kind != null && !(k.kind == object && len(k.kids) == 0))
	if k != nil {
		here = at.child("typed_config", -1, &k.node)
	}
	var e *extension
	var err error
	if given {
		content = &k.node
		e, err = w.typed(md.FullName(), name, content, here)
	} else {
		content = &node{kind: object, line: n.line, col: n.col}
		e, err = w.named(md.FullName(), name, n, at)
	}
	if err != nil {
		return err
	}
	if e.chapter > w.opts.Chapter && !quiet {
		quiet = true
		pos := w.doc.at(n)
		if given {
			pos = w.doc.atKey(k)
		}
		w.addLater(string(e.typeName()), here, pos, fate{e.chapter, e.what})
	}
	return w.pack(m, e, content, here, quiet)
}

// pack fills the extension's message and puts it into typed_config.
func (w *walker) pack(m protoreflect.Message, e *extension, content *node, at *place,
	quiet bool) error {
	msg := e.msg.ProtoReflect().New()
	body := *content
	body.kids = nil
	for _, k := range content.kids {
		if k.key != "@type" {
			body.kids = append(body.kids, k)
		}
	}
	if err := w.message(msg, &body, at, quiet); err != nil {
		return err
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg.Interface())
	if err != nil {
		return w.unparsable(at, err.Error(), content, "")
	}
	packed := &anypb.Any{TypeUrl: typePrefix + string(e.typeName()), Value: b}
	m.Set(m.Descriptor().Fields().ByName("typed_config"),
		protoreflect.ValueOfMessage(packed.ProtoReflect()))
	w.pending = append(w.pending, pending{msg.Interface(), w.doc, at, at.path(w.base)})
	return nil
}

// typed finds the extension by "@type".
func (w *walker) typed(in protoreflect.FullName, name string, n *node,
	at *place) (*extension, error) {
	if n.kind != object {
		return nil, w.invalid(at, n, "TYPE_MESSAGE", `typed_config is a map: start with "@type"`)
	}
	hint := `write "@type": ` + typePrefix + "..."
	if e := byName(in, name); e != nil {
		hint = `write "@type": ` + typePrefix + string(e.typeName())
	}
	k := n.find("@type")
	if k == nil || k.kind != text {
		return nil, w.unparsable(at, "invalid value Missing @type for any field in "+
			bootstrapType+" for type Any", n, hint)
	}
	slash := strings.LastIndexByte(k.text, '/')
	if slash < 0 {
		return nil, w.unparsable(at, "invalid value Invalid type URL, type URLs must be of the "+
			"form 'type.googleapis.com/<typename>', got: "+k.text+" for type Any", &k.node,
			`write "@type": `+typePrefix+k.text)
	}
	typ := protoreflect.FullName(k.text[slash+1:])
	if e := byType(in, typ); e != nil {
		return e, nil
	}
	return nil, w.notRegistered(in, name, typ, k, at)
}

// named finds the extension by its name alone.
func (w *walker) named(in protoreflect.FullName, name string, n *node,
	at *place) (*extension, error) {
	pos, path := w.doc.at(n), at.String()
	if k := n.entry("name"); k != nil {
		pos, path = w.doc.at(&k.node), path+".name"
	}
	if name == "" {
		return nil, &Error{Pos: pos, Path: path, Hint: "give it a name and a typed_config",
			Sentence: "Provided name for static registration lookup was empty."}
	}
	if e := byName(in, name); e != nil {
		return e, nil
	}
	return nil, &Error{Pos: pos, Path: path, Hint: rebuilt(in, name),
		Sentence: fmt.Sprintf("Didn't find a registered implementation for name: '%s'", name)}
}

// notRegistered tells a type of the v2 API from one that nothing here rebuilds.
func (w *walker) notRegistered(in protoreflect.FullName, name string, typ protoreflect.FullName,
	k *kid, at *place) error {
	out := &Error{Pos: w.doc.at(&k.node), Path: at.String() + `["@type"]`, Hint: rebuilt(in, name),
		Sentence: fmt.Sprintf("Didn't find a registered implementation for name: '%s' "+
			"with type URL: '%s'", name, k.text)}
	for i := range extensions {
		e := &extensions[i]
		if e.v2 == string(typ) {
			out.Hint = "write " + typePrefix + string(e.typeName())
		} else if e.typeName() == typ && e.holder != in {
			out.Hint = fmt.Sprintf("%s belongs into %s, not into %s", e.names[0],
				e.holder.Name(), in.Name())
			return out
		}
	}
	if !isV2(string(typ)) {
		return out
	}
	out.Sentence = "The v2 xDS major version is deprecated and disabled by default. Support for " +
		"v2 will be removed from Envoy at the start of Q1 2021. (" + string(typ) + ")"
	return out
}

// isV2 knows Envoy's v2 packages.
func isV2(typ string) bool {
	return strings.HasPrefix(typ, "envoy.api.v2") ||
		strings.HasPrefix(typ, "envoy.config.") && (strings.Contains(typ, ".v2.") ||
			strings.Contains(typ, ".v2alpha"))
}

// rebuilt lists what there is instead, the nearest name first.
func rebuilt(in protoreflect.FullName, name string) string {
	var names []string
	for i := range extensions {
		if extensions[i].holder == in {
			names = append(names, extensions[i].names[0])
		}
	}
	word := name[strings.LastIndexByte(name, '.')+1:]
	for _, n := range names {
		if last := n[strings.LastIndexByte(n, '.')+1:]; Nearest(word, []string{last}) != "" {
			return fmt.Sprintf("did you mean %q?", n)
		}
	}
	return "rebuilt here: " + strings.Join(names, ", ")
}
