package push

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// sound is s without a byte that is no UTF-8: one of them makes protobuf refuse the whole batch.
func sound(s sdk.ReadOnlySpan) sdk.ReadOnlySpan {
	if utf8.ValidString(s.Name()) && utf8.ValidString(s.Status().Description) &&
		!slices.ContainsFunc(s.Attributes(), isBroken) && !slices.ContainsFunc(s.Links(), hasBroken) && len(s.Events()) == 0 {
		return s
	}
	stub := tracetest.SpanStubFromReadOnlySpan(s)
	stub.Name, stub.Status.Description = text(stub.Name), text(stub.Status.Description)
	stub.Attributes = mended(stub.Attributes)
	stub.Events, stub.Links = slices.Clone(stub.Events), slices.Clone(stub.Links)
	for i := range stub.Events {
		e := &stub.Events[i]
		e.Name, e.Attributes = text(e.Name), mended(e.Attributes)
	}
	for i := range stub.Links {
		stub.Links[i].Attributes = mended(stub.Links[i].Attributes)
	}
	return stub.Snapshot()
}

func hasBroken(l sdk.Link) bool { return slices.ContainsFunc(l.Attributes, isBroken) }

func isBroken(a attribute.KeyValue) bool {
	if !utf8.ValidString(string(a.Key)) {
		return true
	}
	switch a.Value.Type() {
	case attribute.STRING:
		return !utf8.ValidString(a.Value.AsString())
	case attribute.STRINGSLICE:
		return slices.ContainsFunc(a.Value.AsStringSlice(), func(s string) bool { return !utf8.ValidString(s) })
	}
	return false
}

func mended(attributes []attribute.KeyValue) []attribute.KeyValue {
	out := slices.Clone(attributes)
	for i, a := range out {
		if !isBroken(a) {
			continue
		}
		out[i].Key = attribute.Key(text(string(a.Key)))
		switch a.Value.Type() {
		case attribute.STRING:
			out[i].Value = attribute.StringValue(text(a.Value.AsString()))
		case attribute.STRINGSLICE:
			all := a.Value.AsStringSlice()
			for j := range all {
				all[j] = text(all[j])
			}
			out[i].Value = attribute.StringSliceValue(all)
		}
	}
	return out
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
