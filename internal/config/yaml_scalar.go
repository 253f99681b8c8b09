package config

import (
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle |
	yaml.FoldedStyle

// scalarKind decides what an unquoted word means, by yaml-cpp's rules rather than yaml.v3's:
// yes, on and y are true; 010 is eight; a number with a point stays text until its field is known.
//
// Envoy: parseYamlNode
func scalarKind(n *yaml.Node) (kind, string) {
	s := n.Value
	if n.Style&quoted != 0 || n.Style&yaml.TaggedStyle != 0 && n.ShortTag() == "!!str" {
		return text, s
	}
	switch s {
	case "", "~", "null", "Null", "NULL":
		return null, ""
	}
	if b, ok := yamlBool(s); ok {
		return boolean, strconv.FormatBool(b)
	}
	i, ok := yamlInt(s)
	if !ok {
		return text, s
	}
	if i < math.MinInt32 || i > math.MaxInt32 {
		return text, strconv.FormatInt(i, 10) // as Envoy: only small numbers stay numbers
	}
	return number, strconv.FormatInt(i, 10)
}

// checkTag refuses tags that would change a value's meaning: Envoy ignores all of them.
func (r *yamlReader) checkTag(n *yaml.Node) error {
	if n.Style&yaml.TaggedStyle == 0 {
		return nil
	}
	switch n.ShortTag() {
	case "!", "!!str", "!!int", "!!bool", "!!float", "!!null":
		return nil
	}
	return r.refuse(n, "tag "+n.Tag+" has no meaning here", "write the value without a tag")
}

// yamlBool knows yaml-cpp's words, in lower, upper or capitalized letters.
func yamlBool(s string) (value, ok bool) {
	low := strings.ToLower(s)
	if s != low && s != strings.ToUpper(s) && s != strings.ToUpper(low[:1])+low[1:] {
		return false, false
	}
	switch low {
	case "y", "yes", "true", "on":
		return true, true
	case "n", "no", "false", "off":
		return false, true
	}
	return false, false
}

// yamlInt reads 12, -12, +12, 0x1f and 017 (octal).
func yamlInt(s string) (int64, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	sign, base := s[:len(s)-len(digits)], 10
	switch low := strings.ToLower(digits); {
	case strings.HasPrefix(low, "0x"):
		digits, base = digits[2:], 16
		if digits == "" || digits[0] == '-' || digits[0] == '+' {
			return 0, false
		}
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	i, err := strconv.ParseInt(sign+digits, base, 64)
	return i, err == nil
}
