// Package config loads Envoy's bootstrap: YAML or JSON, into Envoy's own v3 messages.
//
// The walk goes over the source's values and the messages' descriptors side by side, because that
// alone knows file, line and column, and because protojson is not the parser that Envoy has. Each
// set field then has one of three fates: used, left to a later chapter, or refused (fates.go).
package config

import (
	"cmp"
	"errors"
	"fmt"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Options says what to load and which chapter's binary is loading.
type Options struct {
	Path    string // -c: a file, may be empty
	YAML    string // --config-yaml: merged over the file, may be empty
	Name    string // what places in YAML are said to be in; empty is --config-yaml
	Chapter int    // 1 to 7: fields of later chapters are "later", not "used"

	AllowUnknownStatic   bool // --allow-unknown-static-fields: warn instead of refusing
	RejectUnknownDynamic bool // no dynamic resources yet: kept for the chapters that load them
	IgnoreUnknownDynamic bool
}

// Result is a validated bootstrap and what there is to say about it.
type Result struct {
	Bootstrap *bootstrapv3.Bootstrap
	Later     []Field // set fields that only a later chapter acts on: the outermost ones
	Unknown   []Field // with AllowUnknownStatic: fields that no message has

	docs []*document
}

// Load reads, merges, checks and validates the bootstrap. The error is an *Error, the first thing
// that is refused. Reads one file, touches nothing else.
//
// Envoy: InstanceUtil::loadBootstrapConfig, MessageUtil::validate
func Load(o Options) (*Result, error) {
	if o.Path == "" && o.YAML == "" {
		return nil, &Error{Sentence: "At least one of --config-path or --config-yaml or " +
			"Options::configProto() should be non-empty", Hint: "give a file with -c"}
	}
	table, err := loadFates()
	if err != nil {
		return nil, fmt.Errorf("fates: %w", err)
	}
	docs, err := readSources(o)
	if err != nil {
		return nil, err
	}
	w := &walker{opts: o, fates: table}
	r := &Result{Bootstrap: &bootstrapv3.Bootstrap{}, docs: docs}
	for i, d := range docs {
		part := &bootstrapv3.Bootstrap{}
		w.doc = d
		if i > 0 {
			w.base = &docs[0].root
		}
		if err := w.bootstrap(part, &d.root); err != nil {
			return nil, err
		}
		proto.Merge(r.Bootstrap, part)
	}
	r.Later, r.Unknown = w.later, w.unknown
	if err := validate(r, w.pending); err != nil {
		return nil, err
	}
	return r, nil
}

// readSources parses the file, then --config-yaml: the order in which Envoy merges them.
func readSources(o Options) ([]*document, error) {
	var docs []*document
	if o.Path != "" {
		d, err := loadFile(o.Path)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	if o.YAML != "" {
		d, err := parseYAML(cmp.Or(o.Name, yamlOption), []byte(o.YAML))
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// PositionOf says where a path like static_resources.listeners[2].address stands in the sources,
// false if nothing there is written. Counts list items as the merged bootstrap does. A field's
// position is that of its key.
func (r *Result) PositionOf(path string) (Position, bool) {
	_, at, ok := locate(r.docs, path)
	return at, ok
}

// ErrorAt is err, its text the sentence, with the place that path names: the deepest part of it that is
// written. An error that knows its place keeps it. The result unwraps to err.
func (r *Result) ErrorAt(err error, path, hint string) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Sentence: err.Error(), Pos: r.nearestTo(path), Path: path, Hint: hint, cause: err}
}

// nearestTo is the position of path, or of the deepest part of it that is written.
func (r *Result) nearestTo(path string) Position {
	for p := path; p != ""; p = parentPath(p) {
		if at, ok := r.PositionOf(p); ok {
			return at
		}
	}
	return Position{File: r.docs[len(r.docs)-1].file}
}

// UnpackAny returns the message inside a typed_config that Load accepted. Load has validated it,
// and has put an empty message there if a filter was given by name alone.
//
// Envoy: Utility::translateOpaqueConfig
func UnpackAny(a *anypb.Any) (proto.Message, error) {
	m, err := a.UnmarshalNew()
	if err != nil {
		return nil, &Error{Sentence: fmt.Sprintf("Unable to unpack as %s: %v",
			a.MessageName(), err)}
	}
	return m, nil
}
