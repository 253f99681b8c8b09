package page

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
	"envoywalk/trace/moment"
)

// ErrNoPage: what was read is no page of ours.
var ErrNoPage = errors.New("this is no page of envoywalk")

// IsPage reports whether a file that begins so may be a page.
func IsPage(begin []byte) bool {
	return strings.HasPrefix(strings.ToLower(string(begin[:min(len(begin), 15)])), "<!doctype html")
}

// ErrNothingLeft: it is a page of ours, but what makes sense of its spans is not in it.
var ErrNothingLeft = errors.New("this page of envoywalk was cut off before its first span: nothing of it can be read")

// What may be missing at the end of a page.
const (
	NotEnded = "the recording does not end in this page: the program was killed, runs still, or went on in " +
		"another file"
	CutOff = "this page was cut off in the midst of its lines: what stands before the cut is read"
)

// Read returns the spans of a page in the order in which they began, and what is missing at its end, "" if
// nothing is. Spans that had not ended when the page was cut off end with it, and say so.
func Read(r io.Reader) (spans []sdk.ReadOnlySpan, cut string, err error) {
	d := &decoder{steps: map[string]*stepLine{}, byID: map[string]*tracetest.SpanStub{}}
	chunks, ours, whole := 0, false, true
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		text, err := in.ReadString('\n')
		ours = ours || strings.Contains(text, chunkType)
		if packed, ok := chunkOf(text); ok {
			chunks++
			whole = strings.HasSuffix(strings.TrimSpace(text), "</script>")
			if bad := d.chunk(packed); bad != nil && whole {
				return nil, "", fmt.Errorf("chunk %d of the page: %w", chunks, bad)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, "", err
		}
	}
	return d.result(ours, whole)
}

func (d *decoder) result(ours, whole bool) (spans []sdk.ReadOnlySpan, cut string, err error) {
	switch {
	case len(d.order) == 0 && ours:
		return nil, "", ErrNothingLeft
	case d.head == nil:
		return nil, "", ErrNoPage
	case !whole:
		cut = CutOff
	case !d.ended:
		cut = NotEnded
	}
	return d.spans(), cut, nil
}

// chunkOf takes the packed lines out of their element, whose end may be cut off.
func chunkOf(line string) (packed string, ok bool) {
	rest, ok := strings.CutPrefix(line, `<script type="`+chunkType+`"`)
	if !ok {
		return "", false
	}
	_, rest, _ = strings.Cut(rest, ">")
	packed, _, _ = strings.Cut(strings.TrimSpace(rest), "<")
	return packed, true
}

// decoder makes spans of lines.
type decoder struct {
	head  *headLine
	epoch time.Time
	on    *resource.Resource
	steps map[string]*stepLine
	byID  map[string]*tracetest.SpanStub
	order []*tracetest.SpanStub
	last  time.Time
	seq   int64
	ended bool
}

func (d *decoder) chunk(packed string) error {
	plain, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if err := d.line(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (d *decoder) line(text []byte) error {
	var what struct {
		K    string `json:"k"`
		Kind string `json:"K"` // encoding/json would take it for k
	}
	if err := json.Unmarshal(text, &what); err != nil {
		return err
	}
	switch what.K {
	case "head":
		return d.takeHead(text)
	case "step":
		var s stepLine
		err := json.Unmarshal(text, &s)
		d.steps[s.ID] = &s
		return err
	case "b":
		var b beginLine
		if err := json.Unmarshal(text, &b); err != nil {
			return err
		}
		return d.begin(&b)
	case "e":
		var e endLine
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		return d.end(d.byID[e.ID], &e)
	case "stats":
		d.ended = true
	}
	return nil
}

// takeHead: a page that was reopened in place has a second one, which says the same.
func (d *decoder) takeHead(text []byte) error {
	var h headLine
	if err := json.Unmarshal(text, &h); err != nil || d.head != nil {
		return err
	}
	epoch, err := time.Parse(time.RFC3339Nano, h.Start)
	if err != nil {
		return err
	}
	d.head, d.epoch = &h, epoch
	on := []attribute.KeyValue{attribute.String("service.name", h.Service)}
	if h.Clock != "" {
		on = append(on, attribute.String("envoywalk.clock", h.Clock))
	}
	d.on = resource.NewSchemaless(on...)
	return nil
}

func (d *decoder) begin(b *beginLine) error {
	if d.head == nil {
		return ErrNoPage
	}
	if d.byID[b.ID] != nil {
		return nil // told again after a reopen
	}
	s := &tracetest.SpanStub{Name: b.Name, StartTime: d.time(b.At), Resource: d.on,
		InstrumentationScope: instrumentation.Scope{Name: "envoywalk"}}
	own, err := contextOf(b.Trace, b.ID)
	if err != nil {
		return err
	}
	s.SpanContext = own
	if b.Parent != "" {
		if s.Parent, err = contextOf(b.Trace, b.Parent); err != nil {
			return err
		}
	}
	s.SpanKind = spanKind(b.Kind)
	s.Attributes = d.attributes(b)
	if err := addLinks(s, b.Links); err != nil {
		return err
	}
	d.byID[b.ID] = s
	d.order = append(d.order, s)
	if b.End == nil {
		d.seq = max(d.seq, b.Seq)
		return nil
	}
	return d.end(s, b.End)
}

// attributes are in the order in which the recorder sets them.
func (d *decoder) attributes(b *beginLine) []attribute.KeyValue {
	a := []attribute.KeyValue{record.KeySeqStart.Int64(b.Seq)}
	if b.Kind != "" {
		a = append(a, record.KeyKind.String(b.Kind))
	}
	if b.TID != 0 {
		a = append(a, record.KeyThreadID.Int64(b.TID))
	}
	if b.Thread != "" || b.Kind != moment.KindStory && b.Kind != "" {
		a = append(a, record.KeyThreadName.String(b.Thread))
	}
	if s := d.steps[b.Step]; s != nil {
		a = append(a, record.KeyStep.String(s.ID), record.KeyChapter.String(s.Chapter),
			record.KeySymbol.String(s.Symbol), record.KeyEnvoyFile.String(s.File), record.KeyEnvoyLine.Int(s.Line),
			record.KeyArticle.String(s.Article), record.KeySection.String(s.Section))
		if len(s.Figures) > 0 {
			var n []int
			for _, f := range s.Figures {
				n = append(n, f.N)
			}
			a = append(a, record.KeyFigure.IntSlice(n))
		}
	}
	if b.File != "" {
		a = append(a, record.KeyFunction.String(b.Function), record.KeyFile.String(b.File), record.KeyLine.Int64(b.Line))
	}
	return append(a, b.Attrs...)
}

func (d *decoder) end(s *tracetest.SpanStub, e *endLine) error {
	if s == nil || !s.EndTime.IsZero() {
		return nil // it began before the page did, or was told already
	}
	s.Attributes = append(s.Attributes, record.KeySeqEnd.Int64(e.Seq))
	s.Attributes = append(s.Attributes, e.Attrs...)
	s.EndTime = d.time(e.At)
	d.seq = max(d.seq, e.Seq)
	if e.Err {
		s.Status = sdk.Status{Code: codes.Error, Description: e.Description}
	}
	return addLinks(s, e.Links)
}

// spans ends what the page does not say the end of, the youngest first.
func (d *decoder) spans() []sdk.ReadOnlySpan {
	for i := len(d.order) - 1; i >= 0; i-- {
		if s := d.order[i]; s.EndTime.IsZero() {
			d.seq++
			s.EndTime = d.last
			s.Attributes = append(s.Attributes, record.KeyUnfinished.Bool(true), record.KeySeqEnd.Int64(d.seq))
		}
	}
	spans := make([]sdk.ReadOnlySpan, len(d.order))
	for i, s := range d.order {
		spans[i] = s.Snapshot()
	}
	return spans
}

func (d *decoder) time(at int64) time.Time {
	t := d.epoch.Add(time.Duration(at))
	if t.After(d.last) {
		d.last = t
	}
	return t
}

func spanKind(kind string) trace.SpanKind {
	switch kind {
	case moment.KindPost:
		return trace.SpanKindProducer
	case moment.KindRun:
		return trace.SpanKindConsumer
	}
	return trace.SpanKindInternal
}

func contextOf(traceID, spanID string) (trace.SpanContext, error) {
	t, err := trace.TraceIDFromHex(traceID)
	if err != nil {
		return trace.SpanContext{}, err
	}
	s, err := trace.SpanIDFromHex(spanID)
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: t, SpanID: s, TraceFlags: trace.FlagsSampled}), err
}

func addLinks(s *tracetest.SpanStub, links []linkLine) error {
	for _, l := range links {
		c, err := contextOf(l[1], l[0])
		if err != nil {
			return err
		}
		s.Links = append(s.Links, sdk.Link{SpanContext: c})
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler. Whole numbers are integers, as nearly all of ours are.
func (a *attributes) UnmarshalJSON(text []byte) error {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if _, err := in.Token(); err != nil { // {
		return err
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return err
		}
		var v any
		if err := in.Decode(&v); err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("%v is no name", key)
		}
		*a = append(*a, attribute.KeyValue{Key: attribute.Key(name), Value: valueOf(v)})
	}
	return nil
}

func valueOf(v any) attribute.Value {
	switch v := v.(type) {
	case string:
		return attribute.StringValue(v)
	case bool:
		return attribute.BoolValue(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return attribute.Int64Value(n)
		}
		f, _ := v.Float64()
		return attribute.Float64Value(f)
	case []any:
		return sliceOf(v)
	}
	return attribute.StringValue(fmt.Sprint(v))
}

// sliceOf: a slice of OpenTelemetry has one type.
func sliceOf(vs []any) attribute.Value {
	var texts []string
	var numbers []int64
	for _, v := range vs {
		texts = append(texts, fmt.Sprint(v))
		if n, ok := v.(json.Number); ok {
			if n, err := n.Int64(); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	if len(numbers) == len(vs) {
		return attribute.Int64SliceValue(numbers)
	}
	return attribute.StringSliceValue(texts)
}
