package otlp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/trace/otlp"
)

// object is a JSON object as any reader sees it.
type object = map[string]any

var moment = time.Unix(1_700_000_000, 123_456_789)

func spanContext(trc, span byte) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{0: 0xab, 15: trc},
		SpanID: trace.SpanID{0: 0xcd, 7: span}, TraceFlags: trace.FlagsSampled})
}

func sample() tracetest.SpanStub {
	return tracetest.SpanStub{
		Name: "post worker_0", SpanContext: spanContext(1, 2), Parent: spanContext(1, 1),
		SpanKind: trace.SpanKindProducer, StartTime: moment, EndTime: moment.Add(5),
		Attributes: []attribute.KeyValue{
			attribute.String("fd.label", "12<echo> & C1"),
			attribute.Int64("id", math.MaxInt64), attribute.Bool("no", false),
			attribute.Float64("half", 0.5), attribute.Float64("nan", math.NaN()),
			attribute.IntSlice("figures", []int{7, 0}), attribute.StringSlice("none", nil),
		},
		Events:   []sdk.Event{{Name: "e", Time: moment}},
		Links:    []sdk.Link{{SpanContext: spanContext(3, 4)}},
		Status:   sdk.Status{Code: codes.Error, Description: "ECONNRESET"},
		Resource: resource.NewSchemaless(attribute.String("service.name", "envoywalk")),
	}
}

// export writes the stubs as one batch and reads the line back.
func export(t *testing.T, stubs ...tracetest.SpanStub) (line string, spans []object) {
	t.Helper()
	var out bytes.Buffer
	e := otlp.New(&out)
	if err := e.ExportSpans(t.Context(), tracetest.SpanStubs(stubs).Snapshots()); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 || !utf8.Valid(out.Bytes()) {
		t.Fatalf("not one line of UTF-8: %q", out.String())
	}
	var data object
	if err := json.Unmarshal(out.Bytes(), &data); err != nil {
		t.Fatal(err)
	}
	for _, r := range data["resourceSpans"].([]any) {
		for _, s := range r.(object)["scopeSpans"].([]any) {
			for _, one := range s.(object)["spans"].([]any) {
				spans = append(spans, one.(object))
			}
		}
	}
	return out.String(), spans
}

func TestASpanComesBackAsItWas(t *testing.T) {
	_, spans := export(t, sample())
	want := object{
		"traceId": "ab000000000000000000000000000001", "spanId": "cd00000000000002",
		"parentSpanId": "cd00000000000001", "flags": 257.0, "name": "post worker_0", "kind": 4.0,
		"startTimeUnixNano": "1700000000123456789", "endTimeUnixNano": "1700000000123456794",
		"attributes": []any{
			kv("fd.label", "stringValue", "12<echo> & C1"),
			kv("id", "intValue", "9223372036854775807"), kv("no", "boolValue", false),
			kv("half", "doubleValue", 0.5), kv("nan", "doubleValue", "NaN"),
			kv("figures", "arrayValue", object{"values": []any{
				object{"intValue": "7"}, object{"intValue": "0"}}}),
			kv("none", "arrayValue", object{"values": []any{}}),
		},
		"events": []any{object{"timeUnixNano": "1700000000123456789", "name": "e"}},
		"links": []any{object{"traceId": "ab000000000000000000000000000003",
			"spanId": "cd00000000000004", "flags": 257.0}},
		"status": object{"code": 2.0, "message": "ECONNRESET"},
	}
	if !reflect.DeepEqual(spans[0], want) {
		t.Errorf("got\n%v\nwant\n%v", spans[0], want)
	}
}

func kv(key, kind string, v any) object {
	return object{"key": key, "value": object{kind: v}}
}

func TestSpansOfOneResourceAndScopeStandTogether(t *testing.T) {
	a, b := sample(), sample()
	b.Resource = resource.NewSchemaless(attribute.String("service.name", "other"))
	line, spans := export(t, a, b, a)
	if len(spans) != 3 || strings.Count(line, `"resource":`) != 2 {
		t.Errorf("%d spans in %s", len(spans), line)
	}
}

func TestRootsHaveNoParentAndLessThanSignsStayReadable(t *testing.T) {
	s := sample()
	s.Parent, s.Status = trace.SpanContext{}, sdk.Status{Code: codes.Ok}
	line, spans := export(t, s)
	if _, ok := spans[0]["parentSpanId"]; ok || !strings.Contains(line, "12<echo> & C1") {
		t.Error(line)
	}
	if got := spans[0]["status"].(object)["code"]; got != 1.0 {
		t.Errorf("Ok is %v", got)
	}
}

func FuzzNoStringSpoilsALine(f *testing.F) {
	f.Add("a\xff\xfe\x00\u2028\n\"\\\x1b\xed\xa0\x80", "key\xc0")
	f.Add(strings.Repeat("\x80", 300), "")
	f.Fuzz(func(t *testing.T, text, key string) {
		s := sample()
		s.Name, s.Status.Description = text, text
		s.Attributes = []attribute.KeyValue{attribute.String(key, text),
			attribute.StringSlice(key, []string{text, "sound"})}
		s.Events[0].Name = text
		s.InstrumentationScope.Name = text
		_, spans := export(t, s, sample())
		want := strings.ToValidUTF8(text, "\uFFFD")
		if got := spans[0]["name"]; got != want {
			t.Errorf("%q came back as %q", want, got)
		}
		if len(spans) != 2 || spans[1]["name"] != "post worker_0" {
			t.Error("its neighbour suffered")
		}
	})
}

func TestEveryKindOfValueHasItsField(t *testing.T) {
	s := sample()
	values := []attribute.Value{
		attribute.BoolSliceValue([]bool{true}), attribute.Float64SliceValue([]float64{1}),
		attribute.StringValue(""), attribute.Int64Value(0), attribute.Float64Value(math.Inf(-1)),
		attribute.ByteSliceValue([]byte{0xff}), attribute.MapValue(attribute.Int("a", 1)),
		attribute.SliceValue(attribute.BoolValue(true)), {},
	}
	want := "[map[arrayValue:map[values:[map[boolValue:true]]]] " +
		"map[arrayValue:map[values:[map[doubleValue:1]]]] map[stringValue:] map[intValue:0] " +
		"map[doubleValue:-Infinity] map[bytesValue:/w==] " +
		"map[kvlistValue:map[values:[map[key:a value:map[intValue:1]]]]] " +
		"map[arrayValue:map[values:[map[boolValue:true]]]] map[]]"
	s.Attributes = nil
	for i, v := range values {
		s.Attributes = append(s.Attributes, attribute.KeyValue{
			Key: attribute.Key(strconv.Itoa(i)), Value: v})
	}
	_, spans := export(t, s)
	var got []any
	for _, a := range spans[0]["attributes"].([]any) {
		got = append(got, a.(object)["value"])
	}
	if text := fmt.Sprint(got); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

type broken struct{}

var errFull = errors.New("no space left on device")

func (broken) Write([]byte) (int, error) { return 0, errFull }

func TestTheWritersErrorComesBack(t *testing.T) {
	e := otlp.New(broken{})
	spans := tracetest.SpanStubs{sample()}.Snapshots()
	if err := e.ExportSpans(t.Context(), spans); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := e.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := e.ExportSpans(t.Context(), spans); err != nil {
		t.Errorf("after Shutdown: %v", err)
	}
}
