package config

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// loc is the place as Envoy's parser writes it before a field's name.
func (p *place) loc() string {
	if s := p.String(); s != "" {
		return "(" + s + ") "
	}
	return ""
}

// refuse is the sentence for a source that is not what the message expects.
//
// Envoy: MessageUtil::loadFromJson
func (w *walker) refuse(at *place, n *node, pos Position, why, hint string) error {
	return &Error{
		Sentence: fmt.Sprintf("Unable to parse JSON as proto (INVALID_ARGUMENT:%s): %s", why,
			at.enclosing(n).json(200)),
		Pos: pos, Path: at.String(), Hint: hint}
}

// unparsable is refuse with the parser's "(path): why".
func (w *walker) unparsable(at *place, why string, n *node, hint string) error {
	return w.refuse(at, n, w.doc.at(n), strings.TrimSuffix(at.loc(), " ")+": "+why, hint)
}

// invalid is a value of the wrong type.
func (w *walker) invalid(at *place, n *node, typ, hint string) error {
	return w.unparsable(at, fmt.Sprintf("invalid value %s for type %s", n.json(80), typ), n, hint)
}

// enclosing is the object around the offending value, for the snippet.
func (p *place) enclosing(n *node) *node {
	for q := p; q != nil; q = q.up {
		if q.src != nil && q.src.kind == object && q.src != n {
			return q.src
		}
	}
	return n
}

// unknownField refuses a key that is no field of the message, or notes it when that is allowed.
// A field of Envoy's v2 API, or one that stands at the wrong indentation, is told apart.
//
// Envoy: StrictValidationVisitorImpl::onUnknownField, WarningValidationVisitorImpl
func (w *walker) unknownField(md protoreflect.MessageDescriptor, k *kid, at *place) error {
	what := fmt.Sprintf("type %s reason INVALID_ARGUMENT:%s%s: Cannot find field.",
		bootstrapType, at.loc(), k.key)
	here := at.child(k.key, -1, &k.node)
	if w.opts.AllowUnknownStatic {
		w.unknown = append(w.unknown, Field{Name: string(md.FullName()) + "." + k.key,
			Path: here.path(w.base), Pos: w.doc.atKey(k), What: what})
		return nil
	}
	return &Error{Sentence: "Protobuf message (" + what + ") has unknown fields",
		Pos: w.doc.atKey(k), Path: here.String(), Hint: w.unknownHint(md, k, at)}
}

// unknownHint says what to write instead of a field that does not exist.
func (w *walker) unknownHint(md protoreflect.MessageDescriptor, k *kid, at *place) string {
	hint := w.fates.of(md).v2[normal(k.key)]
	if hint == "" {
		hint = suggest(md, k.key, at)
	} else if name := at.src.lookup("name"); name != nil && holder(md) {
		if e := byName(md.FullName(), name.text); e != nil {
			hint += ": " + typePrefix + string(e.typeName())
		}
	}
	return hint
}

// refusedField refuses a field that Envoy has and nothing here rebuilds. A field that is set to
// what it would be anyway is let through: it asks for nothing.
func (w *walker) refusedField(m protoreflect.Message, fd protoreflect.FieldDescriptor, k *kid,
	at *place, f fate) error {
	if !fd.HasPresence() && fd.Message() == nil && !fd.IsList() {
		v, err := w.scalar(fd, &k.node, at)
		if err != nil {
			return err
		}
		if v.IsValid() && v.Equal(fd.Default()) {
			return nil
		}
	}
	if k.kind == list && len(k.kids) == 0 {
		return nil
	}
	hint := f.what
	if hint == "" {
		hint = "remove the field"
	}
	return w.unsupported(at.up, string(fd.Name()), w.doc.atKey(k), at.String(), hint)
}

// unsupported is our own sentence, in the form of Envoy's for unknown fields: Envoy has none,
// because it does support what we refuse here.
func (w *walker) unsupported(at *place, what string, pos Position, path, hint string) error {
	return &Error{
		Sentence: fmt.Sprintf("Protobuf message (type %s reason UNIMPLEMENTED:%s%s: "+
			"Not rebuilt by envoywalk.) has unsupported fields", bootstrapType, at.loc(), what),
		Pos: pos, Path: path, Hint: "Envoy has this, envoywalk does not: " + hint}
}
