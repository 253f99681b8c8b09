package accesslog

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"envoywalk/internal/streaminfo"
)

// value appends one value of a stream to dst. found is false if the stream has no such value; what
// was appended then does not count.
type value func(dst []byte, s *streaminfo.StreamInfo) (out []byte, found bool)

// operator is one %OPERATOR% of a format.
//
// Envoy: Formatter::FormatterProvider
type operator struct {
	get    value
	number bool  // the value is decimal digits, which typed JSON does not quote
	typed  value // in typed JSON; nil: get
}

// appendText appends the value as text, empty if there is none.
func (o *operator) appendText(dst []byte, s *streaminfo.StreamInfo, empty string) []byte {
	start := len(dst)
	dst, found := o.get(dst, s)
	if !found {
		return append(dst[:start], empty...)
	}
	return dst
}

// parseToken makes the operator of a token. Where Envoy looks only at how a token begins
// (START_TIMES is START_TIME to it), this wants it whole.
func parseToken(token string) (*operator, error) {
	name, argument, hasArgument := strings.Cut(token, "(")
	switch {
	case hasArgument && (name == "REQ" || name == "RESP" || name == "TRAILER"):
		return headerOperator(token)
	case hasArgument && name == "DYNAMIC_METADATA":
		_, _, err := arguments(token, ":")
		return &operator{get: never}, err // nothing here sets any
	case hasArgument && name == "FILTER_STATE":
		return filterStateOperator(token)
	case hasArgument && timeOperators[name] != nil && strings.HasSuffix(argument, ")"):
		return timeOperator(name, strings.TrimSuffix(argument, ")"))
	case timeOperators[token] != nil:
		return timeOperator(token, "")
	case token == "HOSTNAME":
		return hostnameOperator(), nil
	}
	if op, ok := fields[token]; ok {
		return &op, nil
	}
	return nil, fmt.Errorf("Not supported field in StreamInfo: %s", token)
}

// arguments takes NAME(a?b):3 apart into a and b, and 3; without a length it is the largest there
// is.
//
// Envoy: SubstitutionFormatParser::parseCommand
func arguments(token, separator string) (list []string, most int, err error) {
	_, rest, _ := strings.Cut(token, "(")
	inner, length, _ := strings.Cut(rest, ")")
	most = math.MaxInt
	if digits, limited := strings.CutPrefix(length, ":"); limited {
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("Length must be an integer, given: %s", digits)
		}
		most = int(min(n, math.MaxInt))
	}
	return strings.Split(inner, separator), most, nil
}

// cut shortens what value appends to most bytes.
func cut(v value, most int) value {
	if most == math.MaxInt {
		return v
	}
	return func(dst []byte, s *streaminfo.StreamInfo) ([]byte, bool) {
		start := len(dst)
		dst, found := v(dst, s)
		return dst[:start+min(len(dst)-start, most)], found
	}
}

func never(dst []byte, _ *streaminfo.StreamInfo) ([]byte, bool) { return dst, false }

// filterStateOperator: this project's filter state is text, so PLAIN is that text, and TYPED, the
// default, its JSON.
//
// Envoy: Formatter::FilterStateFormatter
func filterStateOperator(token string) (*operator, error) {
	list, most, err := arguments(token, ":")
	if err != nil {
		return nil, err
	}
	key, kind := list[0], "TYPED"
	if key == "" {
		return nil, errors.New("Invalid filter state configuration, key cannot be empty.")
	}
	if len(list) > 1 {
		kind = list[len(list)-1]
	}
	plain := func(dst []byte, s *streaminfo.StreamInfo) ([]byte, bool) {
		v, found := s.FilterState[key]
		return append(dst, v...), found
	}
	switch kind {
	case "PLAIN":
		return &operator{get: cut(plain, most)}, nil
	case "TYPED":
		return &operator{get: cut(quoted(plain), most), typed: plain}, nil
	}
	return nil, errors.New("Invalid filter state serialize type, only support PLAIN/TYPED.")
}

// quoted makes a JSON string of a text.
func quoted(v value) value {
	return func(dst []byte, s *streaminfo.StreamInfo) ([]byte, bool) {
		start := len(dst)
		dst, found := v(append(dst, '"'), s)
		return closeJSONString(dst, start), found
	}
}
