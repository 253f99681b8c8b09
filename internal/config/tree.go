package config

import (
	"encoding/json"
	"strings"
)

// kind is what a value is before any schema is known.
type kind uint8

const (
	null kind = iota
	boolean
	number // text holds the number as written, decimal
	text
	list
	object
)

// node is one value of a source: what Envoy keeps in a google.protobuf.Value, plus its position.
// Both readers (YAML and JSON) make this tree, so that the walk is the same for both.
//
// Envoy: parseYamlNode
type node struct {
	kind      kind
	line, col int32
	text      string // of boolean ("true", "false"), number and text
	kids      []kid  // of list and object
}

// kid is one entry of an object or one item of a list (then without a key).
type kid struct {
	key         string
	kline, kcol int32 // of the key, 0 for an item of a list
	node
}

// Limits of one source. A configuration that needs more is not one that people write.
const (
	maxBytes = 16 << 20  // before parsing: yaml takes about 30 bytes of memory per byte
	maxNodes = 1_000_000 // values, after aliases are expanded
	maxDepth = 100       // as deep as Envoy's JSON parser goes
)

// document is one parsed source.
type document struct {
	file string
	root node
	text source
}

// at is the position of a value of this document.
func (d *document) at(n *node) Position {
	return Position{d.file, int(n.line), int(n.col)}
}

// atKey is the position of an entry's key; of the value where there is none.
func (d *document) atKey(k *kid) Position {
	if k.kline == 0 {
		return d.at(&k.node)
	}
	return Position{d.file, int(k.kline), int(k.kcol)}
}

// find returns the entry of an object with this key, nil if there is none.
func (n *node) find(key string) *kid {
	for i := range n.kids {
		if n.kind == object && n.kids[i].key == key {
			return &n.kids[i]
		}
	}
	return nil
}

// json writes the value as JSON, at most about max bytes of it, for messages.
func (n *node) json(max int) string {
	var b strings.Builder
	n.write(&b, max)
	return cut(b.String(), max)
}

func (n *node) write(b *strings.Builder, max int) {
	switch n.kind {
	case null:
		b.WriteString("null")
	case boolean, number:
		b.WriteString(n.text)
	case text:
		b.WriteString(quote(n.text))
	case list, object:
		n.writeKids(b, max)
	}
}

func (n *node) writeKids(b *strings.Builder, max int) {
	marks := "[]"
	if n.kind == object {
		marks = "{}"
	}
	b.WriteByte(marks[0])
	for i := range n.kids {
		if b.Len() > max {
			return // the rest would be cut off anyway
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if n.kind == object {
			b.WriteString(quote(n.kids[i].key) + ":")
		}
		n.kids[i].write(b, max)
	}
	b.WriteByte(marks[1])
}

// quote writes s as a JSON string.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""` // cannot happen: every string has a JSON form
	}
	return strings.TrimSuffix(b.String(), "\n")
}
