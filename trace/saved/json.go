package saved

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// entry is one object of the file: a span of the json sink, or OTLP's TracesData. Which of the two
// says which fields are there.
type entry struct {
	Name          string
	SpanContext   contextData
	Parent        contextData
	SpanKind      trace.SpanKind
	StartTime     time.Time
	EndTime       time.Time
	Attributes    attributeList
	Events        []eventData
	Links         []linkData
	Status        statusData
	Resource      json.RawMessage
	Scope         scopeData       `json:"InstrumentationScope"`
	ResourceSpans []resourceSpans `json:"resourceSpans"`
}

type contextData struct{ TraceID, SpanID, TraceFlags, TraceState string }

type eventData struct {
	Name       string
	Attributes attributeList
	Time       time.Time
}

type linkData struct {
	SpanContext contextData
	Attributes  attributeList
}

type statusData struct{ Code, Description string }

type scopeData struct{ Name, Version, SchemaURL string }

// reader makes spans of what it reads; a resource that many spans name is made once.
type reader struct {
	resources map[string]*resource.Resource
	spans     []sdk.ReadOnlySpan
}

// fromJSON reads objects until the end, one per line or spread over several.
func fromJSON(in io.Reader) (*Trace, error) {
	lines := &lineCounter{in: in}
	objects := json.NewDecoder(lines)
	r := reader{resources: map[string]*resource.Resource{}}
	for {
		at := objects.InputOffset()
		var e entry
		err := objects.Decode(&e)
		switch {
		case err == io.EOF:
			return &Trace{Spans: r.spans}, nil
		case errors.Is(err, io.ErrUnexpectedEOF) && len(r.spans) > 0:
			cut := fmt.Sprintf("line %d is cut off: the last span was not written to its end", lines.lineAfter(at))
			return &Trace{Spans: r.spans, Cut: cut}, nil
		}
		if err == nil {
			err = r.add(&e)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lines.lineAfter(at), plain(err))
		}
	}
}

// plain says what is wrong with an object in words that a reader of the file understands.
func plain(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return fmt.Errorf("the field %s holds a %s", wrong.Field, wrong.Value)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the object is cut off, and nothing stands before it")
	}
	return err
}

func (r *reader) add(e *entry) error {
	if e.ResourceSpans != nil {
		return r.addOTLP(e.ResourceSpans)
	}
	if e.SpanContext == (contextData{}) {
		return errors.New("neither a span of the json sink nor OTLP: " +
			"it has no SpanContext and no resourceSpans")
	}
	s := tracetest.SpanStub{Name: e.Name, SpanKind: e.SpanKind, StartTime: e.StartTime, EndTime: e.EndTime,
		Attributes: e.Attributes, Status: sdk.Status{Code: code(e.Status.Code), Description: e.Status.Description},
		InstrumentationScope: instrumentation.Scope{Name: e.Scope.Name, Version: e.Scope.Version,
			SchemaURL: e.Scope.SchemaURL}}
	var errs [3]error
	s.SpanContext, errs[0] = e.SpanContext.context()
	s.Parent, errs[1] = e.Parent.context()
	s.Resource, errs[2] = r.resource(e.Resource)
	for _, e := range e.Events {
		s.Events = append(s.Events, sdk.Event{Name: e.Name, Attributes: e.Attributes, Time: e.Time})
	}
	for _, l := range e.Links {
		c, err := l.SpanContext.context()
		errs[0] = errors.Join(errs[0], err)
		s.Links = append(s.Links, sdk.Link{SpanContext: c, Attributes: l.Attributes})
	}
	r.spans = append(r.spans, s.Snapshot())
	return errors.Join(errs[:]...)
}

func (c contextData) context() (trace.SpanContext, error) {
	return spanContext(c.TraceID, c.SpanID, c.TraceState, c.TraceFlags == "01")
}

// spanContext takes ids in hexadecimal. All zeros, or nothing, is no span.
func spanContext(traceID, spanID, state string, sampled bool) (trace.SpanContext, error) {
	var c trace.SpanContextConfig
	var err error
	if !isZero(traceID) {
		if c.TraceID, err = trace.TraceIDFromHex(traceID); err != nil {
			return trace.SpanContext{}, fmt.Errorf("the trace id %q: %w", traceID, err)
		}
	}
	if !isZero(spanID) {
		if c.SpanID, err = trace.SpanIDFromHex(spanID); err != nil {
			return trace.SpanContext{}, fmt.Errorf("the span id %q: %w", spanID, err)
		}
	}
	if sampled {
		c.TraceFlags = trace.FlagsSampled
	}
	c.TraceState, _ = trace.ParseTraceState(state) // it carries nothing that is shown
	return trace.NewSpanContext(c), nil
}

func isZero(id string) bool {
	for i := range len(id) {
		if id[i] != '0' {
			return false
		}
	}
	return true
}

func code(name string) codes.Code {
	switch name {
	case "Error":
		return codes.Error
	case "Ok":
		return codes.Ok
	}
	return codes.Unset
}

func (r *reader) resource(raw json.RawMessage) (*resource.Resource, error) {
	if known := r.resources[string(raw)]; known != nil || len(raw) == 0 {
		return known, nil
	}
	var attributes attributeList
	if err := json.Unmarshal(raw, &attributes); err != nil {
		return nil, fmt.Errorf("the resource: %w", plain(err))
	}
	made := resource.NewSchemaless(attributes...)
	r.resources[string(raw)] = made
	return made, nil
}

// lineCounter remembers where the lines of what passes through it begin.
type lineCounter struct {
	in     io.Reader
	read   int64 // bytes
	line   int   // the line of the next byte, from 0
	begun  bool  // it has a byte that is no space
	begins []lineStart
}

// lineStart is where a line that is not empty has its first byte.
type lineStart struct {
	at   int64
	line int
}

// Read implements io.Reader.
func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		switch {
		case b == '\n':
			c.line, c.begun = c.line+1, false
		case !c.begun && b > ' ':
			c.begun = true
			c.begins = append(c.begins, lineStart{c.read + int64(i), c.line + 1})
		}
	}
	c.read += int64(n)
	return n, err
}

// lineAfter is the number of the first line that begins at an offset or after it.
func (c *lineCounter) lineAfter(offset int64) int {
	i := sort.Search(len(c.begins), func(i int) bool { return c.begins[i].at >= offset })
	if i == len(c.begins) {
		return c.line + 1
	}
	return c.begins[i].line
}
