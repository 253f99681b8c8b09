package chrome

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// event begins a line: `,{"name":...,"ph":...,"pid":...`.
func (w *Recording) event(name, phase string, pid, tid int64) {
	w.lines = append(w.lines, `,{"name":`...)
	w.text(name)
	w.lines = fmt.Appendf(w.lines, `,"ph":%q,"pid":%d,"tid":%d`, phase, pid, tid)
}

// emit ends the line.
func (w *Recording) emit(end string) {
	w.lines = append(append(w.lines, end...), '\n')
}

// time adds a moment, in µs as the format has it and to the ns.
func (w *Recording) time(ns int64) {
	w.lines = fmt.Appendf(w.lines, `,"ts":%d.%03d`, ns/1000, ns%1000)
}

func (w *Recording) sliceBegins(t *track, f *frame) {
	w.event(f.name, "B", t.process.pid, t.tid)
	w.time(f.begin)
	w.lines = append(w.lines, `,"cat":`...)
	w.text(f.kind)
	w.args(f.known)
	w.emit("}")
}

func (w *Recording) sliceEnds(t *track, name string, at int64, learnt []attribute.KeyValue) {
	w.event(name, "E", t.process.pid, t.tid)
	w.time(at)
	w.args(learnt)
	w.emit("}")
}

// arrow begins (s) or ends (f) in the slice that is open on the track.
func (w *Recording) arrow(phase, category string, t *track, id, at int64) {
	w.event(category, phase, t.process.pid, t.tid)
	w.time(at)
	w.lines = fmt.Appendf(w.lines, `,"cat":%q,"id":%d`, category, id)
	if phase == "f" {
		w.emit(`,"bp":"e"}`)
		return
	}
	w.emit("}")
}

// story begins (b) or ends (e) a connection on its asynchronous track.
func (w *Recording) story(phase string, s *story, at int64, args []attribute.KeyValue) {
	w.event(s.name, phase, s.process.pid, s.process.pid)
	w.time(at)
	w.lines = fmt.Appendf(w.lines, `,"cat":"connection","id":"%x"`, s.number)
	w.args(args)
	w.emit("}")
}

func (w *Recording) nameProcess(p *process) {
	w.event("process_name", "M", p.pid, p.pid)
	w.named(p.service)
}

func (w *Recording) name(t *track) {
	w.event("thread_name", "M", t.process.pid, t.tid)
	w.named(t.name)
	w.event("thread_sort_index", "M", t.process.pid, t.tid)
	w.emit(`,"args":{"sort_index":` + strconv.Itoa(len(t.process.tracks)) + `}}`)
}

func (w *Recording) named(name string) {
	w.lines = append(w.lines, `,"args":{"name":`...)
	w.text(name)
	w.emit("}}")
}

// introduce tells a new file what the old one knew: names, and what is open.
func (w *Recording) introduce(p *process) {
	w.nameProcess(p)
	for _, t := range p.tracks {
		w.name(t)
		for _, f := range t.stack {
			w.sliceBegins(t, f)
		}
	}
	for _, s := range w.stories {
		if s.process == p {
			w.story("b", s, s.begin, s.known)
		}
	}
}

func (w *Recording) args(attributes []attribute.KeyValue) {
	if len(attributes) == 0 {
		return
	}
	w.lines = append(w.lines, `,"args":{`...)
	for i, a := range attributes {
		if i > 0 {
			w.lines = append(w.lines, ',')
		}
		w.text(string(a.Key))
		w.lines = append(w.lines, ':')
		w.value(a.Value)
	}
	w.lines = append(w.lines, '}')
}

func (w *Recording) value(v attribute.Value) {
	switch v.Type() {
	case attribute.INT64:
		w.lines = strconv.AppendInt(w.lines, v.AsInt64(), 10)
	case attribute.BOOL:
		w.lines = strconv.AppendBool(w.lines, v.AsBool())
	case attribute.FLOAT64:
		w.number(v.AsFloat64())
	case attribute.STRING:
		w.text(v.AsString())
	default:
		w.text(v.Emit())
	}
}

// number: JSON has none that are not finite.
func (w *Recording) number(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.text(fmt.Sprint(f))
		return
	}
	w.lines = strconv.AppendFloat(w.lines, f, 'g', -1, 64)
}

// text adds a string that spoils no JSON: peers choose bytes in names.
func (w *Recording) text(s string) {
	quoted, _ := json.Marshal(s) // a string always has a JSON
	w.lines = append(w.lines, quoted...)
}

// learnt are the attributes that a span had at its end and not at its begin.
func learnt(known []attribute.KeyValue, ended sdk.ReadOnlySpan) []attribute.KeyValue {
	old := map[attribute.Key]bool{}
	for _, a := range known {
		old[a.Key] = true
	}
	var more []attribute.KeyValue
	for _, a := range ended.Attributes() {
		if !old[a.Key] {
			more = append(more, a)
		}
	}
	return more
}
