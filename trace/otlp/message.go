package otlp

import (
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
)

// The messages of trace.proto, resource.proto and common.proto in proto3's JSON mapping: names in
// camelCase, 64-bit integers as strings; but, as OTLP demands, ids in hexadecimal and enums as
// numbers.
type tracesData struct {
	ResourceSpans []*resourceSpans `json:"resourceSpans"`
}

type resourceSpans struct {
	Resource   resourceData  `json:"resource"`
	ScopeSpans []*scopeSpans `json:"scopeSpans"`
	SchemaURL  string        `json:"schemaUrl,omitempty"`

	of *resource.Resource
}

type resourceData struct {
	Attributes []keyValue `json:"attributes,omitempty"`
}

type scopeSpans struct {
	Scope     scopeData `json:"scope"`
	Spans     []span    `json:"spans"`
	SchemaURL string    `json:"schemaUrl,omitempty"`

	of instrumentation.Scope
}

type scopeData struct {
	Name       string     `json:"name,omitempty"`
	Version    string     `json:"version,omitempty"`
	Attributes []keyValue `json:"attributes,omitempty"`
}

type span struct {
	TraceID           string     `json:"traceId"`
	SpanID            string     `json:"spanId"`
	TraceState        string     `json:"traceState,omitempty"`
	ParentSpanID      string     `json:"parentSpanId,omitempty"`
	Flags             uint32     `json:"flags,omitempty"`
	Name              string     `json:"name"`
	Kind              int        `json:"kind"`
	Start             uint64     `json:"startTimeUnixNano,string"`
	End               uint64     `json:"endTimeUnixNano,string"`
	Attributes        []keyValue `json:"attributes,omitempty"`
	DroppedAttributes int        `json:"droppedAttributesCount,omitempty"`
	Events            []event    `json:"events,omitempty"`
	DroppedEvents     int        `json:"droppedEventsCount,omitempty"`
	Links             []link     `json:"links,omitempty"`
	DroppedLinks      int        `json:"droppedLinksCount,omitempty"`
	Status            status     `json:"status"`
}

type event struct {
	Time              uint64     `json:"timeUnixNano,string"`
	Name              string     `json:"name"`
	Attributes        []keyValue `json:"attributes,omitempty"`
	DroppedAttributes int        `json:"droppedAttributesCount,omitempty"`
}

type link struct {
	TraceID           string     `json:"traceId"`
	SpanID            string     `json:"spanId"`
	TraceState        string     `json:"traceState,omitempty"`
	Attributes        []keyValue `json:"attributes,omitempty"`
	DroppedAttributes int        `json:"droppedAttributesCount,omitempty"`
	Flags             uint32     `json:"flags,omitempty"`
}

type status struct {
	Message string `json:"message,omitempty"`
	Code    int    `json:"code,omitempty"`
}

func (d *tracesData) resource(of *resource.Resource) *resourceSpans {
	for _, r := range d.ResourceSpans {
		if r.of.Equivalent() == of.Equivalent() {
			return r
		}
	}
	r := &resourceSpans{of: of, SchemaURL: text(of.SchemaURL())}
	r.Resource.Attributes = attributes(of.Attributes())
	d.ResourceSpans = append(d.ResourceSpans, r)
	return r
}

func (r *resourceSpans) scope(of instrumentation.Scope) *scopeSpans {
	for _, s := range r.ScopeSpans {
		if s.of.Name == of.Name && s.of.Version == of.Version && s.of.SchemaURL == of.SchemaURL &&
			s.of.Attributes.Equals(&of.Attributes) {
			return s
		}
	}
	s := &scopeSpans{of: of, SchemaURL: text(of.SchemaURL)}
	s.Scope = scopeData{text(of.Name), text(of.Version), attributes(of.Attributes.ToSlice())}
	r.ScopeSpans = append(r.ScopeSpans, s)
	return s
}
