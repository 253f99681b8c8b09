package saved_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"envoywalk/trace/saved"
)

// line is a span of the json sink with one attribute.
func line(id int, attributes string) string {
	return fmt.Sprintf(`{"Name":"span %d","SpanContext":{"TraceID":"8da46d9b687ee8af00000000c0000001",`+
		`"SpanID":"%016x","TraceFlags":"01"},"Parent":{"TraceID":"00000000000000000000000000000000",`+
		`"SpanID":"0000000000000000"},"SpanKind":1,"StartTime":"2026-11-22T21:44:55.5Z",`+
		`"EndTime":"2026-11-22T21:44:55.5Z","Attributes":[%s],"Status":{"Code":"Unset"},"Resource":`+
		`[{"Key":"service.name","Value":{"Type":"STRING","Value":"walk"}}]}`+"\n", id, id, attributes)
}

func seq(n int) string {
	return fmt.Sprintf(`{"Key":"seq.start","Value":{"Type":"INT64","Value":%d}}`, n)
}

func names(spans []sdk.ReadOnlySpan) string {
	var all []string
	for _, s := range spans {
		all = append(all, s.Name())
	}
	return strings.Join(all, ", ")
}

func TestSpansStandInTheOrderOfTheRun(t *testing.T) {
	got, err := saved.Read(strings.NewReader("\ufeff" + line(2, seq(20)) + "\n\n" + line(1, seq(3)) + line(3, seq(21))))
	if err != nil || names(got.Spans) != "span 1, span 2, span 3" || got.Service != "walk" || got.Cut != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestALastLineThatIsCutOffIsLeftOutAndTold(t *testing.T) {
	text := line(1, seq(1)) + line(2, seq(2))
	got, err := saved.Read(strings.NewReader(text[:len(text)-40]))
	if err != nil || len(got.Spans) != 1 || !strings.Contains(got.Cut, "line 2 is cut off") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDamageIsToldWithItsLine(t *testing.T) {
	good := line(1, seq(1))
	for want, text := range map[string]string{
		"line 1: this is no saved trace":    "m 0 1 seq\n",
		"line 2: invalid character 'b'":     good + "{bad}\n" + good,
		"line 4: invalid character":         good + "\n\n}\n",
		"line 2: neither a span":            good + `{"level":"info"}` + "\n",
		`line 1: the span id "xyz"`:         strings.Replace(good, "0000000000000001", "xyz", 1),
		`line 1: the trace id "8"`:          strings.Replace(good, "8da46d9b687ee8af00000000c0000001", "8", 1),
		"line 1: the field Name holds a":    strings.Replace(good, `"span 1"`, `17`, 1),
		"line 1: the attribute seq.start h": strings.Replace(good, `"Value":1`, `"Value":"one"`, 1),
		"line 1: the object is cut off":     good[:100],
		"line 1: the resource: the attr":    strings.Replace(good, `"Value":"walk"`, `"Value":3`, 1),
		"line 1: the span \"x\": the trace": `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x","traceId":"z"}]}]}]}`,
		"this is no page of envoywalk":      "<!doctype html>\n",
		"there is no span":                  "",
		"there is no span in it":            `{"resourceSpans":[]}`,
	} {
		got, err := saved.Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %+v, %v", want, got, err)
		}
	}
	if _, err := saved.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "empty")
	os.WriteFile(file, nil, 0o600)
	if _, err := saved.Open(file); !errors.Is(err, saved.ErrNoSpans) || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
}

// The collector's file exporter writes many spans a line, numbers in quotation marks or not, and kinds of
// values that no span of ours has.
func TestAnyCollectorsFileIsRead(t *testing.T) {
	got, err := saved.Read(strings.NewReader(`{
 "resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
  "scopeSpans": [{"scope": {"name": "lib", "version": "2"}, "spans": [
   {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "inner", "kind": 3,
    "parentSpanId": "eee19b7ec3c1b173", "startTimeUnixNano": "1544712660500000000", "endTimeUnixNano": 1544712660700000000,
    "status": {"code": 2, "message": "gone"}, "attributes": [
     {"key": "n", "value": {"intValue": 7}}, {"key": "d", "value": {"doubleValue": "NaN"}},
     {"key": "b", "value": {"bytesValue": "/w=="}}, {"key": "f", "value": {"boolValue": false}},
     {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}},
     {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}]}}},
     {"key": "none", "value": {}}]},
   {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b173", "name": "outer", "kind": 2,
    "parentSpanId": "", "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
    "events": [{"timeUnixNano": "1544712660000000001", "name": "e"}],
    "links": [{"traceId": "5b8efff798038103d269b633813fc60d", "spanId": "0000000000000001"}]}
  ]}]}]}`))
	if err != nil || names(got.Spans) != "outer, inner" || got.Service != "shop" {
		t.Fatalf("%+v, %v", got, err)
	}
	outer, inner := got.Spans[0], got.Spans[1]
	if inner.Parent().SpanID() != outer.SpanContext().SpanID() || outer.Parent().IsValid() ||
		inner.Status().Description != "gone" || len(outer.Links()) != 1 || outer.Events()[0].Name != "e" ||
		inner.SpanKind() != trace.SpanKindClient || inner.EndTime().UnixNano() != 1544712660700000000 {
		t.Errorf("%+v", inner)
	}
	want := `seq.start=2 n=7 d=NaN b=/w== f=false l=["a","b"] m={"k":1} none= walk.kind=function thread.name=shop seq.end=3`
	var has []string
	for _, a := range inner.Attributes() {
		has = append(has, string(a.Key)+"="+a.Value.Emit())
	}
	if text := strings.Join(has, " "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestTwoRunsInOneFileFollowEachOther(t *testing.T) {
	other := strings.ReplaceAll(line(3, seq(1))+line(4, seq(2)), "8da46d9b687ee8af", "1111111111111111")
	text := strings.ReplaceAll(other, ":55.5Z", ":56.5Z") + line(1, seq(1)) + line(2, seq(2)) + line(1, seq(1))
	got, err := saved.Read(strings.NewReader(text))
	if err != nil || names(got.Spans) != "span 1, span 2, span 3, span 4" {
		t.Errorf("%v, %v", names(got.Spans), err)
	}
}
