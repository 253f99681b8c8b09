package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// jsonReader turns JSON into the same tree that YAML gives. It is strict JSON: what only YAML
// allows is refused, because Envoy reads such a file with its JSON parser too.
type jsonReader struct {
	doc  *document
	src  []byte
	dec  *json.Decoder
	left int

	seen      int // how far positions were counted: the offset, and where that is
	line, col int32
}

// parseJSON parses one JSON value.
//
// Envoy: MessageUtil::loadFromJson
func parseJSON(file string, b []byte) (*document, error) {
	b, err := clean(file, b)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, jsonSyntax(file, b, err)
	}
	r := &jsonReader{doc: &document{file: file, text: source{bytes: b, breaks: jsonBreak}}, src: b, left: maxNodes, line: 1, col: 1}
	r.dec = json.NewDecoder(bytes.NewReader(b))
	r.dec.UseNumber()
	if r.doc.root, err = r.value(0); err != nil {
		return nil, err
	}
	if k := r.doc.root.kind; k != object && k != list {
		return nil, &Error{Sentence: "Unable to parse JSON as proto (INVALID_ARGUMENT:" +
			": Root element must be a message.): " + oneLine(string(b)),
			Pos: r.doc.at(&r.doc.root), Hint: `a configuration is an object: {"admin": ...}`}
	}
	return r.doc, nil
}

func jsonSyntax(file string, b []byte, err error) error {
	at := len(b)
	var se *json.SyntaxError
	if errors.As(err, &se) && se.Offset > 0 {
		at = int(se.Offset) - 1
		if at == len(b)-1 && bytes.HasSuffix([]byte(se.Error()), []byte("end of JSON input")) {
			at = len(b)
		}
	}
	hint := ""
	if first := bytes.TrimLeft(b, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		hint = "only a file whose name ends with .yaml or .yml is read as YAML, all others as JSON"
	}
	return &Error{Sentence: "Unable to parse JSON as proto (INVALID_ARGUMENT:" + err.Error() +
		"): " + oneLine(string(b)), Pos: offsetPosition(file, b, at), Hint: hint}
}

// value reads the next value.
func (r *jsonReader) value(depth int) (node, error) {
	line, col := r.next()
	out := node{line: line, col: col}
	if r.left--; r.left < 0 || depth > maxDepth {
		return out, &Error{Pos: r.doc.at(&out), Sentence: fmt.Sprintf(
			"Unable to parse JSON as proto (INVALID_ARGUMENT:Message too deep or too large. "+
				"At most %d values, nested at most %d.)", maxNodes, maxDepth)}
	}
	t, err := r.dec.Token()
	if err != nil {
		return out, jsonSyntax(r.doc.file, r.src, err) // not reached: the source is valid JSON
	}
	switch v := t.(type) {
	case bool:
		out.kind, out.text = boolean, fmt.Sprint(v)
	case json.Number:
		out.kind, out.text = number, v.String()
	case string:
		out.kind, out.text = text, v
	case json.Delim:
		out.kind = list
		if v == '{' {
			out.kind = object
		}
		err = r.kids(&out, depth)
	}
	return out, err
}

// kids reads up to the closing bracket.
func (r *jsonReader) kids(out *node, depth int) error {
	seen := map[string]bool{}
	for r.dec.More() {
		var k kid
		if out.kind == object {
			k.kline, k.kcol = r.next()
			t, err := r.dec.Token()
			if err != nil {
				return jsonSyntax(r.doc.file, r.src, err)
			}
			k.key, _ = t.(string)
			if seen[k.key] {
				return &Error{Sentence: "Unable to parse JSON as proto (INVALID_ARGUMENT:" +
					"duplicate key '" + k.key + "'.)", Pos: r.doc.atKey(&k)}
			}
			seen[k.key] = true
		}
		var err error
		if k.node, err = r.value(depth + 1); err != nil {
			return err
		}
		out.kids = append(out.kids, k)
	}
	_, err := r.dec.Token()
	return err
}

// next is the position of the token that the decoder reads next.
func (r *jsonReader) next() (line, col int32) {
	i := int(r.dec.InputOffset())
	for i < len(r.src) && bytes.IndexByte([]byte(" \t\r\n,:"), r.src[i]) >= 0 {
		i++
	}
	for ; r.seen < i; r.seen++ {
		if c := r.src[r.seen]; c == '\n' {
			r.line, r.col = r.line+1, 1
		} else if utf8.RuneStart(c) {
			r.col++
		}
	}
	return r.line, r.col
}
