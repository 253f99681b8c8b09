package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// violation is what the generated rules return.
type violation interface {
	error
	Field() string
	Reason() string
	Cause() error
	Key() bool
	ErrorName() string
}

// validate runs the generated rules: on the merged bootstrap, then on each extension's message.
//
// Envoy: MessageUtil::validate, ProtoValidationException
func validate(r *Result, extensions []pending) error {
	if err := validateMessage(r, r.Bootstrap, ""); err != nil {
		return err
	}
	for _, p := range extensions {
		if err := validateMessage(r, p.msg, p.path); err != nil {
			return err
		}
	}
	return nil
}

func validateMessage(r *Result, m proto.Message, path string) error {
	v, ok := m.(interface{ Validate() error })
	if !ok {
		return nil
	}
	err := v.Validate()
	if err == nil {
		err = rules117(m)
	}
	if err == nil {
		return nil
	}
	chain, full := explain(m.ProtoReflect().Descriptor(), err, path)
	text := strings.Join(strings.Fields(prototext.MarshalOptions{}.Format(m)), " ")
	return &Error{Sentence: fmt.Sprintf("Proto constraint validation failed (%s): %s", chain,
		cut(text, 200)), Pos: r.nearestTo(full), Path: full, Hint: constraintHint(err, full)}
}

// explain turns the nested errors of the Go rules into the text of the C++ rules, and into a path.
func explain(md protoreflect.MessageDescriptor, err error, path string) (chain, full string) {
	v, ok := err.(violation)
	if !ok {
		return err.Error(), path
	}
	name := strings.TrimSuffix(v.ErrorName(), "ValidationError")
	name = name[strings.LastIndexByte(name, '_')+1:] + "ValidationError"
	field, index, _ := strings.Cut(v.Field(), "[")
	shown := field
	if index != "" {
		index = "[" + index
		shown += "[i]" // the C++ rules print the loop variable's name
	}
	chain = fmt.Sprintf("%s.%s: [%s]", name, shown, cppReason(v.Reason()))
	fd := goField(md, field)
	if fd == nil {
		return chain, path // a oneof: nothing of it is set, so its message is the place
	}
	if path != "" {
		path += "."
	}
	path += string(fd.Name()) + mapKey(fd, index)
	if v.Cause() == nil {
		return chain, path
	}
	next := fd.Message()
	if fd.IsMap() {
		next = fd.MapValue().Message()
	}
	if next == nil {
		return chain, path
	}
	inner, path := explain(next, v.Cause(), path)
	return chain + " | caused by " + inner, path
}

// mapKey writes an index as paths write it: map keys in quotes.
func mapKey(fd protoreflect.FieldDescriptor, index string) string {
	if !fd.IsMap() || index == "" {
		return index
	}
	return "[" + strconv.Quote(strings.TrimSuffix(index[1:], "]")) + "]"
}

// goField finds the field that the generated Go code calls by this name.
func goField(md protoreflect.MessageDescriptor, goName string) protoreflect.FieldDescriptor {
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		c := camel(string(fd.Name()))
		if strings.EqualFold(c, goName) || normal(string(fd.Name())) == normal(goName) {
			return fd
		}
	}
	return nil
}

var reasonNumber = regexp.MustCompile(`^(.*?)(\d+)( runes| bytes| item\(s\)| pairs\(s\)|)$`)

var reasonDuration = regexp.MustCompile(`^(value must be (?:greater|less) .*?)(\d\S*s)$`)

// cppReason writes a reason as Envoy prints it: each part quoted, numbers as characters, so that
// "at least 1 runes" becomes "at least " '\x01' " characters".
func cppReason(s string) string {
	if m := reasonDuration.FindStringSubmatch(s); m != nil {
		return strconv.Quote(m[1]) + " " + strconv.Quote(m[2])
	}
	m := reasonNumber.FindStringSubmatch(s)
	if m == nil || strings.Contains(s, "range") {
		return strconv.Quote(s)
	}
	n, err := strconv.ParseInt(m[2], 10, 32)
	if err != nil || n > 0x10FFFF {
		return strconv.Quote(s)
	}
	out := strconv.Quote(m[1]) + " " + strconv.QuoteRune(rune(n))
	if m[3] != "" {
		out += " " + strconv.Quote(strings.Replace(m[3], "runes", "characters", 1))
	}
	return out
}

// parentPath takes the last part off a path.
func parentPath(p string) string {
	return p[:max(0, strings.LastIndexAny(p, ".["))]
}

// constraintHint is the innermost rule in plain words.
func constraintHint(err error, path string) string {
	for {
		v, ok := err.(violation)
		if !ok {
			return ""
		}
		if v.Cause() == nil {
			return path + ": " + strings.Replace(v.Reason(), "runes", "characters", 1)
		}
		err = v.Cause()
	}
}
