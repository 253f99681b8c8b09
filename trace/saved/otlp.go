package saved

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// The part of OTLP's JSON that a span is made of.
type resourceSpans struct {
	Resource   struct{ Attributes otlpAttributes }
	ScopeSpans []struct {
		Scope struct{ Name, Version string }
		Spans []otlpSpan
	}
}

type otlpSpan struct {
	TraceID           string
	SpanID            string
	ParentSpanID      string
	TraceState        string
	Flags             uint32
	Name              string
	Kind              number
	StartTimeUnixNano number
	EndTimeUnixNano   number
	Attributes        otlpAttributes
	Events            []struct {
		TimeUnixNano number
		Name         string
		Attributes   otlpAttributes
	}
	Links []struct {
		TraceID, SpanID, TraceState string
		Flags                       uint32
		Attributes                  otlpAttributes
	}
	Status struct {
		Code    number
		Message string
	}
}

func (r *reader) addOTLP(all []resourceSpans) error {
	for _, of := range all {
		res := resource.NewSchemaless(of.Resource.Attributes.list()...)
		for _, in := range of.ScopeSpans {
			scope := instrumentation.Scope{Name: in.Scope.Name, Version: in.Scope.Version}
			for i := range in.Spans {
				s, err := in.Spans[i].stub()
				if err != nil {
					return fmt.Errorf("the span %q: %w", in.Spans[i].Name, err)
				}
				s.Resource, s.InstrumentationScope = res, scope
				r.spans = append(r.spans, s.Snapshot())
			}
		}
	}
	return nil
}

func (o *otlpSpan) stub() (s tracetest.SpanStub, err error) {
	s = tracetest.SpanStub{Name: o.Name, SpanKind: spanKind(o.Kind), StartTime: o.StartTimeUnixNano.time(),
		EndTime: o.EndTimeUnixNano.time(), Attributes: o.Attributes.list()}
	if s.SpanContext, err = spanContext(o.TraceID, o.SpanID, o.TraceState, o.Flags&1 != 0); err != nil {
		return s, err
	}
	if !isZero(o.ParentSpanID) {
		if s.Parent, err = spanContext(o.TraceID, o.ParentSpanID, "", o.Flags&1 != 0); err != nil {
			return s, err
		}
	}
	switch o.Status.Code {
	case 1:
		s.Status = sdk.Status{Code: codes.Ok}
	case 2:
		s.Status = sdk.Status{Code: codes.Error, Description: o.Status.Message}
	}
	for _, e := range o.Events {
		s.Events = append(s.Events, sdk.Event{Name: e.Name, Attributes: e.Attributes.list(), Time: e.TimeUnixNano.time()})
	}
	for _, l := range o.Links {
		c, err := spanContext(l.TraceID, l.SpanID, l.TraceState, l.Flags&1 != 0)
		if err != nil {
			return s, err
		}
		s.Links = append(s.Links, sdk.Link{SpanContext: c, Attributes: l.Attributes.list()})
	}
	return s, nil
}

// spanKind: OTLP has the kinds in the API's order, from Internal on.
func spanKind(n number) trace.SpanKind {
	if n < 1 || n > 5 {
		return trace.SpanKindInternal
	}
	return trace.SpanKind(n)
}

// number is an integer that stands in quotation marks, as proto3's JSON has 64 bits, or does not.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(text []byte) error {
	digits := strings.Trim(string(text), `"`)
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is no number", text)
	}
	*n = number(v)
	return nil
}

func (n number) time() time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n)).UTC()
}

// otlpAttributes is a list of attributes in OTLP's spelling.
type otlpAttributes []struct {
	Key   attribute.Key
	Value otlpValue
}

func (l otlpAttributes) list() []attribute.KeyValue {
	all := make([]attribute.KeyValue, len(l))
	for i := range l {
		all[i] = attribute.KeyValue{Key: l[i].Key, Value: l[i].Value.value()}
	}
	return all
}

// otlpValue is a oneof: at most one field is there.
type otlpValue struct {
	StringValue *string
	BoolValue   *bool
	IntValue    *number
	DoubleValue *double
	BytesValue  []byte
	ArrayValue  *struct{ Values []otlpValue }
	KvlistValue *struct{ Values otlpAttributes }
}

func (v *otlpValue) value() attribute.Value {
	switch {
	case v.StringValue != nil:
		return attribute.StringValue(*v.StringValue)
	case v.BoolValue != nil:
		return attribute.BoolValue(*v.BoolValue)
	case v.IntValue != nil:
		return attribute.Int64Value(int64(*v.IntValue))
	case v.DoubleValue != nil:
		return attribute.Float64Value(float64(*v.DoubleValue))
	case v.BytesValue != nil:
		return attribute.ByteSliceValue(v.BytesValue)
	case v.ArrayValue != nil:
		return sliceValue(v.ArrayValue.Values)
	case v.KvlistValue != nil:
		return attribute.MapValue(v.KvlistValue.Values.list()...)
	}
	return attribute.Value{}
}

// sliceValue: an array whose items have one type is a slice of that type, as it was before OTLP.
func sliceValue(items []otlpValue) attribute.Value {
	values := make([]attribute.Value, len(items))
	same := true
	for i := range items {
		values[i] = items[i].value()
		same = same && values[i].Type() == values[0].Type()
	}
	if !same || len(items) == 0 {
		return attribute.SliceValue(values...)
	}
	switch values[0].Type() {
	case attribute.INT64:
		return attribute.Int64SliceValue(each(values, attribute.Value.AsInt64))
	case attribute.STRING:
		return attribute.StringSliceValue(each(values, attribute.Value.AsString))
	case attribute.BOOL:
		return attribute.BoolSliceValue(each(values, attribute.Value.AsBool))
	case attribute.FLOAT64:
		return attribute.Float64SliceValue(each(values, attribute.Value.AsFloat64))
	}
	return attribute.SliceValue(values...)
}

func each[T any](values []attribute.Value, of func(attribute.Value) T) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = of(v)
	}
	return out
}

// double is a number, or the name of what JSON has no number for.
type double float64

// UnmarshalJSON implements json.Unmarshaler.
func (d *double) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*d = double(f)
	return err
}
