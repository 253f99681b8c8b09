package otlp

import (
	"encoding/base64"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// OTLP's flags: the low byte is W3C's; two more say whether the parent came from another process.
const (
	flagRemoteKnown = 0x100
	flagRemote      = 0x200
)

func convert(s sdk.ReadOnlySpan) span {
	c, p := s.SpanContext(), s.Parent()
	o := span{
		TraceID: c.TraceID().String(), SpanID: c.SpanID().String(),
		TraceState: text(c.TraceState().String()), Flags: flags(c, p.IsRemote()),
		Name: text(s.Name()), Kind: kind(s.SpanKind()),
		Start: nano(s.StartTime()), End: nano(s.EndTime()),
		Attributes: attributes(s.Attributes()), DroppedAttributes: s.DroppedAttributes(),
		DroppedEvents: s.DroppedEvents(), DroppedLinks: s.DroppedLinks(),
		Status: status{text(s.Status().Description), statusCode(s.Status().Code)},
	}
	if p.SpanID().IsValid() {
		o.ParentSpanID = p.SpanID().String()
	}
	for _, e := range s.Events() {
		o.Events = append(o.Events, event{nano(e.Time), text(e.Name),
			attributes(e.Attributes), e.DroppedAttributeCount})
	}
	for _, l := range s.Links() {
		c := l.SpanContext
		o.Links = append(o.Links, link{c.TraceID().String(), c.SpanID().String(),
			text(c.TraceState().String()), attributes(l.Attributes), l.DroppedAttributeCount,
			flags(c, c.IsRemote())})
	}
	return o
}

func flags(c trace.SpanContext, remote bool) uint32 {
	f := uint32(c.TraceFlags()) | flagRemoteKnown
	if remote {
		f |= flagRemote
	}
	return f
}

// nano: a time that was never set is 0, not a negative number in an unsigned field.
func nano(t time.Time) uint64 {
	if t.IsZero() || t.UnixNano() < 0 {
		return 0
	}
	return uint64(t.UnixNano())
}

// kind: OTLP has the kinds in the API's order.
func kind(k trace.SpanKind) int {
	switch k {
	case trace.SpanKindServer:
		return 2
	case trace.SpanKindClient:
		return 3
	case trace.SpanKindProducer:
		return 4
	case trace.SpanKindConsumer:
		return 5
	}
	return 1
}

// statusCode: the API numbers Error 1 and Ok 2, OTLP the other way round.
func statusCode(c codes.Code) int {
	switch c {
	case codes.Ok:
		return 1
	case codes.Error:
		return 2
	}
	return 0
}

type keyValue struct {
	Key   string   `json:"key"`
	Value anyValue `json:"value"`
}

// anyValue is a oneof: exactly one field is set, or none for an empty value.
type anyValue struct {
	String *string    `json:"stringValue,omitempty"`
	Bool   *bool      `json:"boolValue,omitempty"`
	Int    *int64     `json:"intValue,omitempty,string"`
	Double any        `json:"doubleValue,omitempty"`
	Array  *arrayData `json:"arrayValue,omitempty"`
	Map    *mapData   `json:"kvlistValue,omitempty"`
	Bytes  *string    `json:"bytesValue,omitempty"`
}

type arrayData struct {
	Values []anyValue `json:"values"`
}

type mapData struct {
	Values []keyValue `json:"values"`
}

func attributes(kvs []attribute.KeyValue) []keyValue {
	out := make([]keyValue, 0, len(kvs))
	for _, kv := range kvs {
		out = append(out, keyValue{text(string(kv.Key)), value(kv.Value)})
	}
	return out
}

func value(v attribute.Value) (a anyValue) {
	switch v.Type() {
	case attribute.STRING:
		s := text(v.AsString())
		a.String = &s
	case attribute.BOOL:
		b := v.AsBool()
		a.Bool = &b
	case attribute.INT64:
		n := v.AsInt64()
		a.Int = &n
	case attribute.FLOAT64:
		a.Double = double(v.AsFloat64())
	case attribute.BYTESLICE:
		s := base64.StdEncoding.EncodeToString(v.AsByteSlice())
		a.Bytes = &s
	case attribute.MAP:
		a.Map = &mapData{attributes(v.AsMap())}
	default:
		a.Array = array(v)
	}
	return a
}

func array(v attribute.Value) *arrayData {
	switch v.Type() {
	case attribute.BOOLSLICE:
		return list(v.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		return list(v.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		return list(v.AsFloat64Slice(), attribute.Float64Value)
	case attribute.STRINGSLICE:
		return list(v.AsStringSlice(), attribute.StringValue)
	case attribute.SLICE:
		return list(v.AsSlice(), func(v attribute.Value) attribute.Value { return v })
	}
	return nil
}

func list[T any](items []T, wrap func(T) attribute.Value) *arrayData {
	values := make([]anyValue, len(items))
	for i := range items {
		values[i] = value(wrap(items[i]))
	}
	return &arrayData{values}
}

// double spells what JSON has no number for as proto3's mapping does.
func double(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return f
}

// text makes s what protobuf calls a string. One byte that is not UTF-8 makes a strict reader
// refuse the whole batch.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
