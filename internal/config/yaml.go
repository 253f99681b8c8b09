package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// yamlReader turns yaml.v3's nodes into ours. yaml.v3 checks syntax only: aliases that multiply,
// aliases to themselves, keys given twice and second documents all pass it as nodes, so they are
// refused here.
type yamlReader struct {
	doc   *document
	left  int          // values that may still be made
	below []*yaml.Node // anchors being expanded, to see an alias inside its own anchor
}

// parseYAML parses one YAML document. Never panics, whatever b holds.
//
// Envoy: ValueUtil::loadFromYaml
func parseYAML(file string, b []byte) (*document, error) {
	b, err := clean(file, b)
	if err != nil {
		return nil, err
	}
	top, err := decodeYAML(file, b)
	if err != nil {
		return nil, err
	}
	d := &document{file: file, text: source{bytes: b, breaks: yamlBreak}}
	r := &yamlReader{doc: d, left: maxNodes}
	if top != nil {
		if d.root, err = r.value(top, 0); err != nil {
			return nil, err
		}
	}
	if d.root.kind != object && d.root.kind != list {
		return nil, &Error{Sentence: "Unable to convert YAML as JSON: " + oneLine(string(b)),
			Pos:  Position{file, max(1, int(d.root.line)), max(1, int(d.root.col))},
			Hint: "a configuration is a map: start with static_resources: or admin:"}
	}
	return d, nil
}

// decodeYAML returns the one document of the source, nil if it holds none.
func decodeYAML(file string, b []byte) (top *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil { // the parser's own bug must not end the process
			top, err = nil, &Error{Pos: Position{File: file},
				Sentence: fmt.Sprintf("Unexpected YAML exception: %v", p)}
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var first, second yaml.Node
	if err := dec.Decode(&first); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(file, b, err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, &Error{Sentence: "Unable to convert YAML as JSON: a second document begins",
			Pos:  Position{file, second.Line, second.Column},
			Hint: "one file holds one configuration: remove the '---' between them"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(file, b, err)
	}
	if len(first.Content) == 0 {
		return nil, nil
	}
	return first.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// SyntaxError is the line of text that yaml.v3 means, from 1, and what it says of it. Inside it counts from 0; it adds
// one where its scanner complains and none where its parser does, and does not tell line 0. What is missing at the
// end is told of the last line.
func SyntaxError(text []byte, err error) (line int, why string) {
	why = err.Error()
	if m := yamlLine.FindStringSubmatch(why); m != nil {
		why = why[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
	}
	if line == 0 || strings.HasPrefix(why, "did not find expected") {
		line++
	}
	return min(line, 1+bytes.Count(bytes.TrimRight(text, "\n"), []byte{'\n'})), why
}

// syntaxError is what Envoy prints of what yaml-cpp says, `yaml-cpp: error at line {}, column {}: {}`. yaml.v3 knows
// no column, so it is that of the line's start.
func syntaxError(file string, text []byte, err error) error {
	line, why := SyntaxError(text, err)
	said := bytes.Split(text, []byte{'\n'})[line-1]
	return &Error{Sentence: fmt.Sprintf("yaml-cpp: error at line %d, column 1: %s", line, why),
		Pos: Position{file, line, 1}, Hint: syntaxHint(why, said)}
}

var (
	startsWithColon = regexp.MustCompile(`[\s\[{,]::`)
	startsWithTab   = regexp.MustCompile(`^ *\t`)
)

// syntaxHint is what was probably meant by a line that is no YAML.
func syntaxHint(why string, line []byte) string {
	has := func(text string) bool { return strings.Contains(why, text) }
	switch {
	case startsWithColon.Match(line):
		return `an address that begins with a colon needs quotation marks: "::"`
	case startsWithTab.Match(line):
		return "YAML is indented with spaces, never with tabs"
	case has("start any token"):
		return "a value that begins with @, % or ` needs quotation marks"
	case has("mapping values are not allowed"):
		return "check the indentation of this line and of the one before"
	case has("node content"), has("',' or"):
		return "is a bracket opened and never closed, or a comma too many?"
	case has("end of stream"):
		return "is a quotation mark opened and never closed?"
	}
	return ""
}

// refuse is an error at a YAML node.
func (r *yamlReader) refuse(n *yaml.Node, why, hint string) error {
	return &Error{Sentence: "Unable to convert YAML as JSON: " + why,
		Pos: Position{r.doc.file, n.Line, n.Column}, Hint: hint}
}

func (r *yamlReader) value(n *yaml.Node, depth int) (node, error) {
	out := node{line: int32(n.Line), col: int32(n.Column)}
	if r.left--; r.left < 0 {
		return out, r.refuse(n, fmt.Sprintf("more than %d values", maxNodes),
			"aliases count as often as they are used")
	}
	if depth > maxDepth {
		return out, r.refuse(n, fmt.Sprintf("nested deeper than %d", maxDepth), "")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return r.alias(n, depth)
	case yaml.MappingNode:
		return r.mapping(n, depth, out)
	case yaml.SequenceNode:
		return r.sequence(n, depth, out)
	}
	if err := r.checkTag(n); err != nil {
		return out, err
	}
	out.kind, out.text = scalarKind(n)
	return out, nil
}

// alias expands *name where it stands: positions inside are those of the anchor.
func (r *yamlReader) alias(n *yaml.Node, depth int) (node, error) {
	if n.Alias == nil || slices.Contains(r.below, n.Alias) {
		return node{}, r.refuse(n, "alias *"+n.Value+" stands inside its own anchor", "")
	}
	r.below = append(r.below, n.Alias)
	out, err := r.value(n.Alias, depth+1)
	r.below = r.below[:len(r.below)-1]
	out.line, out.col = int32(n.Line), int32(n.Column)
	return out, err
}

func (r *yamlReader) sequence(n *yaml.Node, depth int, out node) (node, error) {
	r.below = append(r.below, n)
	defer func() { r.below = r.below[:len(r.below)-1] }()
	out.kind = list
	out.kids = make([]kid, 0, len(n.Content))
	for _, c := range n.Content {
		v, err := r.value(c, depth+1)
		if err != nil {
			return out, err
		}
		out.kids = append(out.kids, kid{node: v})
	}
	return out, nil
}

func (r *yamlReader) mapping(n *yaml.Node, depth int, out node) (node, error) {
	r.below = append(r.below, n)
	defer func() { r.below = r.below[:len(r.below)-1] }()
	out.kind = object
	out.kids = make([]kid, 0, len(n.Content)/2)
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		for k.Kind == yaml.AliasNode && k.Alias != nil {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			return out, r.refuse(n.Content[i], "bad conversion", "a key must be a plain word")
		}
		if line, twice := seen[k.Value]; twice {
			return out, r.refuse(n.Content[i], "duplicate key '"+k.Value+"'",
				fmt.Sprintf("it was given before on line %d", line))
		}
		seen[k.Value] = n.Content[i].Line
		v, err := r.value(n.Content[i+1], depth+1)
		if err != nil {
			return out, err
		}
		out.kids = append(out.kids, kid{k.Value, int32(n.Content[i].Line),
			int32(n.Content[i].Column), v})
	}
	return out, nil
}
