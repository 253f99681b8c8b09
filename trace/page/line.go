package page

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// The lines of a page: what it was made of and is made of again. One JSON object each, k says what
// it is. docs/page.md tells readers, web/model.js reads them.

type headLine struct {
	K       string `json:"k"` // head
	Version int    `json:"v"`
	Service string `json:"service"`
	Chapter int    `json:"chapter"`
	Clock   string `json:"clock,omitempty"`
	Start   string `json:"start"` // RFC 3339 with ns: what every at counts from
	Run     string `json:"run"`
}

// stepLine is what the map knows of a step. It stands before the step's first use.
type stepLine struct {
	K       string   `json:"k"` // step
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Symbol  string   `json:"symbol"`
	File    string   `json:"file"`
	Line    int      `json:"line"`
	Chapter string   `json:"chapter"`
	Article string   `json:"article"`
	Section string   `json:"section"`
	Figures []figure `json:"figures,omitempty"`
	Does    string   `json:"does"`
	DoesZh  string   `json:"does_zh,omitempty"`
	Kind    string   `json:"kind"`
}

type figure struct {
	N   int    `json:"n"`
	URL string `json:"url"`
}

// fileLine is a Go file. It stands before its first use.
type fileLine struct {
	K       string `json:"k"` // file
	Path    string `json:"path"`
	Text    string `json:"text,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
	Newer   bool   `json:"newer,omitempty"` // written after the program was built
	Missing bool   `json:"missing,omitempty"`
}

// beginLine is a span's start, and of an instant the end too.
type beginLine struct {
	K        string     `json:"k"` // b
	Seq      int64      `json:"s"`
	ID       string     `json:"i"`
	Parent   string     `json:"p,omitempty"`
	Trace    string     `json:"t"`
	Name     string     `json:"n"`
	Kind     string     `json:"K,omitempty"`
	Thread   string     `json:"th,omitempty"`
	TID      int64      `json:"tid,omitempty"`
	Step     string     `json:"st,omitempty"`
	Function string     `json:"fn,omitempty"`
	File     string     `json:"f,omitempty"`
	Line     int64      `json:"ln,omitempty"`
	Text     string     `json:"x"`
	Hint     string     `json:"h,omitempty"`
	HintZh   string     `json:"z,omitempty"`
	At       int64      `json:"at"` // ns since the head's start
	Links    []linkLine `json:"l,omitempty"`
	Attrs    attributes `json:"a,omitempty"`
	End      *endLine   `json:"E,omitempty"`
}

// endLine is what was learnt until a span's end. Within a beginLine it has neither k nor i.
type endLine struct {
	K           string     `json:"k,omitempty"` // e
	ID          string     `json:"i,omitempty"`
	Seq         int64      `json:"s"`
	At          int64      `json:"at"`
	Attrs       attributes `json:"a,omitempty"`
	Links       []linkLine `json:"l,omitempty"`
	Err         bool       `json:"err,omitempty"`
	Description string     `json:"d,omitempty"`
}

type statsLine struct {
	K          string `json:"k"` // stats
	Spans      uint64 `json:"spans"`
	Dropped    uint64 `json:"dropped"`
	SampledOut uint64 `json:"sampled_out"`
}

// linkLine is a span id and its trace id.
type linkLine [2]string

// attributes keep the order in which they were set.
type attributes []attribute.KeyValue

// MarshalJSON implements json.Marshaler.
func (a attributes) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, kv := range a {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, string(kv.Key)), ':')
		b = appendValue(b, kv.Value)
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, v attribute.Value) []byte {
	switch v.Type() {
	case attribute.STRING:
		return appendText(b, v.AsString())
	case attribute.INT64:
		return strconv.AppendInt(b, v.AsInt64(), 10)
	case attribute.BOOL:
		return strconv.AppendBool(b, v.AsBool())
	}
	text, err := json.Marshal(v.AsInterface())
	if err != nil { // a float that is no number
		return appendText(b, v.Emit())
	}
	return append(b, text...)
}

// appendText is JSON's string of s, with what is no UTF-8 replaced.
func appendText(b []byte, s string) []byte {
	text, _ := json.Marshal(strings.ToValidUTF8(s, "?"))
	return append(b, text...)
}
