package config

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// scalar reads one value for a field that is no message. An invalid Value means "unset" (null).
// It takes what protobuf's C++ parser takes: numbers as strings, enum names in any case, base64
// in both alphabets.
func (w *walker) scalar(fd protoreflect.FieldDescriptor, n *node,
	at *place) (protoreflect.Value, error) {
	var none protoreflect.Value
	typ := "TYPE_" + strings.ToUpper(fd.Kind().String())
	switch n.kind {
	case object:
		return none, w.refuse(at.up, n, w.doc.at(n), at.up.loc()+string(fd.Name())+
			": Starting an object on a scalar field.", expects(fd))
	case list:
		return none, w.refuse(at.up, n, w.doc.at(n), at.up.loc()+string(fd.Name())+
			": Proto field is not repeating, cannot start list.", expects(fd))
	case null:
		return none, nil
	}
	if fd.Enum() != nil {
		return w.enum(fd, n, at)
	}
	v, ok := parseScalar(fd.Kind(), n)
	if !ok {
		return none, w.invalid(at, n, typ, scalarHint(fd, n))
	}
	return v, nil
}

func parseScalar(k protoreflect.Kind, n *node) (v protoreflect.Value, ok bool) {
	switch k {
	case protoreflect.BoolKind:
		b := n.text == "true"
		ok = n.kind != number && (b || n.text == "false")
		return protoreflect.ValueOfBool(b), ok
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(n.text), n.kind == text
	case protoreflect.BytesKind:
		b, err := decodeBase64(n.text)
		return protoreflect.ValueOfBytes(b), err == nil && n.kind == text
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return parseFloat(k, n)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		u, ok := parseUint(n, 32)
		return protoreflect.ValueOfUint32(uint32(u)), ok
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		u, ok := parseUint(n, 64)
		return protoreflect.ValueOfUint64(u), ok
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		i, ok := parseInt(n, 32)
		return protoreflect.ValueOfInt32(int32(i)), ok
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		i, ok := parseInt(n, 64)
		return protoreflect.ValueOfInt64(i), ok
	}
	return v, false
}

func parseFloat(k protoreflect.Kind, n *node) (protoreflect.Value, bool) {
	bits := 64
	if k == protoreflect.FloatKind {
		bits = 32
	}
	f, err := strconv.ParseFloat(n.text, bits)
	ok := err == nil && n.kind != boolean && !strings.ContainsAny(n.text, "_xX")
	if bits == 32 {
		return protoreflect.ValueOfFloat32(float32(f)), ok
	}
	return protoreflect.ValueOfFloat64(f), ok
}

func parseUint(n *node, bits int) (uint64, bool) {
	if n.kind == boolean {
		return 0, false
	}
	u, err := strconv.ParseUint(n.text, 10, bits)
	if err == nil || n.kind != number {
		return u, err == nil
	}
	f, whole := wholeFloat(n.text)
	return uint64(f), whole && f >= 0 && f < math.Ldexp(1, bits)
}

func parseInt(n *node, bits int) (int64, bool) {
	if n.kind == boolean {
		return 0, false
	}
	i, err := strconv.ParseInt(n.text, 10, bits)
	if err == nil || n.kind != number {
		return i, err == nil
	}
	f, whole := wholeFloat(n.text)
	return int64(f), whole && f >= -math.Ldexp(1, bits-1) && f < math.Ldexp(1, bits-1)
}

// wholeFloat reads JSON's 80.0 and 8e1: numbers without a fraction.
func wholeFloat(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && f == math.Trunc(f)
}

func decodeBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	return base64.RawStdEncoding.DecodeString(s)
}

// enum takes the value's name in any case, with - for _, or its number.
func (w *walker) enum(fd protoreflect.FieldDescriptor, n *node,
	at *place) (protoreflect.Value, error) {
	values := fd.Enum().Values()
	var ev protoreflect.EnumValueDescriptor
	if i, ok := parseInt(n, 32); ok {
		ev = values.ByNumber(protoreflect.EnumNumber(i))
	} else {
		name := strings.ToUpper(strings.ReplaceAll(n.text, "-", "_"))
		ev = values.ByName(protoreflect.Name(name))
	}
	var none protoreflect.Value
	if ev == nil || n.kind == boolean {
		var names []string
		for i := range values.Len() {
			names = append(names, string(values.Get(i).Name()))
		}
		hint := "one of " + strings.Join(names, ", ")
		if best := Nearest(n.text, names); best != "" {
			hint = fmt.Sprintf("did you mean %q?", best)
		}
		return none, w.invalid(at, n, "TYPE_ENUM", hint)
	}
	if f := w.fates.value(ev); f.chapter == 0 {
		return none, w.refusedValue(ev, n, at, f)
	} else if f.chapter > w.opts.Chapter {
		w.laterValue(ev, n, at, f)
	}
	return protoreflect.ValueOfEnum(ev.Number()), nil
}

// laterValue notes an enum value of a later chapter, unless its field is noted already.
func (w *walker) laterValue(ev protoreflect.EnumValueDescriptor, n *node, at *place, f fate) {
	path := at.path(w.base)
	for _, l := range w.later[max(0, len(w.later)-1):] {
		if path == l.Path || strings.HasPrefix(path, l.Path+".") ||
			strings.HasPrefix(path, l.Path+"[") {
			return
		}
	}
	w.later = append(w.later, Field{string(ev.FullName()), path, w.doc.at(n), f.chapter, f.what})
}

// refusedValue refuses an enum value that nothing here rebuilds.
func (w *walker) refusedValue(ev protoreflect.EnumValueDescriptor, n *node, at *place,
	f fate) error {
	if ev.FullName().Parent() == "envoy.config.core.v3.SocketAddress" {
		return refuseUDP(w.doc.at(n), at)
	}
	hint := f.what
	if hint == "" {
		hint = "choose another value of " + string(ev.Parent().Name())
	}
	return w.unsupported(at.up, at.field+" "+string(ev.Name()), w.doc.at(n), at.String(), hint)
}

// expects says what a scalar field wants, for hints.
func expects(fd protoreflect.FieldDescriptor) string {
	what := "a whole number"
	switch fd.Kind() {
	case protoreflect.StringKind:
		what = "a text"
	case protoreflect.BytesKind:
		what = "bytes in base64"
	case protoreflect.BoolKind:
		what = "true or false"
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		what = "a number"
	case protoreflect.EnumKind:
		what = "one name"
	}
	return fmt.Sprintf("%s is %s", fd.Name(), what)
}

func scalarHint(fd protoreflect.FieldDescriptor, n *node) string {
	if fd.Kind() == protoreflect.StringKind {
		return "put it in quotes: unquoted, YAML reads a " + kindName(n.kind)
	}
	return expects(fd)
}

func kindName(k kind) string {
	return [...]string{"null", "boolean", "number", "string", "list", "map"}[k]
}
