package wording

import (
	"slices"
	"strings"
	"testing"
)

const bootstrapType = "envoy.config.bootstrap.v3.Bootstrap"

func TestAMistakeInTheConfigurationIsToldWithItsPlace(t *testing.T) {
	all(t, configurationMistakes())
}

// configurationMistakes are those that no kernel is needed for: every mode refuses them.
func configurationMistakes() []mistake {
	return slices.Concat(syntaxMistakes(), fieldMistakes(), addressMistakes(), accessLogMistakes())
}

func syntaxMistakes() []mistake {
	return []mistake{
		{name: "a list is no configuration", yaml: "- a\n", sentence: wrongTypeAtRoot, values: []any{`["a"]`},
			at: "1:1", hint: "a configuration is a map"},
		{name: "a word is no configuration", yaml: "hello\n", sentence: notAMap, values: []any{"hello"}, at: "1:1",
			hint: "a configuration is a map"},
		{name: "a file of comments is no configuration", yaml: "# nothing\n", sentence: notAMap,
			values: []any{"# nothing"}, at: "1:1"},
		{name: "a tab indents", yaml: "static_resources:\n\tlisteners: []\n", sentence: yamlSyntax,
			values: []any{2, 1, "found character that cannot start any token"}, at: "2:1", hint: "never with tabs"},
		{name: "a bracket stays open", yaml: "admin: [\nnode: {}\n", sentence: yamlSyntax,
			values: []any{2, 1, "did not find expected ',' or ']'"}, at: "2:1", hint: "bracket"},
		{name: "a bracket is all there is", sentence: yamlSyntax, values: []any{1, 1, "did not find expected node content"},
			at: "1:1", hint: "bracket", yaml: "admin: ["},
		{name: "a value begins with an at sign", sentence: yamlSyntax,
			values: []any{1, 1, "found character that cannot start any token"}, at: "1:1", hint: "needs quotation marks",
			yaml: "admin: @x"},
		{name: "a quotation mark is left open", sentence: yamlSyntax, values: []any{1, 1, "found unexpected end of stream"},
			at: "1:1", hint: "quotation mark opened", yaml: "admin: \"x"},
		{name: "an address begins with a colon", sentence: yamlSyntax, at: "3:1", hint: "quotation marks",
			yaml:   "admin:\n  address:\n    socket_address: { address: ::, port_value: 1 }\n",
			values: []any{3, 1, "did not find expected node content"}},
		{name: "a key is given twice", yaml: "node: {}\nadmin: {}\nnode: {}\n", sentence: notAMap,
			values: []any{"duplicate key 'node'"}, at: "3:1", hint: "line 1"},
		{name: "a second document follows", yaml: "node: {}\n---\nadmin: {}\n", sentence: notAMap,
			values: []any{"a second document begins"}, at: "2:1", hint: "'---'"},
		{name: "a NUL stands in the file", yaml: "node:\n  id: a\x00b\n", sentence: notAMap,
			values: []any{"NUL character"}, at: "2:8"},
		{name: "the file is not UTF-8", yaml: "node: {}\n# caf\xe9\n", sentence: notAMap,
			values: []any{"not valid UTF-8"}, at: "2:6", hint: "UTF-8"},
		{name: "an alias stands inside its anchor", yaml: "node: &n {id: *n}\n", sentence: notAMap,
			values: []any{"alias *n stands inside its own anchor"}, at: "1:15"},
		{name: "lines end with CR LF, and line numbers count on", yaml: "node: {}\r\nnonsense: 1\r\n",
			sentence: unknownField, values: []any{bootstrapType, "nonsense"}, at: "2:1", path: "nonsense"},
		{name: "a byte order mark shifts no column", yaml: "\xEF\xBB\xBFnonsense: 1\n",
			sentence: unknownField, values: []any{bootstrapType, "nonsense"}, at: "1:1", path: "nonsense"},
		{name: "aliases multiply into a bomb", yaml: bomb(), sentence: notAMap,
			values: []any{"more than 1000000 values"}, at: "1:13", hint: "aliases count as often as they are used"},
	}
}

// bomb is a configuration of six lines that stands for ten million values.
func bomb() string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for _, pair := range []string{"01", "12", "23", "34", "45", "56"} {
		below, this := "*a"+pair[:1], "a"+pair[1:]
		text += this + ": &" + this + " [" + strings.Repeat(below+", ", 9) + below + "]\n"
	}
	return text
}

func fieldMistakes() []mistake {
	return []mistake{
		{name: "a name is a number", yaml: static + listener("5", anyPort, ""), sentence: wrongType,
			values: []any{"static_resources.listeners[0].name", "invalid value 5 for type TYPE_STRING",
				`{"name":5,"address":{"socket_address":{"address":"127.0.0.1","port_value":0}},"filter_chains":[{}]}`},
			at: "3:11", path: "static_resources.listeners[0].name", hint: "quotes"},
		{name: "a port is a word", yaml: static + listener("a", "{socket_address: {address: 1.2.3.4, port_value: http}}", ""),
			sentence: wrongType, values: []any{address0 + ".socket_address.port_value",
				`invalid value "http" for type TYPE_UINT32`, `{"address":"1.2.3.4","port_value":"http"}`},
			at: "4:62", path: address0 + ".socket_address.port_value", hint: "whole number"},
		{name: "a field is misspelled", yaml: static + "  - name: a\n    adress: {}\n", sentence: unknownField,
			values: []any{bootstrapType, "(static_resources.listeners[0]) adress"}, at: "4:5",
			path: "static_resources.listeners[0].adress", hint: `"address"`},
		{name: "an address is missing", yaml: static + "  - name: a\n    filter_chains: [{}]\n", sentence: constraint,
			values: []any{embedded("ListenerValidationError.Address"), `static_resources:{listeners:{name:"a" filter_chains:{}}}`},
			at:     "3:5", path: address0, hint: "required"},
		{name: "a port is too large", yaml: static + listener("a", ipAddress("127.0.0.1", 65536), ""),
			sentence: "Proto constraint validation failed (", at: "4:54", path: address0 + ".socket_address.port_value",
			hint: "65535"},
		mistake{name: "a filter is not built in", yaml: static + listener("a", anyPort,
			"    filter_chains:\n    - filters:\n      - name: envoy.filters.network.ratelimit\n"),
			sentence: noFilter, values: []any{"envoy.filters.network.ratelimit"}, at: "7:15",
			path: "static_resources.listeners[0].filter_chains[0].filters[0].name"}.withOwnChains(),
		mistake{name: "a filter's type is not built in", yaml: static + listener("a", anyPort,
			"    filter_chains:\n    - filters:\n      - name: f\n        typed_config: {\"@type\": "+redis+"}\n"),
			sentence: noFilterOfType, values: []any{"f", redis}, at: "8:33", hint: "rebuilt here: envoy.filters.network.echo",
			path: `static_resources.listeners[0].filter_chains[0].filters[0].typed_config["@type"]`}.withOwnChains(),
		{name: "a cluster's type is not built in",
			yaml:     "static_resources:\n  clusters:\n  - name: c\n    cluster_type: {name: envoy.clusters.aggregate}\n",
			sentence: noClusterType, values: []any{"envoy.clusters.aggregate"}, at: "4:26",
			path: "static_resources.clusters[0].cluster_type.name", hint: "STRICT_DNS"},
		{name: "a listener has no filter chains", yaml: static + "  - name: a\n    address: " + anyPort + "\n",
			sentence: noChains, values: []any{"127.0.0.1:0"}, at: atName, path: "static_resources.listeners[0]",
			hint: "default_filter_chain"},
		{name: "a timeout is negative", yaml: static + listener("a", anyPort, "    listener_filters_timeout: -1s\n"),
			sentence: negativeDuration, values: []any{"-1s"}, at: "5:5",
			path: "static_resources.listeners[0].listener_filters_timeout", hint: "0s"},
		{name: "two listeners that do not bind have one address", yaml: static + listener("a", anyPort, noBind) +
			listener("b", anyPort, noBind), sentence: duplicateAddress, values: []any{"b", "127.0.0.1:0"},
			at: "8:5", path: "static_resources.listeners[1].address"},
	}
}

const (
	noBind = "    bind_to_port: false\n"
	redis  = "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy"
)

// embedded is how the rules of nested messages are told, down to the field of a listener that is required.
func embedded(field string) string {
	const failed = `: ["embedded message failed validation"] | caused by `
	return "BootstrapValidationError.StaticResources" + failed + "StaticResourcesValidationError.Listeners[i]" + failed +
		field + `: ["value is required"]`
}

// withOwnChains takes away the empty chain that every listener is given here.
func (m mistake) withOwnChains() mistake {
	m.yaml = strings.Replace(m.yaml, "    filter_chains: [{}]\n", "", 1)
	return m
}

func addressMistakes() []mistake {
	long := "/tmp/" + strings.Repeat("x", 103)
	return []mistake{
		{name: "a host name is no address", yaml: static + listener("a", ipAddress("localhost", 80), ""),
			sentence: malformedIP, values: []any{"localhost"}, at: "4:32", path: address0 + ".socket_address.address",
			hint: "not a host name"},
		{name: "a port belongs in its own field", yaml: static + listener("a", ipAddress("127.0.0.1:80", 80), ""),
			sentence: malformedIP, values: []any{"127.0.0.1:80"}, at: "4:32", path: address0 + ".socket_address.address"},
		{name: "the admin's address is a host name", yaml: "admin: {address: " + ipAddress("localhost", 80) + "}\n",
			sentence: malformedIP, values: []any{"localhost"}, at: "1:36", path: "admin.address.socket_address.address"},
		{name: "a path has 108 bytes", yaml: static + listener("a", pipeAddress(long), ""), sentence: pathTooLong,
			values: []any{long, 108}, at: "4:22", path: address0 + ".pipe.path", hint: "107 bytes"},
		{name: "an abstract name has a mode", yaml: static + listener("a", "{pipe: {path: '@x', mode: 0600}}", ""),
			sentence: abstractMode, at: "4:34", path: address0 + ".pipe.mode", hint: "remove the mode"},
		{name: "a path holds a NUL", yaml: static + listener("a", pipeAddress(`"a\0b"`), ""), sentence: embeddedNUL,
			at: "4:22", path: address0 + ".pipe.path", hint: "NUL"},
		{name: "UDP is refused by name", yaml: static + listener("a",
			"{socket_address: {protocol: UDP, address: 127.0.0.1, port_value: 53}}", ""),
			sentence: "socket type datagram not supported", at: "4:42", path: address0 + ".socket_address.protocol",
			hint: "protocol: TCP"},
	}
}
