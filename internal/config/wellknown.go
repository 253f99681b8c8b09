package config

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// wellKnown fills the messages of google.protobuf that have a JSON form of their own. done is
// false for every other message, and for the plain map form, which Envoy's parser takes too.
func (w *walker) wellKnown(m protoreflect.Message, n *node, at *place) (done bool, err error) {
	name := m.Descriptor().FullName()
	if name.Parent() != "google.protobuf" {
		return false, nil
	}
	switch out := m.Interface().(type) {
	case *durationpb.Duration:
		if n.kind == object {
			return true, w.plain(m, n, at)
		}
		return true, w.duration(out, n, at)
	case *structpb.Struct:
		if n.kind != object {
			return true, w.invalid(at, n, "TYPE_MESSAGE", "this is a map: write key: value")
		}
		proto.Merge(out, structOf(n))
		return true, nil
	case *structpb.Value:
		proto.Merge(out, valueOf(n))
		return true, nil
	case *structpb.ListValue:
		if n.kind != list {
			return true, w.invalid(at, n, "TYPE_MESSAGE", "this is a list")
		}
		proto.Merge(out, valueOf(n).GetListValue())
		return true, nil
	}
	if !strings.HasSuffix(string(name), "Value") {
		return false, nil
	}
	if n.kind == object {
		return true, w.plain(m, n, at) // {value: 5}
	}
	return true, w.wrapper(m, n, at)
}

// wrapper fills BoolValue, UInt32Value and their like from the bare value.
func (w *walker) wrapper(m protoreflect.Message, n *node, at *place) error {
	fd := m.Descriptor().Fields().ByName("value")
	v, err := w.scalar(fd, n, at)
	if err == nil && v.IsValid() {
		m.Set(fd, v)
	}
	return err
}

// plain fills a well-known message from its fields: {seconds: 1}, {value: true}.
func (w *walker) plain(m protoreflect.Message, n *node, at *place) error {
	at.md = m.Descriptor()
	for i := range n.kids {
		k := &n.kids[i]
		fd := fieldOf(at.md, k.key)
		if fd == nil {
			if err := w.unknownField(at.md, k, at); err != nil {
				return err
			}
			continue
		}
		v, err := w.scalar(fd, &k.node, at.child(k.key, -1, &k.node))
		if err != nil {
			return err
		}
		if v.IsValid() {
			m.Set(fd, v)
		}
	}
	return nil
}

const maxSeconds = 315_576_000_000 // the range of google.protobuf.Duration

// duration reads "0.25s": whole seconds, up to nine digits after the point, then s.
func (w *walker) duration(out *durationpb.Duration, n *node, at *place) error {
	why := "Invalid data type for duration, value is " + n.json(40)
	if n.kind == text {
		var d *durationpb.Duration
		if d, why = parseDuration(n.text); d != nil {
			proto.Merge(out, d)
			return nil
		}
	}
	return w.unparsable(at, "invalid value Field '"+at.field+"', "+why+
		" for type type.googleapis.com/google.protobuf.Duration", n, durationHint(n))
}

func durationHint(n *node) string {
	unit := strings.TrimLeft(n.text, "0123456789.")
	value := n.text[:len(n.text)-len(unit)]
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || len(value) > 12 {
		return "a duration is a number of seconds, then s: 0.25s"
	}
	scale, known := map[string]float64{"": 1, "ms": 1e-3, "us": 1e-6, "m": 60, "h": 3600}[unit]
	if !known {
		return "a duration is a number of seconds, then s: 0.25s"
	}
	return "did you mean " + strconv.FormatFloat(f*scale, 'f', -1, 64) + "s?"
}

// parseDuration returns nil and the parser's reason if s is no duration.
func parseDuration(s string) (*durationpb.Duration, string) {
	digits, ok := strings.CutSuffix(s, "s")
	if !ok {
		return nil, "Illegal duration format; duration must end with 's'"
	}
	digits, negative := strings.CutPrefix(digits, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	sec, err := strconv.ParseUint(whole, 10, 63)
	if err != nil {
		return nil, "Invalid duration format, failed to parse seconds"
	}
	nanos, err := strconv.ParseUint((fraction + "000000000")[:max(9, len(fraction))], 10, 30)
	if err != nil || len(fraction) > 9 || point && fraction == "" {
		return nil, "Invalid duration format, failed to parse nano seconds"
	}
	if sec > maxSeconds {
		return nil, "Duration value exceeds limits"
	}
	d := &durationpb.Duration{Seconds: int64(sec), Nanos: int32(nanos)}
	if negative {
		d.Seconds, d.Nanos = -d.Seconds, -d.Nanos
	}
	return d, ""
}

// valueOf keeps a free-form value. As in Envoy, YAML's numbers with a point arrive as strings.
func valueOf(n *node) *structpb.Value {
	switch n.kind {
	case boolean:
		return structpb.NewBoolValue(n.text == "true")
	case number:
		f, err := strconv.ParseFloat(n.text, 64)
		if err != nil {
			return structpb.NewStringValue(n.text) // out of range: nothing else keeps it
		}
		return structpb.NewNumberValue(f)
	case text:
		return structpb.NewStringValue(n.text)
	case list:
		l := &structpb.ListValue{}
		for i := range n.kids {
			l.Values = append(l.Values, valueOf(&n.kids[i].node))
		}
		return structpb.NewListValue(l)
	case object:
		return structpb.NewStructValue(structOf(n))
	}
	return structpb.NewNullValue()
}

func structOf(n *node) *structpb.Struct {
	s := &structpb.Struct{Fields: make(map[string]*structpb.Value, len(n.kids))}
	for i := range n.kids {
		s.Fields[n.kids[i].key] = valueOf(&n.kids[i].node)
	}
	return s
}
