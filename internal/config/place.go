package config

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// place is where the walk stands in the schema: a chain up to the root, made into text only when
// a message needs it.
type place struct {
	up    *place
	field string // proto name of the field, empty at the root
	index int    // of the item, -1 for a field that is not a list
	key   string // of the map entry, if it is one
	inMap bool
	md    protoreflect.MessageDescriptor // of the message here, nil for scalars
	src   *node
}

func (p *place) child(field string, index int, src *node) *place {
	return &place{up: p, field: field, index: index, src: src}
}

func (p *place) entry(field, key string, src *node) *place {
	return &place{up: p, field: field, index: -1, key: key, inMap: true, src: src}
}

// String is the path as Envoy's parser prints it: a.b[0].c, and m["key"] for maps.
func (p *place) String() string { return p.path(nil) }

// path prints the path; with base it counts lists from behind the items that base has, which is
// what the merge makes of the indexes of --config-yaml.
func (p *place) path(base *node) string {
	var chain []*place
	for q := p; q != nil && q.up != nil; q = q.up {
		chain = append(chain, q)
	}
	var b strings.Builder
	for i := len(chain) - 1; i >= 0; i-- {
		q := chain[i]
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(q.field)
		base = base.lookup(q.field)
		switch {
		case q.inMap:
			fmt.Fprintf(&b, "[%q]", q.key)
			base = base.lookup(q.key)
		case q.index >= 0:
			fmt.Fprintf(&b, "[%d]", q.index+base.items())
			base = nil
		}
	}
	return b.String()
}

// items is how many list items n contributes to a list field: one object counts as one item.
func (n *node) items() int {
	switch {
	case n == nil || n.kind == null:
		return 0
	case n.kind == list:
		return len(n.kids)
	}
	return 1
}

// lookup finds a field under either spelling; nil in, nil out.
func (n *node) lookup(field string) *node {
	if n == nil {
		return nil
	}
	if k := n.entry(field); k != nil {
		return &k.node
	}
	return nil
}

// entry is like find, but takes the field's snake_case name and also finds its camelCase.
func (n *node) entry(field string) *kid {
	if k := n.find(field); k != nil {
		return k
	}
	return n.find(camel(field))
}

// camel is protobuf's JSON spelling of a field name.
func camel(s string) string {
	var b strings.Builder
	up := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '_':
			up = true
			continue
		case up && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		up = false
		b.WriteByte(c)
	}
	return b.String()
}

// layer is one source while a path is followed through the merged configuration.
type layer struct {
	doc *document
	at  *kid // nil once the path left this source
}

// locate follows a path through the sources in the order they were merged: list items of the
// later source stand behind those of the earlier, a scalar of the later wins. The document is the one
// that the position is in.
func locate(docs []*document, path string) (*document, Position, bool) {
	layers := make([]layer, len(docs))
	for i, d := range docs {
		layers[i] = layer{d, &kid{node: d.root}}
	}
	for rest := path; rest != ""; {
		var ok bool
		if rest, ok = step(layers, rest); !ok {
			return nil, Position{}, false
		}
	}
	for i := len(layers) - 1; i >= 0; i-- {
		if l := layers[i]; l.at != nil {
			return l.doc, l.doc.atKey(l.at), true
		}
	}
	return nil, Position{}, false
}

// step takes the next part off the path: .field, [3] or ["key"].
func step(layers []layer, path string) (rest string, ok bool) {
	if path[0] != '[' {
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		for i, l := range layers {
			if l.at != nil {
				layers[i].at = l.at.node.entry(path[:end])
			}
		}
		return path[end:], end > 0
	}
	if key, err := strconv.QuotedPrefix(path[1:]); err == nil {
		name, _ := strconv.Unquote(key)
		for i, l := range layers {
			if l.at != nil {
				layers[i].at = l.at.find(name)
			}
		}
		return strings.CutPrefix(path[1+len(key):], "]")
	}
	end := strings.IndexByte(path, ']')
	if end < 0 {
		return "", false
	}
	i, err := strconv.Atoi(path[1:end])
	if err != nil || i < 0 {
		return "", false
	}
	pick(layers, i)
	return path[end+1:], true
}

// pick moves to item i of the merged list.
func pick(layers []layer, i int) {
	for j, l := range layers {
		if l.at == nil {
			continue
		}
		n := l.at.node.items()
		switch {
		case i < 0 || i >= n:
			layers[j].at = nil
		case l.at.kind == list:
			layers[j].at = &l.at.kids[i]
		}
		i -= n
	}
}
